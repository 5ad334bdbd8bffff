-- The newest trades of an instrument ($1), at most $2, newest first: one backward scan of the primary key.
SELECT trade_id, price_ticks, qty_lots, quote_amount, time_ns, taker_side
FROM trade
WHERE instrument = $1
ORDER BY seq DESC, n DESC
LIMIT $2;
