-- When the first candle of an instrument ($1) in one interval ($2) began.
SELECT open_ms FROM candle WHERE instrument = $1 AND interval = $2 ORDER BY open_ms LIMIT 1;
