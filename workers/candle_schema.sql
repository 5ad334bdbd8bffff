-- Candles, kept by the market-data worker; everything here can be made again from the journal.
-- A row stands for an interval with trades. Whoever writes it and however often, it is a function of the trades up to
-- command `seq`: a row replaces, as a whole, one that ends no later and begins no earlier, never the other way round.
-- Prices in ticks, quantities in lots, money in minor units of the quote asset; sums may exceed 64 bits.

CREATE TABLE IF NOT EXISTS candle (
    instrument int NOT NULL,
    interval   smallint NOT NULL,                  -- number in engine/intervals.py
    open_ms    bigint NOT NULL,
    open       bigint NOT NULL,
    high       bigint NOT NULL,
    low        bigint NOT NULL,
    close      bigint NOT NULL,
    last_lots  bigint NOT NULL,                    -- of the last trade
    lots       numeric NOT NULL,
    quote      numeric NOT NULL,
    buy_lots   numeric NOT NULL,                   -- the part in which the buyer took
    buy_quote  numeric NOT NULL,
    first_id   bigint NOT NULL,                    -- trades; ids have no gap
    last_id    bigint NOT NULL,
    first_agg  bigint NOT NULL,                    -- number of the first aggregated trade
    first_seq  bigint NOT NULL,                    -- command of the first trade
    seq        bigint NOT NULL,                    -- command of the last trade
    PRIMARY KEY (instrument, interval, open_ms)
) WITH (fillfactor = 80);

-- How far the journal is in the candles: all commands up to seq, and all that can happen before `until_ms`.
CREATE TABLE IF NOT EXISTS candle_position (
    one      boolean PRIMARY KEY DEFAULT true CHECK (one),
    seq      bigint NOT NULL,
    until_ms bigint NOT NULL
);
INSERT INTO candle_position VALUES (true, 0, 0) ON CONFLICT DO NOTHING;

-- Number of the last aggregated trade of each instrument up to the position.
CREATE TABLE IF NOT EXISTS candle_agg (
    instrument int PRIMARY KEY,
    last_agg   bigint NOT NULL
);

-- Databases in which the tables were made unseen while rights were given, so that nobody could read candles.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'buttonwood_reader')
       AND NOT (has_table_privilege('buttonwood_reader', 'candle_position', 'SELECT')
                AND has_table_privilege('buttonwood_reader', 'candle_agg', 'SELECT')) THEN
        GRANT SELECT ON candle, candle_position, candle_agg TO buttonwood_reader;
    END IF;
END $$;
