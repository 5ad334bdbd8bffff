-- The last trade before $2 of each of the instruments $1 that had one.
SELECT asked.instrument, candle.close, candle.last_lots
FROM unnest($1::int[]) AS asked (instrument)
CROSS JOIN LATERAL (
    SELECT close, last_lots FROM candle
    WHERE candle.instrument = asked.instrument AND interval = 1 AND open_ms < $2
    ORDER BY open_ms DESC LIMIT 1) AS candle;
