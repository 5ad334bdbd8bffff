-- install_lock --
-- The ledger's own: rights are given to all tables there are, and these must not be made unseen meanwhile.
SELECT pg_advisory_xact_lock(hashtext('buttonwood ledger schema'));

-- position --
SELECT seq FROM candle_position;

-- put --
INSERT INTO candle
SELECT * FROM unnest($1::int[], $2::smallint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
                     $8::bigint[], $9::numeric[], $10::numeric[], $11::numeric[], $12::numeric[], $13::bigint[],
                     $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[])
ON CONFLICT (instrument, interval, open_ms) DO UPDATE
SET open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
    last_lots = excluded.last_lots, lots = excluded.lots, quote = excluded.quote, buy_lots = excluded.buy_lots,
    buy_quote = excluded.buy_quote, first_id = excluded.first_id, last_id = excluded.last_id,
    first_agg = excluded.first_agg, first_seq = excluded.first_seq, seq = excluded.seq
WHERE candle.seq <= excluded.seq AND candle.first_id >= excluded.first_id;   -- all that it holds is in the new one

-- put_aggs --
INSERT INTO candle_agg SELECT * FROM unnest($1::int[], $2::bigint[])
ON CONFLICT (instrument) DO UPDATE SET last_agg = excluded.last_agg WHERE candle_agg.last_agg < excluded.last_agg;

-- advance --
UPDATE candle_position SET seq = greatest(seq, $1), until_ms = greatest(until_ms, $2);

-- last_agg --
SELECT last_agg FROM candle_agg WHERE instrument = $1;

-- newest --
-- Of an instrument, the newest candle of each of the intervals 1 to $2.
SELECT candle.* FROM generate_series(1, $2::int) AS number
CROSS JOIN LATERAL (SELECT * FROM candle WHERE instrument = $1 AND interval = number
                    ORDER BY open_ms DESC LIMIT 1) AS candle
ORDER BY interval;

-- since --
-- Of an instrument, the candles of interval $2 that began from $3 on, and the one before them, in order.
SELECT * FROM candle WHERE instrument = $1 AND interval = $2 AND open_ms >= coalesce(
    (SELECT max(open_ms) FROM candle WHERE instrument = $1 AND interval = $2 AND open_ms < $3), $3)
ORDER BY open_ms;
