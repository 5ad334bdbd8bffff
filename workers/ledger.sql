-- Statements of the ledger's writer. Each stands under a line "-- name --"; workers/statements.py reads them.

-- end_stalled --
-- A ledger session whose process stands still inside a transaction keeps the position locked; one that stands still in
-- the middle of a COPY is beyond every timeout of the server. What it had not committed is rolled back.
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND usename = session_user AND application_name = $1
  AND pid <> pg_backend_pid()
  AND xact_start < clock_timestamp() - $2::interval;

-- own --
-- From here on nobody else's batches are taken: a writer that still believes to be the one finds another name here.
UPDATE watermark SET writer = $1 WHERE stream = 'ledger' RETURNING seq, epoch, writer;

-- make_parts --
SELECT make_parts($1, $2);

-- read_watermark --
SELECT seq, epoch, writer FROM watermark WHERE stream = 'ledger';

-- read_wallets --
SELECT account, asset, balance, held, entries, last_seq FROM wallet ORDER BY account, asset;

-- claim --
-- First half of the compare-and-set: no row means that the position is not ours to move. A rival waits here for our
-- commit and then sees the new position.
SELECT seq FROM watermark WHERE stream = 'ledger' AND seq = $1 AND epoch <= $2 AND writer = $3 FOR UPDATE;

-- advance --
UPDATE watermark
SET seq = $1, epoch = $2, time_ns = $3, committed_ns = $4, writer = $6,
    lag_ns_max = CASE WHEN writer IS NOT DISTINCT FROM $6 THEN greatest(lag_ns_max, $5) ELSE $5 END
WHERE stream = 'ledger';

-- insert_wallets --
INSERT INTO wallet (account, asset, balance, held, entries, last_seq)
SELECT * FROM unnest($1::int[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]);

-- update_wallets --
UPDATE wallet
SET balance = new.balance, held = new.held, entries = new.entries, last_seq = new.last_seq
FROM unnest($1::int[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
     AS new (account, asset, balance, held, entries, last_seq)
WHERE wallet.account = new.account AND wallet.asset = new.asset;

-- put_asset --
INSERT INTO asset VALUES ($1, $2, $3)
ON CONFLICT (asset) DO UPDATE SET code = excluded.code, scale = excluded.scale;

-- put_instrument --
INSERT INTO instrument VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (instrument) DO UPDATE SET
    symbol = excluded.symbol, status = excluded.status,
    base_asset = excluded.base_asset, quote_asset = excluded.quote_asset,
    lot_value = excluded.lot_value, tick_value = excluded.tick_value,
    min_lots = excluded.min_lots, max_lots = excluded.max_lots, max_ticks = excluded.max_ticks,
    min_notional = excluded.min_notional,
    maker_fee_ppm = excluded.maker_fee_ppm, taker_fee_ppm = excluded.taker_fee_ppm;

-- put_account --
INSERT INTO account VALUES ($1, $2, $3)
ON CONFLICT (account) DO UPDATE SET status = excluded.status, label = excluded.label;

-- put_transfer --
INSERT INTO transfer VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (id) DO UPDATE SET
    posted = excluded.posted, state = excluded.state, end_seq = excluded.end_seq, end_ns = excluded.end_ns;

-- read_transfers --
SELECT * FROM transfer ORDER BY seq;
