-- The newest trades of an account ($1) in an instrument ($2 its base asset, $3 itself), newest first.
-- $4: only this order, $5: from this trade id, $6 and $7: first and last time; $8: at most so many.
SELECT trade_id, order_id, price_ticks, qty_lots, quote_amount, fee, side, is_maker, time_ns
FROM account_trade
WHERE account = $1 AND base_asset = $2 AND instrument = $3
  AND ($4::bigint IS NULL OR order_id = $4)
  AND ($5::bigint IS NULL OR trade_id >= $5)
  AND time_ns BETWEEN $6 AND $7
ORDER BY seq DESC, entry_n DESC
LIMIT $8;
