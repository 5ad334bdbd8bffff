-- $1 account, $2 instrument, $3 last time_ns (placed), $4 rows at most: newest first.
SELECT order_id, seq, time_ns, update_ns, price_ticks, qty_lots, amount, executed_lots, quote_filled, side, order_type,
       time_in_force, code, list_id, stop_ticks, display_lots, trailing_bps, stp, client_id
FROM closed_order
WHERE account = $1 AND instrument = $2 AND time_ns <= $3
ORDER BY order_id DESC LIMIT $4;
