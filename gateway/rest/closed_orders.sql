-- $1 account, $2 instrument, $3 first order id, $4 and $5 first and last time_ns (of placing), $6 rows: oldest first.
-- Ids and times rise together, so the first id of a time is found by halving: forty steps of one index look-up each.
WITH RECURSIVE half AS (
    SELECT $3::bigint AS low, coalesce(
        (SELECT max(order_id) + 1 FROM closed_order WHERE account = $1 AND instrument = $2), 0) AS high
    UNION ALL
    SELECT CASE WHEN found.time_ns < $4 THEN found.order_id + 1 ELSE half.low END,
           CASE WHEN found.time_ns < $4 THEN half.high ELSE (half.low + half.high) / 2 END
    FROM half LEFT JOIN LATERAL (
        SELECT order_id, time_ns FROM closed_order
        WHERE account = $1 AND instrument = $2 AND order_id >= (half.low + half.high) / 2
        ORDER BY order_id LIMIT 1) AS found ON true
    WHERE half.low < half.high
)
SELECT order_id, seq, time_ns, update_ns, price_ticks, qty_lots, amount, executed_lots, quote_filled, side, order_type,
       time_in_force, code, list_id, stop_ticks, display_lots, trailing_bps, stp, client_id
FROM closed_order
WHERE account = $1 AND instrument = $2 AND order_id >= (SELECT max(low) FROM half) AND time_ns <= $5
ORDER BY order_id LIMIT $6;
