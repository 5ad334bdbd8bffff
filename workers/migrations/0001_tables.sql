-- The ledger's tables. Amounts are int64 minor units of an asset. Two indexes in all on the tables that grow.
-- A row of trade or entry is written once and never changed; the guard below refuses everything else.
-- Names: seq = number of the command in the journal; n = position within that command, so that (seq, n) orders all.

CREATE TABLE IF NOT EXISTS asset (
    asset        int PRIMARY KEY,
    code         text NOT NULL,
    scale        smallint NOT NULL                 -- one unit = 10 ^ scale minor units
);

CREATE TABLE IF NOT EXISTS instrument (
    instrument    int PRIMARY KEY,
    symbol        text NOT NULL,
    status        smallint NOT NULL,               -- 0 trading, 1 cancel only, 2 halt, 3 auction, 4 closed
    base_asset    int NOT NULL,
    quote_asset   int NOT NULL,
    lot_value     bigint NOT NULL,                 -- base minor units = lots * lot_value
    tick_value    bigint NOT NULL,                 -- quote minor units = ticks * lots * tick_value
    min_lots      bigint NOT NULL,
    max_lots      bigint NOT NULL,
    max_ticks     bigint NOT NULL,
    min_notional  bigint NOT NULL,
    maker_fee_ppm int NOT NULL,
    taker_fee_ppm int NOT NULL
);

CREATE TABLE IF NOT EXISTS account (
    account      int PRIMARY KEY,                  -- 0 the world outside, 1 fees, users from 2
    status       smallint NOT NULL,                -- 0 active, 1 frozen
    label        text NOT NULL
);
INSERT INTO account VALUES (0, 0, 'external'), (1, 0, 'fees') ON CONFLICT DO NOTHING;

-- The state at watermark.seq. Changed in place by every batch: room on the page keeps the change off the index.
CREATE TABLE IF NOT EXISTS wallet (
    account      int NOT NULL,
    asset        int NOT NULL,
    balance      bigint NOT NULL,                  -- available + held
    held         bigint NOT NULL,                  -- set aside for open orders
    entries      bigint NOT NULL,                  -- rows of entry behind this balance
    last_seq     bigint NOT NULL,                  -- of the newest of them
    PRIMARY KEY (account, asset),
    CONSTRAINT wallet_held_not_negative CHECK (held >= 0),
    CONSTRAINT wallet_covered CHECK (account = 0 OR (balance >= 0 AND held <= balance))
) WITH (fillfactor = 50);

-- Keyed so that the newest trades of an instrument are one backward index scan, and an entry finds its trade by
-- (instrument, seq, entry.n / 8). fill_id runs over all instruments, trade_id within one, both without a gap.
CREATE TABLE IF NOT EXISTS trade (
    instrument     int NOT NULL,
    n              int NOT NULL,                   -- 0, 1, ... within the taker's command
    seq            bigint NOT NULL,
    trade_id       bigint NOT NULL,
    fill_id        bigint NOT NULL,
    time_ns        bigint NOT NULL,
    price_ticks    bigint NOT NULL,
    qty_lots       bigint NOT NULL,
    quote_amount   bigint NOT NULL,
    taker_order_id bigint NOT NULL,
    maker_order_id bigint NOT NULL,
    taker_fee      bigint NOT NULL,                -- in what the taker receives: base for a buyer, quote for a seller
    maker_fee      bigint NOT NULL,                -- in what the maker receives
    taker_account  int NOT NULL,
    maker_account  int NOT NULL,
    taker_side     smallint NOT NULL,              -- 0 buy, 1 sell
    PRIMARY KEY (instrument, seq, n)
);

-- One row per leg: value that reached (+) or left (-) a wallet. The legs of one trade, and of one deposit, sum to 0.
CREATE TABLE IF NOT EXISTS entry (
    account       int NOT NULL,
    asset         int NOT NULL,
    seq           bigint NOT NULL,
    amount        bigint NOT NULL,
    balance_after bigint NOT NULL,                 -- running balance of this wallet: available + held
    n             int NOT NULL,                    -- trade.n * 8 + leg (see workers/postings.py); deposit: 0 or 1
    kind          smallint NOT NULL,               -- 1 trade, 2 fee, 3 deposit, 4 withdrawal
    PRIMARY KEY (account, asset, seq, n)
);

-- How far the journal is in these tables; moves in the same transaction as the rows it stands for.
CREATE TABLE IF NOT EXISTS watermark (
    stream       text PRIMARY KEY,
    seq          bigint NOT NULL,                  -- last command contained
    epoch        bigint NOT NULL,                  -- of the journal frame it came in; never goes back
    time_ns      bigint NOT NULL,                  -- of that command
    committed_ns bigint NOT NULL,                  -- clock of the writer just before its commit
    lag_ns_max   bigint NOT NULL,                  -- largest age of a command at its commit, since this writer started
    writer       uuid                              -- the process that wrote last
);
INSERT INTO watermark VALUES ('ledger', 0, 0, 0, 0, 0, NULL) ON CONFLICT DO NOTHING;

CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: correct a mistake by a new command, never by changing a row', TG_TABLE_NAME;
END $$;
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON trade
    EXECUTE FUNCTION refuse_change();
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entry
    EXECUTE FUNCTION refuse_change();
REVOKE UPDATE, DELETE, TRUNCATE ON trade, entry FROM PUBLIC, CURRENT_USER;

-- The two sides of each trade, found through the two primary keys alone: name account, base_asset (of the instrument)
-- and instrument, then ORDER BY seq DESC, entry_n DESC LIMIT reads backwards and stops. A self trade is two rows.
CREATE OR REPLACE VIEW account_trade AS
SELECT e.account, e.asset AS base_asset, e.seq, e.n AS entry_n,
       t.instrument, t.n, t.trade_id, t.fill_id, t.time_ns, t.price_ticks, t.qty_lots, t.quote_amount,
       (e.n % 8 = 0)::int::smallint AS side,           -- leg 0 is the seller's base, leg 1 the buyer's
       (e.n % 8 = 0) = (t.taker_side = 0) AS is_maker,
       CASE WHEN (e.n % 8 = 0) = (t.taker_side = 0) THEN t.maker_order_id ELSE t.taker_order_id END AS order_id,
       CASE WHEN (e.n % 8 = 0) = (t.taker_side = 0) THEN t.maker_fee ELSE t.taker_fee END AS fee
FROM entry e
JOIN trade t ON t.seq = e.seq AND t.n = e.n / 8
WHERE e.kind = 1 AND e.n % 8 < 2;
