"""A command of the journal as named values: what a person reads in `buttonwood journal dump`.

Values are the core's own integers with their units in the names; only kinds, sides and the like become words. What a
kind of command always says is always shown, other fields when they are set; a kind without a layout shows its bytes.
"""
from collections.abc import Iterator
from enum import IntEnum
from typing import Any

import numpy as np

from engine.core.codes import AccountStatus, CommandKind, InstrumentStatus, OrderType, SelfTrade, Side, TimeInForce
from engine.frames import Frame
from engine.records import (
    ACCOUNT_COMMAND,
    ASSET_COMMAND,
    COMMAND,
    CONTROL_COMMAND,
    INSTRUMENT_COMMAND,
    LIMITS_COMMAND,
    RECORD_BYTES,
)

_WORDS: dict[str, type[IntEnum]] = {
    "side": Side, "order_type": OrderType, "time_in_force": TimeInForce, "stp": SelfTrade}
_NEVER_AMONG_OTHERS = {"kind", "seq", "time_ns", "slot", "text"}
_MONEY = ("account", "instrument", "amount", "text")
_FIELDS: dict[int, tuple[np.dtype[Any], tuple[str, ...]]] = {
    CommandKind.ASSET: (ASSET_COMMAND, ("asset", "text", "scale")),
    CommandKind.INSTRUMENT: (INSTRUMENT_COMMAND, (
        "instrument", "text", "status", "base_asset", "quote_asset", "lot_value", "tick_value", "min_lots", "max_lots",
        "max_ticks", "min_notional", "maker_fee_ppm", "taker_fee_ppm")),
    CommandKind.ACCOUNT: (ACCOUNT_COMMAND, ("account", "status", "text")),
    CommandKind.CREDIT: (COMMAND, _MONEY),
    CommandKind.DEBIT: (COMMAND, _MONEY),
    CommandKind.PLACE: (COMMAND, ("account", "instrument", "side", "order_type", "time_in_force", "price_ticks",
                                  "qty_lots", "amount", "text")),
    CommandKind.CANCEL: (COMMAND, ("account", "instrument", "order_id", "text")),
    CommandKind.REDUCE: (COMMAND, ("account", "instrument", "order_id", "text", "qty_lots")),
    CommandKind.CANCEL_ALL: (COMMAND, ("account", "instrument")),
    CommandKind.REPLACE: (COMMAND, ("account", "instrument", "order_id", "text", "side", "order_type", "time_in_force",
                                    "price_ticks", "qty_lots", "amount")),
    CommandKind.INSTRUMENT_LIMITS: (LIMITS_COMMAND, (
        "instrument", "max_notional", "reference_ticks", "band_up_ppm", "band_down_ppm", "orders_max")),
    CommandKind.TICK: (CONTROL_COMMAND, ()),
    CommandKind.TIMER: (CONTROL_COMMAND, ("account", "session", "instrument", "countdown_ns")),
    CommandKind.MASS_CANCEL: (CONTROL_COMMAND, ("account", "instrument", "session", "mode")),
    CommandKind.KILL: (CONTROL_COMMAND, ("account", "instrument", "mode", "status")),
    CommandKind.FEES: (CONTROL_COMMAND, ("instrument", "tier", "maker_fee_ppm", "taker_fee_ppm", "mode")),
    CommandKind.ACCOUNT_TIER: (CONTROL_COMMAND, ("account", "tier")),
    CommandKind.AUCTION: (CONTROL_COMMAND, ("instrument", "mode", "status", "reference_ticks")),
    CommandKind.PROTECTION: (CONTROL_COMMAND, ("instrument", "slippage_ppm", "stops_max", "day_end_s")),
    CommandKind.REMEMBER: (CONTROL_COMMAND, ("remembered",)),
    CommandKind.CHECKPOINT: (COMMAND, ("order_id", "amount")),
}
_STATUS: dict[int, type[IntEnum]] = {CommandKind.INSTRUMENT: InstrumentStatus, CommandKind.ACCOUNT: AccountStatus}


def commands(frame: Frame) -> Iterator[dict[str, Any]]:
    """Each command of a frame: seq, time_ns, epoch, kind, then what it says."""
    records = np.frombuffer(frame.commands, COMMAND)
    for place, record in enumerate(records):
        kind = int(record["kind"])
        head = {"seq": int(record["seq"]), "time_ns": int(record["time_ns"]), "epoch": frame.epoch}
        raw = frame.commands[place * RECORD_BYTES:(place + 1) * RECORD_BYTES]
        if kind in _FIELDS:
            yield head | {"kind": CommandKind(kind).name} | _values(kind, raw)
        else:
            name = CommandKind(kind).name if kind in set(CommandKind) else kind
            yield head | {"kind": name, "bytes": raw.hex()}


def _values(kind: int, raw: memoryview) -> dict[str, Any]:
    layout, names = _FIELDS[kind]
    record = np.frombuffer(raw, layout)[0]
    hidden = {*names, *_NEVER_AMONG_OTHERS}
    others = [name for name in layout.names or () if name not in hidden and int(record[name])]
    values = {name: _value(kind, name, record[name]) for name in (*names, *others)}
    if layout is COMMAND and kind in (CommandKind.CREDIT, CommandKind.DEBIT):
        values = {"asset" if name == "instrument" else name: value for name, value in values.items()}
    return values


def _value(kind: int, name: str, value: Any) -> int | str:
    """Words where a number has one; a number that has none is shown as it is."""
    if name == "text":
        return bytes(value).decode("utf-8", "backslashreplace")
    words = _STATUS.get(kind) if name == "status" else _WORDS.get(name)
    number = int(value)
    return words(number).name if words and number in set(words) else number
