"""One layout, three statements of it: the C structs, the numpy dtypes and the numbers of codes.py must agree."""
import re
from enum import IntEnum
from pathlib import Path

import numpy as np
import pytest

import engine.core
from engine import records
from engine.core import codes

CORE = Path(engine.core.__file__).parent
SIZES = {"uint8_t": 1, "uint16_t": 2, "uint32_t": 4, "int32_t": 4, "uint64_t": 8, "int64_t": 8, "char": 1}
FORMATS = {
    "uint8_t": "u1", "uint16_t": "<u2", "uint32_t": "<u4", "int32_t": "<i4", "uint64_t": "<u8", "int64_t": "<i8"}


def structs(name: str) -> dict[str, dict[str, tuple[int, str]]]:
    """struct -> field -> (offset, numpy format), with C's alignment, as written in a .pxd."""
    found = {}
    for struct, body in re.findall(r"cdef struct (\w+):.*\n((?:    .*\n|\n)+)", (CORE / name).read_text()):
        fields, offset = {}, 0
        for kind, count, field in re.findall(r"^    (\w+)(?:\[(\d+)\])? (\w+)", body, re.M):
            offset += -offset % SIZES[kind]
            fields[field] = (offset, f"|S{count}" if kind == "char" else FORMATS[kind])
            offset += SIZES[kind] * int(count or 1)
        found[struct] = fields
        bytes_of = {"OrderRecord": 168, "WalletRecord": 24, "ListRecord": 72}
        assert offset == bytes_of.get(struct, 128), f"{struct} has {offset} bytes"
    return found


SUFFIXES = ("_CODE", "_COMMAND", "_EVENT", "_REASON", "_STATUS")   # C has one namespace for all names, Python one each
TYPES = structs("types.pxd")
RESULTS = structs("records.pxd")
PAIRS = [
    (records.COMMAND, TYPES["Command"]), (records.INSTRUMENT_COMMAND, TYPES["InstrumentCommand"]),
    (records.LIMITS_COMMAND, TYPES["LimitsCommand"]), (records.CONTROL_COMMAND, TYPES["ControlCommand"]),
    (records.ASSET_COMMAND, TYPES["AssetCommand"]), (records.ACCOUNT_COMMAND, TYPES["AccountCommand"]),
    (records.EVENT, {**TYPES["TradeEvent"], **TYPES["Event"]}), (records.TOP_EVENT, TYPES["TopEvent"]),
    (records.ORDER, RESULTS["OrderRecord"]), (records.WALLET, RESULTS["WalletRecord"]),
    (records.ORDER_LIST, RESULTS["ListRecord"])]


@pytest.mark.parametrize(("dtype", "fields"), PAIRS)
def test_numpy_and_c_agree_on_every_field(dtype: np.dtype[np.void], fields: dict[str, tuple[int, str]]) -> None:
    assert dtype.fields is not None
    for name, (kind, offset) in ((name, field[:2]) for name, field in dtype.fields.items()):
        assert (offset, np.dtype(fields[name][1])) == (fields[name][0], kind), name


def test_all_records_are_as_long_as_the_core_thinks() -> None:
    assert [dtype.itemsize for dtype, _ in PAIRS] == [128] * 8 + [168, 24, 72]


def enums() -> dict[str, dict[str, int]]:
    text = (CORE / "types.pxd").read_text()
    bodies = re.findall(r"cdef enum (\w+):\n((?:    .*\n)+)", text)
    numbers = {name: re.findall(r"^    (\w+) = (\d+)", body, re.M) for name, body in bodies}
    return {name: {key: int(value) for key, value in pairs} for name, pairs in numbers.items()}


@pytest.mark.parametrize(("name", "numbers"), enums().items())
def test_codes_state_the_numbers_of_types(name: str, numbers: dict[str, int]) -> None:
    enum: type[IntEnum] = getattr(codes, name)
    renamed = {key: key.rsplit("_", 1)[0] for key in numbers.keys() - enum.__members__ if key.endswith(SUFFIXES)}
    assert {renamed.get(key, key): value for key, value in numbers.items()} == {item.name: item.value for item in enum}
