"""Assets, instruments and accounts as rows of their tables, from the commands that the core has accepted."""
from typing import Any

import numpy as np

from engine.core.codes import CommandKind, EventKind
from engine.records import ACCOUNT_COMMAND, ASSET_COMMAND, COMMAND, EVENT, INSTRUMENT_COMMAND, RECORD_BYTES

Row = tuple[int | str, ...]
_LAYOUTS = {
    CommandKind.ASSET: ("asset", ASSET_COMMAND, ("asset", "text", "scale")),
    CommandKind.INSTRUMENT: ("instrument", INSTRUMENT_COMMAND, (
        "instrument", "text", "status", "base_asset", "quote_asset", "lot_value", "tick_value", "min_lots", "max_lots",
        "max_ticks", "min_notional", "maker_fee_ppm", "taker_fee_ppm")),
    CommandKind.ACCOUNT: ("account", ACCOUNT_COMMAND, ("account", "status", "text")),
}
_KINDS = bytes(_LAYOUTS)


def configures(commands: memoryview) -> bool:
    """Whether one of these commands is of such a kind; cheap, most frames have none."""
    kinds = bytes(commands[::RECORD_BYTES])
    return any(kind in kinds for kind in _KINDS)


def configuration_rows(commands: memoryview, events: memoryview) -> list[tuple[str, Row]]:
    """(table, row) of each accepted command, in their order; row[0] is the key, later rows replace earlier ones."""
    results = np.frombuffer(events, EVENT)
    accepted = set(results["seq"][results["kind"] == EventKind.CONFIGURED].tolist())
    rows = []
    for place, common in enumerate(np.frombuffer(commands, COMMAND)[["kind", "seq"]]):
        if common["kind"] in _LAYOUTS and int(common["seq"]) in accepted:
            table, layout, fields = _LAYOUTS[CommandKind(common["kind"])]
            record = np.frombuffer(commands, layout)[place]
            rows.append((table, tuple(_value(record[field]) for field in fields)))
    return rows


def _value(value: Any) -> int | str:
    """Text may be any bytes; what is not UTF-8, and NUL, which Postgres refuses, becomes an escape."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace").replace("\0", "\\x00")
    return int(value)
