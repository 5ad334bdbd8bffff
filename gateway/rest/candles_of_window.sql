-- What makes up the time from $2 on, in order, for each of the instruments $1: seconds before $3, minutes from there
-- before $4, hours from there. The last of them may still grow.
SELECT instrument, open_ms, open, high, low, close, last_lots, lots, quote, buy_lots, buy_quote, first_id, last_id,
       first_agg, first_seq, seq
FROM candle WHERE instrument = ANY($1::int[]) AND interval = 1 AND open_ms >= $2 AND open_ms < $3
UNION ALL
SELECT instrument, open_ms, open, high, low, close, last_lots, lots, quote, buy_lots, buy_quote, first_id, last_id,
       first_agg, first_seq, seq
FROM candle WHERE instrument = ANY($1::int[]) AND interval = 2 AND open_ms >= $3 AND open_ms < $4
UNION ALL
SELECT instrument, open_ms, open, high, low, close, last_lots, lots, quote, buy_lots, buy_quote, first_id, last_id,
       first_agg, first_seq, seq
FROM candle WHERE instrument = ANY($1::int[]) AND interval = 7 AND open_ms >= $4
ORDER BY instrument, open_ms;
