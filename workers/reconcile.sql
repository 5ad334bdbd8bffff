-- Proofs that Postgres can give about itself: each statement lists what contradicts it, no row means proven. They look
-- at the rows of the commands after $1; what was proven at $1 comes along where it matters.
-- Sums are numeric, so that a planted amount cannot hide behind an overflow. Each lists five contradictions at most.

-- counts --
SELECT (SELECT count(*) FROM entry WHERE seq > $1) AS entry, (SELECT count(*) FROM trade WHERE seq > $1) AS trade,
       (SELECT count(*) FROM wallet) AS wallet;

-- read_watermark --
SELECT seq, epoch, time_ns, (SELECT system_identifier FROM pg_control_system()) AS system,
       (SELECT oid::bigint FROM pg_database WHERE datname = current_database()) AS database,
       coalesce((SELECT after_seq FROM beginning WHERE name = 'closed_order'), 0) AS orders_after,
       coalesce((SELECT after_seq FROM beginning WHERE name = 'closed_order terms'), 0) AS terms_after
FROM watermark WHERE stream = 'ledger';

-- assets_sum_to_zero --
SELECT format('asset %s: %s entries sum to %s', asset, count(*), sum(amount))
FROM entry WHERE seq > $1 GROUP BY asset HAVING sum(amount) <> 0 ORDER BY asset LIMIT 5;

-- running_balances_unbroken --
SELECT format('account %s asset %s seq %s n %s: %s %s gives %s, the row says %s',
              account, asset, seq, n, before, to_char(amount, 'SG9999999999999999999'), before + amount, balance_after)
FROM (SELECT entry.*, coalesce(lag(balance_after) OVER (PARTITION BY account, asset ORDER BY seq, n), opening.balance, 0
                      )::numeric AS before
      FROM entry LEFT JOIN unnest($2::int[], $3::int[], $4::bigint[]) AS opening (account, asset, balance)
           USING (account, asset)
      WHERE seq > $1) AS entry
WHERE before + amount <> balance_after ORDER BY seq, n LIMIT 5;

-- wallets_end_at_their_balance --
WITH opening AS (
    SELECT * FROM unnest($2::int[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[])
                  AS opening (account, asset, balance, entries, last_seq)
), since AS (
    SELECT account, asset, count(*) AS entries, sum(amount) AS amount, max(seq) AS last_seq
    FROM entry WHERE seq > $1 GROUP BY account, asset
), ends AS (
    SELECT account, asset, coalesce(opening.balance, 0) + coalesce(since.amount, 0) AS balance,
           coalesce(opening.entries, 0) + coalesce(since.entries, 0) AS entries,
           coalesce(since.last_seq, opening.last_seq) AS last_seq
    FROM opening FULL JOIN since USING (account, asset)
)
SELECT format('account %s asset %s: wallet has balance %s after %s entries up to %s, its entries give %s, %s, %s',
              account, asset, wallet.balance, wallet.entries, wallet.last_seq,
              ends.balance, ends.entries, ends.last_seq)
FROM wallet FULL JOIN ends USING (account, asset)
WHERE wallet.balance IS DISTINCT FROM ends.balance OR wallet.entries IS DISTINCT FROM ends.entries
   OR wallet.last_seq IS DISTINCT FROM ends.last_seq
ORDER BY account, asset LIMIT 5;

-- trades_dense --
SELECT format('instrument %s seq %s: trade %s follows trade %s, fill %s follows fill %s',
              instrument, seq, trade_id, trade_before, fill_id, fill_before)
FROM (SELECT trade.*, coalesce(lag(fill_id) OVER (ORDER BY fill_id), $2::bigint) AS fill_before,
             coalesce(lag(trade.trade_id) OVER (PARTITION BY instrument ORDER BY seq, n), opening.trade_id, 0
                      ) AS trade_before
      FROM trade LEFT JOIN unnest($3::int[], $4::bigint[]) AS opening (instrument, trade_id) USING (instrument)
      WHERE seq > $1) AS trade
WHERE fill_id <> fill_before + 1 OR trade_id <> trade_before + 1 ORDER BY fill_id LIMIT 5;

-- trades_match_entries --
-- The legs of each trade (workers/postings.py) beside the entries: the same money, leg by leg.
WITH party AS (
    SELECT t.seq, t.n::bigint * 8 AS n, i.base_asset, i.quote_asset,
           t.qty_lots::numeric * i.lot_value AS base, t.quote_amount::numeric AS quote,
           CASE WHEN t.taker_side = 0 THEN t.taker_account ELSE t.maker_account END AS buyer,
           CASE WHEN t.taker_side = 0 THEN t.maker_account ELSE t.taker_account END AS seller,
           CASE WHEN t.taker_side = 0 THEN t.taker_fee ELSE t.maker_fee END AS buyer_fee,
           CASE WHEN t.taker_side = 0 THEN t.maker_fee ELSE t.taker_fee END AS seller_fee
    FROM trade t LEFT JOIN instrument i USING (instrument)
    WHERE t.seq > $1
), leg AS (
    SELECT seq, n + place AS n, l.account, l.asset, l.amount, CASE WHEN place < 4 THEN 1 ELSE 2 END AS kind
    FROM party CROSS JOIN LATERAL (VALUES
        (0, seller, base_asset, -base), (1, buyer, base_asset, base - buyer_fee),
        (2, buyer, quote_asset, -quote), (3, seller, quote_asset, quote - seller_fee),
        (4, 1, base_asset, buyer_fee), (5, 1, quote_asset, seller_fee)) AS l (place, account, asset, amount)
    WHERE place < 4 OR l.amount <> 0
)
SELECT format('account %s asset %s seq %s n %s: the trade moves %s, the entry %s',
              account, asset, seq, n, leg.amount, coalesce(entry.amount::text, 'is missing'))
FROM leg FULL JOIN (SELECT * FROM entry WHERE kind IN (1, 2) AND seq > $1) AS entry USING (account, asset, seq, n)
WHERE leg.amount IS DISTINCT FROM entry.amount OR leg.kind <> entry.kind
ORDER BY seq, n LIMIT 5;

-- trade_sums --
SELECT instrument, count(*), sum(n), sum(seq), sum(trade_id), sum(fill_id), sum(time_ns), sum(price_ticks),
       sum(qty_lots), sum(quote_amount), sum(taker_order_id), sum(maker_order_id), sum(taker_fee), sum(maker_fee),
       sum(taker_account), sum(maker_account), sum(taker_side)
FROM trade WHERE seq > $1 GROUP BY instrument;

-- entry_sums --
SELECT account::bigint << 32 | asset, count(*), sum(seq), sum(amount), sum(balance_after), sum(n), sum(kind)
FROM entry WHERE seq > $1 GROUP BY account, asset;

-- order_sums --
SELECT instrument, count(*), sum(order_id), sum(seq), sum(time_ns), sum(update_ns), sum(price_ticks), sum(qty_lots),
       sum(amount), sum(executed_lots), sum(quote_filled), sum(account), sum(side), sum(order_type),
       sum(time_in_force), sum(code), sum(list_id), sum(stop_ticks), sum(display_lots), sum(trailing_bps)
FROM closed_order WHERE seq > greatest($1::bigint, $2::bigint) GROUP BY instrument;

-- assets --
SELECT * FROM asset;

-- instruments --
SELECT * FROM instrument;

-- accounts --
SELECT * FROM account;
