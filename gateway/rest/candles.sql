-- The candles of an instrument ($1) in one interval ($2) that began from $3 to $4, oldest first.
SELECT open_ms, open, high, low, close, last_lots, lots, quote, buy_lots, buy_quote, first_id, last_id, first_agg,
       first_seq, seq
FROM candle
WHERE instrument = $1 AND interval = $2 AND open_ms BETWEEN $3 AND $4
ORDER BY open_ms;
