"""Looking ahead changes nothing and reads nothing that is not there, however wild the commands and whatever moves.

Applied as one batch, where each command is looked at while those before it make tables grow, and one by one, where none
is: equal events, equal hash. Enough instruments, or orders, that all four looks are taken; the sanitizers run this too.
"""
import numpy as np
import pytest

from engine.core.batch import Batch
from engine.core.codes import MAX_TICKS, CommandKind, EventKind
from engine.core.exchange import Exchange
from engine.records import COMMAND, EVENT
from tests.core.story import TINY

INT64 = np.iinfo(np.int64)
UINT32_MAX = 2**32 - 1
INSTRUMENTS, ACCOUNTS = 20, 12      # more instruments than the looks leave to the nearer caches
MORE = 30                           # instruments and accounts that are made on the way
WILD_PRICES = (INT64.min, INT64.min + 1, -1, 0, 1, 63, 64, 4096, MAX_TICKS, MAX_TICKS + 1, INT64.max)


def settings(rows: range) -> Batch:
    """An instrument and a funded account for each number."""
    batch = Batch()
    for number in rows:
        batch.instrument(number, text=f"S{number}", base_asset=1, quote_asset=2, lot_value=1, tick_value=1)
        batch.account(number + 1)
        batch.credit(number + 1, 1, 10**9)
        batch.credit(number + 1, 2, 10**15)
    return batch


def opening(instruments: int) -> np.ndarray:
    batch = Batch()
    batch.asset(1, 8, "B")
    batch.asset(2, 8, "Q")
    both = bytes(batch) + bytes(settings(range(1, instruments + 1)))
    return np.frombuffer(both, COMMAND).copy()


def orders(rng: np.random.Generator, count: int, instruments: int) -> np.ndarray:
    """Places and cancels by name or by a guess at (order_id, slot), most of them sensible."""
    rows = np.zeros(count, COMMAND)
    rows["kind"] = rng.choice([CommandKind.PLACE] * 3 + [CommandKind.CANCEL] * 2, count)
    rows["side"], rows["time_in_force"] = rng.integers(0, 2, count), rng.integers(0, 2, count)
    rows["account"] = rng.integers(2, ACCOUNTS + 2, count)
    rows["instrument"] = rng.integers(1, instruments + 1, count)
    rows["price_ticks"] = rng.choice([100, 101, 6400, 500_000, 2**40], count) + rng.integers(0, 5, count)
    rows["qty_lots"] = rng.integers(1, 9, count)
    rows["text"] = rng.integers(0, 60, count).astype("S3")
    guessed = rng.random(count) < 0.3
    rows["slot"] = np.where(guessed, rng.integers(0, count, count), 0)
    rows["order_id"] = np.where(guessed, rng.integers(1, count + 1, count), 0)
    return rows


def wild(rng: np.random.Generator, rows: np.ndarray) -> np.ndarray:
    """One command in five names what is not there."""
    for field, values in (("price_ticks", WILD_PRICES), ("slot", (UINT32_MAX, 10**6)), ("side", (2, 255)),
                          ("account", (0, UINT32_MAX, 2**24)), ("instrument", (0, UINT32_MAX, 2**20)),
                          ("qty_lots", (INT64.min, 0, INT64.max)), ("kind", (0, 77, 255))):
        places = np.flatnonzero(rng.random(len(rows)) < 0.03)
        rows[field][places] = rng.choice(np.array(values, rows.dtype[field]), len(places))
    return rows


def agree(first: np.ndarray, rows: np.ndarray, size: int = 10**6) -> None:
    """After the opening: `size` commands a batch, and one by one. How far to look is decided as a batch begins."""
    batched, single = Exchange(**TINY), Exchange(**TINY)
    whole = np.concatenate([first, rows])
    whole["seq"] = whole["time_ns"] = np.arange(1, len(whole) + 1)
    for each in (batched, single):
        each.apply(whole[:len(first)].tobytes())
    rows = whole[len(first):]
    told = b"".join(bytes(batched.apply(rows[at:at + size].tobytes())) for at in range(0, len(rows), size))
    one_by_one = b"".join(bytes(single.apply(row.tobytes())) for row in rows)
    assert told == one_by_one and batched.state_hash() == single.state_hash()
    kinds = set(np.frombuffer(told, EVENT)["kind"].tolist())
    assert kinds >= {EventKind.ACCEPTED, EventKind.TRADE, EventKind.CANCELED, EventKind.REJECTED}, "too little happens"
    batched.check()


@pytest.mark.parametrize("seed", range(6))
def test_a_batch_of_many_instruments_is_what_its_commands_are(seed: int) -> None:
    """Instruments and accounts come on the way, so that their tables move between two looks at a command."""
    rng = np.random.default_rng(seed)
    parts = []
    for number in range(INSTRUMENTS + 1, INSTRUMENTS + MORE):
        parts.append(wild(rng, orders(rng, int(rng.integers(1, 60)), number)))
        parts.append(np.frombuffer(bytes(settings(range(number, number + 1))), COMMAND))
    agree(opening(INSTRUMENTS), np.concatenate(parts))


@pytest.mark.parametrize("size", [2, 3, 7, 13, 14, 17])
def test_batches_shorter_than_the_looks_reach(size: int) -> None:
    rng = np.random.default_rng(size)
    agree(opening(INSTRUMENTS), wild(rng, orders(rng, 600, INSTRUMENTS)), size)


def test_many_orders_of_one_instrument() -> None:
    """More slots than the looks leave to the nearer caches, before and in the batch."""
    rng = np.random.default_rng(9)
    resting = orders(rng, 9_000, 1)
    resting["kind"], resting["time_in_force"] = CommandKind.PLACE, 0
    resting["side"], resting["slot"], resting["order_id"] = 0, 0, 0
    resting["text"] = np.arange(len(resting)).astype("S6")
    agree(np.concatenate([opening(ACCOUNTS), resting]), wild(rng, orders(rng, 4_000, 1)))
