-- The time before which nothing more can happen to the candles.
SELECT until_ms FROM candle_position;
