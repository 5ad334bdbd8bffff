-- All instruments with the scales their amounts are written in.
SELECT i.instrument, i.symbol, i.status, i.lot_value, i.tick_value, i.min_lots, i.max_lots, i.max_ticks, i.min_notional,
       i.maker_fee_ppm, i.taker_fee_ppm,
       i.base_asset, b.code AS base, b.scale AS base_scale, i.quote_asset, q.code AS quote, q.scale AS quote_scale
FROM instrument i
JOIN asset b ON b.asset = i.base_asset
JOIN asset q ON q.asset = i.quote_asset
ORDER BY i.instrument;
