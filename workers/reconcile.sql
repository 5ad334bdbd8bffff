-- Proofs that Postgres can give about itself: each statement lists what contradicts it, no row means proven.
-- Sums are numeric, so that a planted amount cannot hide behind an overflow. Each lists five contradictions at most.

-- counts --
SELECT (SELECT count(*) FROM entry) AS entry, (SELECT count(*) FROM trade) AS trade,
       (SELECT count(*) FROM wallet) AS wallet;

-- read_watermark --
SELECT seq, epoch, time_ns FROM watermark WHERE stream = 'ledger';

-- assets_sum_to_zero --
SELECT format('asset %s: %s entries sum to %s', asset, count(*), sum(amount))
FROM entry GROUP BY asset HAVING sum(amount) <> 0 ORDER BY asset LIMIT 5;

-- running_balances_unbroken --
SELECT format('account %s asset %s seq %s n %s: %s %s gives %s, the row says %s',
              account, asset, seq, n, before, to_char(amount, 'SG9999999999999999999'), before + amount, balance_after)
FROM (SELECT *, coalesce(lag(balance_after) OVER (PARTITION BY account, asset ORDER BY seq, n), 0)::numeric AS before
      FROM entry) AS entry
WHERE before + amount <> balance_after ORDER BY seq, n LIMIT 5;

-- wallets_end_at_their_balance --
SELECT format('account %s asset %s: wallet has balance %s after %s entries up to %s, its entries give %s, %s, %s',
              account, asset, wallet.balance, wallet.entries, wallet.last_seq,
              ends.balance, ends.entries, ends.last_seq)
FROM wallet FULL JOIN
     (SELECT account, asset, count(*) AS entries, sum(amount) AS balance, max(seq) AS last_seq
      FROM entry GROUP BY account, asset) AS ends USING (account, asset)
WHERE wallet.balance IS DISTINCT FROM ends.balance OR wallet.entries IS DISTINCT FROM ends.entries
   OR wallet.last_seq IS DISTINCT FROM ends.last_seq
ORDER BY account, asset LIMIT 5;

-- trades_dense --
SELECT format('instrument %s seq %s: trade %s follows trade %s, fill %s follows fill %s',
              instrument, seq, trade_id, trade_before, fill_id, fill_before)
FROM (SELECT *, coalesce(lag(fill_id) OVER (ORDER BY fill_id), 0) AS fill_before,
             coalesce(lag(trade_id) OVER (PARTITION BY instrument ORDER BY seq, n), 0) AS trade_before
      FROM trade) AS trade
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
FROM leg FULL JOIN (SELECT * FROM entry WHERE kind IN (1, 2)) AS entry USING (account, asset, seq, n)
WHERE leg.amount IS DISTINCT FROM entry.amount OR leg.kind <> entry.kind
ORDER BY seq, n LIMIT 5;

-- trade_sums --
SELECT instrument, count(*), sum(n), sum(seq), sum(trade_id), sum(fill_id), sum(time_ns), sum(price_ticks),
       sum(qty_lots), sum(quote_amount), sum(taker_order_id), sum(maker_order_id), sum(taker_fee), sum(maker_fee),
       sum(taker_account), sum(maker_account), sum(taker_side)
FROM trade GROUP BY instrument;

-- entry_sums --
SELECT account::bigint << 32 | asset, count(*), sum(seq), sum(amount), sum(balance_after), sum(n), sum(kind)
FROM entry GROUP BY account, asset;

-- assets --
SELECT * FROM asset;

-- instruments --
SELECT * FROM instrument;

-- accounts --
SELECT * FROM account;
