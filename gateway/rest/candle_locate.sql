-- The newest candle of an instrument ($1) in one interval ($2) that began from $3 on and before $4, and, where they are
-- named, begins not after the aggregated trade $5 and not after the trade $6.
SELECT open_ms, first_agg, first_id, first_seq
FROM candle
WHERE instrument = $1 AND interval = $2 AND open_ms >= $3 AND open_ms < $4
  AND ($5::bigint IS NULL OR first_agg <= $5)
  AND ($6::bigint IS NULL OR first_id <= $6)
ORDER BY open_ms DESC
LIMIT 1;
