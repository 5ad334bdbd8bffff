"""The seeded order flows W1 (mixed), W2 (heavy matching) and W3 (1024 symbols), also as commands of the core.

Promises equal bytes: make_flow() checks the SHA-256 of the file and what the flow fills, and refuses anything else.
Only making input may go in; measuring is the business of the benches.

File: a header of 16 bytes {u64 magic, u32 version 1, u32 count}, then records of 40 bytes (RECORD), little endian.
"""
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.native import load_native
from engine.core.codes import FIRST_USER_ACCOUNT, CommandKind, OrderType, TimeInForce
from engine.records import COMMAND

MAGIC = 0x4D4542575F303031
HEADER = np.dtype([("magic", "<u8"), ("version", "<u4"), ("count", "<u4")])
RECORD = np.dtype([
    ("cancel", "u1"), ("side", "u1"), ("ioc", "u1"), ("reserved", "u1"), ("qty", "<u4"), ("seq", "<u8"), ("id", "<u8"),
    ("price", "<i8"), ("symbol", "<i8")])
COMMANDS = 2_000_000
ACCOUNTS = 10_000


@dataclass(frozen=True)
class Totals:
    """What a flow fills: number of fills, sum of quantities, sum of quantity x price of the maker."""

    fills: int
    volume: int
    notional: int


@dataclass(frozen=True)
class Recipe:
    """The parameters of one flow, and what must come out of it."""

    parameters: dict[str, int]
    totals: Totals
    sha256: str


@dataclass(frozen=True)
class Flow:
    """One flow: records as in the file, number of symbols (ids 0 to symbols - 1), and what it fills."""

    records: np.ndarray
    symbols: int
    totals: Totals


def _parameters(seed: int, symbols: int, depth: int, ioc: int, cancel: int, half_life: int, sizes: tuple[int, int],
                far_ticks: int = 0) -> dict[str, int]:
    return {"seed": seed, "symbols": symbols, "depth": depth, "percent_ioc": ioc, "percent_cancel": cancel,
            "half_life": half_life, "passive_qty": sizes[0], "ioc_qty": sizes[1], "far_ticks": far_ticks}


RECIPES = {
    "W1": Recipe(_parameters(1, 1, 4000, 10, 45, 8, (100, 100)), Totals(528_561, 13_532_552, 452_214_576_165),
                 "406c9f1b0ddc0ede0519c9ba0ef62df0628b15f226bc098e12f776d8bba8651f"),
    "W2": Recipe(_parameters(2, 1, 4000, 45, 5, 4, (20, 22), 200), Totals(1_829_813, 10_533_536, 353_493_152_993),
                 "b0f717d09d304a5e0ec58561bf16246ff43acaaf49667a71f5a09a86ed8b745f"),
    "W3": Recipe(_parameters(3, 1024, 64, 10, 45, 8, (100, 100)), Totals(348_073, 9_227_206, 309_147_003_506),
                 "ddc3ddaa1393bc6c7eed0e01f2f0654b1b01f83a3dc3950fe5f13602156a8a75"),
}


def make_flow(name: str, commands: int = COMMANDS) -> Flow:
    """Makes W1, W2 or W3. A whole flow (2,000,000 commands) is checked against its sum; a shorter one is its prefix."""
    recipe = RECIPES[name]
    generator = load_native("_flow").Flow(**recipe.parameters)
    records = np.zeros(commands, RECORD)
    generator.run(records)
    totals = Totals(generator.fills, generator.volume, generator.notional)
    if commands == COMMANDS and (totals != recipe.totals or file_sum(records) != recipe.sha256):
        raise ValueError(f"{name} came out wrong: {totals}, sha256 {file_sum(records)}; bench/_flow.pyx has changed")
    return Flow(records, recipe.parameters["symbols"], totals)


def header(records: np.ndarray) -> bytes:
    """The first 16 bytes of the file."""
    return np.array([(MAGIC, 1, len(records))], HEADER).tobytes()


def file_sum(records: np.ndarray) -> str:
    """SHA-256 of the file that write() would write."""
    digest = hashlib.sha256(header(records))
    digest.update(records.view(np.uint8).data)
    return digest.hexdigest()


def write(records: np.ndarray, path: Path) -> None:
    """Writes the file, for engines outside this repository."""
    with path.open("wb") as file:
        file.write(header(records))
        records.tofile(file)


def to_commands(records: np.ndarray, *, with_text: bool = True) -> np.ndarray:
    """The flow as COMMAND records: the order of id n belongs to account n % 10,000 and carries n as client order id.

    Cancels name the client id; with_text=False leaves the ids out, then cancels must be told order_id and slot.
    """
    commands = np.zeros(len(records), COMMAND)
    commands["kind"] = np.where(records["cancel"], CommandKind.CANCEL, CommandKind.PLACE)
    commands["side"] = records["side"]
    commands["order_type"] = OrderType.LIMIT
    commands["time_in_force"] = np.where(records["ioc"], TimeInForce.IOC, TimeInForce.GTC)
    commands["account"] = FIRST_USER_ACCOUNT + records["id"] % ACCOUNTS
    commands["instrument"] = records["symbol"] + 1
    commands["price_ticks"] = records["price"]
    commands["qty_lots"] = records["qty"]
    if with_text:
        commands["text"] = records["id"].astype("S20")
    return commands
