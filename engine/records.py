"""Commands and events as numpy records: the same bytes as engine/core/types.pxd, which documents every field.

One layout serves the core's batch, the journal, the drop copy and every reader, so nothing is converted on the way.
"""
import numpy as np

RECORD_BYTES = 128
TEXT = "S36"

_ORDER_LINE = [
    ("kind", "u1", 0), ("side", "u1", 1), ("order_type", "u1", 2), ("time_in_force", "u1", 3), ("account", "<u4", 4),
    ("instrument", "<u4", 8), ("slot", "<u4", 12), ("seq", "<u8", 16), ("time_ns", "<i8", 24), ("order_id", "<u8", 32),
    ("price_ticks", "<i8", 40), ("qty_lots", "<i8", 48),
]


def _record(*fields: tuple[str, str, int]) -> np.dtype:
    names, formats, offsets = zip(*fields, strict=True)
    return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": RECORD_BYTES})


COMMAND = _record(*_ORDER_LINE, ("amount", "<i8", 56), ("text", TEXT, 64), ("stp", "u1", 100), ("mode", "u1", 101),
    ("trailing_bps", "<u2", 102), ("trigger_ticks", "<i8", 104), ("display_lots", "<i8", 112),
    ("expires_ns", "<i8", 120))
INSTRUMENT_COMMAND = _record(
    ("kind", "u1", 0), ("status", "u1", 1), ("base_asset", "<u4", 4), ("instrument", "<u4", 8),
    ("quote_asset", "<u4", 12), ("seq", "<u8", 16), ("time_ns", "<i8", 24), ("lot_value", "<i8", 32),
    ("tick_value", "<i8", 40), ("min_lots", "<i8", 48), ("max_lots", "<i8", 56), ("text", TEXT, 64),
    ("maker_fee_ppm", "<i4", 100), ("taker_fee_ppm", "<i4", 104), ("max_ticks", "<i8", 112),
    ("min_notional", "<i8", 120),
)
LIMITS_COMMAND = _record(
    ("kind", "u1", 0), ("instrument", "<u4", 8), ("seq", "<u8", 16), ("time_ns", "<i8", 24),
    ("max_notional", "<i8", 32), ("reference_ticks", "<i8", 40), ("band_up_ppm", "<u4", 48),
    ("band_down_ppm", "<u4", 52), ("orders_max", "<u4", 56), ("text", TEXT, 64))
ASSET_COMMAND = _record(
    ("kind", "u1", 0), ("scale", "u1", 1), ("asset", "<u4", 8), ("seq", "<u8", 16), ("time_ns", "<i8", 24),
    ("text", TEXT, 64))
ACCOUNT_COMMAND = _record(
    ("kind", "u1", 0), ("status", "u1", 1), ("account", "<u4", 4), ("seq", "<u8", 16), ("time_ns", "<i8", 24),
    ("trade_group", "<u4", 32), ("text", TEXT, 64))
CONTROL_COMMAND = _record(
    ("kind", "u1", 0), ("mode", "u1", 1), ("tier", "u1", 2), ("status", "u1", 3), ("account", "<u4", 4),
    ("instrument", "<u4", 8), ("session", "<u4", 12), ("seq", "<u8", 16), ("time_ns", "<i8", 24),
    ("countdown_ns", "<i8", 32), ("reference_ticks", "<i8", 40), ("maker_fee_ppm", "<i4", 48),
    ("taker_fee_ppm", "<i4", 52), ("slippage_ppm", "<u4", 56), ("stops_max", "<u4", 60), ("text", TEXT, 64),
    ("day_end_s", "<u4", 100), ("remembered", "<u8", 104))

EVENT = _record(
    *_ORDER_LINE, ("left_lots", "<i8", 56), ("text", TEXT, 64), ("stp", "u1", 100), ("trailing_bps", "<u2", 102),
    ("amount", "<i8", 104), ("trigger_ticks", "<i8", 112),
    ("maker_order_id", "<u8", 64), ("maker_left_lots", "<i8", 72), ("trade_id", "<u8", 80),
    ("fill_id", "<u8", 88),
    ("quote_amount", "<i8", 96), ("taker_fee", "<i8", 104), ("maker_fee", "<i8", 112), ("maker_account", "<u4", 120),
    ("code", "<u2", 124))
TOP_EVENT = _record(
    ("kind", "u1", 0), ("instrument", "<u4", 8), ("seq", "<u8", 16), ("time_ns", "<i8", 24), ("update_id", "<u8", 32),
    ("bid_ticks", "<i8", 40), ("bid_lots", "<i8", 48), ("ask_ticks", "<i8", 56), ("ask_lots", "<i8", 64))

WALLET = np.dtype([("account", "<u4"), ("asset", "<u4"), ("available", "<i8"), ("held", "<i8")])
ORDER = np.dtype([
    ("order_id", "<u8"), ("slot", "<u4"), ("account", "<u4"), ("instrument", "<u4"), ("side", "u1"),
    ("order_type", "u1"), ("time_in_force", "u1"), ("flags", "u1"), ("price_ticks", "<i8"),
    ("qty_lots", "<i8"), ("left_lots", "<i8"),
    ("quote_filled", "<i8"), ("time_ns", "<i8"), ("update_ns", "<i8"), ("text", TEXT),
    ("stp", "u1"), ("reserved", "u1"), ("trailing_bps", "<u2"), ("stop_ticks", "<i8"), ("trigger_ticks", "<i8"),
    ("expires_ns", "<i8"), ("session", "<u4"), ("reserved_b", "<u4"),
    ("display_lots", "<i8"), ("list_id", "<u8"), ("working_ns", "<i8")])
ORDER_LIST = np.dtype([
    ("list_id", "<u8"), ("place", "<u4"), ("account", "<u4"), ("instrument", "<u4"), ("list_type", "u1"),
    ("legs", "u1"), ("reserved", "<u2"), ("time_ns", "<i8"), ("text", TEXT), ("reserved_b", "<u4")])
