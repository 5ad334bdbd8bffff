-- The trades of an instrument ($1) after the place ($2 command, $3 within it), at most $4, in order.
SELECT trade_id, seq, n, taker_order_id, price_ticks, qty_lots, quote_amount, time_ns, taker_side
FROM trade
WHERE instrument = $1 AND (seq, n) > ($2, $3)
ORDER BY seq, n
LIMIT $4;
