"""Does a command cost the same in a large exchange, and does growing ever make a batch wait?

A level exchange: `orders` rest, at 64 prices a side of each instrument, of 10,000 accounts. Then each pair of commands
cancels one drawn by lot and places another, so their number stays. While the first ones come to rest every capacity
doubles from its start to its end: the slowest batch of PAUSE_BATCH commands, in CPU time of this thread, tells the
worst pause. An order placed takes the slot of the one canceled before it, and its account and instrument follow from
the slot, so cancels need no answers.
"""
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.core.batch import Batch
from engine.core.codes import FIRST_USER_ACCOUNT, CommandKind, EventKind
from engine.core.exchange import Exchange
from engine.records import COMMAND, EVENT, RECORD_BYTES

ACCOUNTS = 10_000
MID_TICKS, PRICES = 33_504, 64
QUOTE, BASE = 1, 2
OPENING = 2**62 // ACCOUNTS
LOAD_ROWS = 1 << 18
PAUSE_BATCH = 64
CHUNK_COMMANDS = 2048


@dataclass(frozen=True)
class Cost:
    """Nanoseconds of CPU per command while the number of orders stays; microseconds of the slowest batch before."""

    command_ns: float
    pause_us: float


def cost(orders: int, instruments: int, commands: int, *, sized: bool = False) -> Cost:
    """Fills a fresh exchange and changes orders of it with `commands`.

    Its capacities start at their defaults, or with `sized` there is room for all of it from the start.
    """
    exchange, rng = _exchange(orders, instruments, sized), np.random.default_rng(orders + instruments)
    exchange.apply(_opening(instruments))
    first, pause_ns = exchange.seq + 1, 0
    for start in range(0, orders, LOAD_ROWS):
        slots = np.arange(start, min(start + LOAD_ROWS, orders))
        pause_ns = max(pause_ns, _slowest_ns(exchange, _places(slots, instruments, rng, first + slots)))
    changes = list(_cut(_changes(orders, instruments, commands, rng, first), CHUNK_COMMANDS))
    started = time.thread_time_ns()
    for chunk in changes:
        events = exchange.apply(chunk)
    elapsed = time.thread_time_ns() - started
    kinds = np.frombuffer(events, EVENT)["kind"]
    assert np.isin(kinds, (EventKind.ACCEPTED, EventKind.CANCELED)).all(), "a command of the flow was refused"
    return Cost(elapsed / commands, pause_ns / 1000)


def _exchange(orders: int, instruments: int, sized: bool) -> Exchange:
    exchange = Exchange()
    if sized:
        exchange.reserve(orders=orders, wallets=4 * ACCOUNTS, accounts=2 * ACCOUNTS, instruments=instruments,
                         leaves=8 * instruments, events=CHUNK_COMMANDS * 2)
    return exchange


def _opening(instruments: int) -> Batch:
    batch = Batch()
    batch.asset(QUOTE, 8, "QUOTE")
    batch.asset(BASE, 8, "BASE")
    for instrument in range(1, instruments + 1):
        batch.instrument(instrument, text=f"S{instrument}", base_asset=BASE, quote_asset=QUOTE, lot_value=1,
                         tick_value=1)
    for account in range(FIRST_USER_ACCOUNT, FIRST_USER_ACCOUNT + ACCOUNTS):
        batch.account(account)
        batch.credit(account, QUOTE, OPENING)
        batch.credit(account, BASE, OPENING)
    batch.stamp(1, 1)
    return batch


def _owned(rows: np.ndarray, slots: np.ndarray, instruments: int) -> None:
    rows["account"] = FIRST_USER_ACCOUNT + slots % ACCOUNTS
    rows["instrument"] = 1 + slots * 7919 % instruments


def _places(slots: np.ndarray, instruments: int, rng: np.random.Generator, seqs: np.ndarray) -> np.ndarray:
    """Orders that never meet: below the middle to buy, above it to sell."""
    rows = np.zeros(len(slots), COMMAND)
    _owned(rows, slots, instruments)
    rows["kind"], rows["qty_lots"] = CommandKind.PLACE, 5
    rows["side"] = rng.integers(0, 2, len(slots))
    rows["price_ticks"] = MID_TICKS + np.where(rows["side"], 1, -1) * rng.integers(1, PRICES + 1, len(slots))
    rows["seq"] = rows["time_ns"] = seqs
    rows["text"] = seqs.astype("S20")
    return rows


def _changes(orders: int, instruments: int, commands: int, rng: np.random.Generator, first: int) -> np.ndarray:
    """Cancel, place, cancel, place: through all slots in an order drawn by lot, again and again."""
    turns = np.arange(commands // 2)
    slots = rng.permutation(orders)[turns % orders]
    seqs = first + orders + 2 * turns
    rows = np.zeros(len(turns) * 2, COMMAND)
    rows[1::2] = _places(slots, instruments, rng, seqs + 1)
    cancels = rows[0::2]
    _owned(cancels, slots, instruments)
    cancels["kind"], cancels["slot"] = CommandKind.CANCEL, slots + 1
    cancels["order_id"] = np.where(turns < orders, first + slots, seqs - 2 * orders + 1)
    cancels["seq"] = cancels["time_ns"] = seqs
    return rows


def _slowest_ns(exchange: Exchange, rows: np.ndarray) -> int:
    slowest = 0
    for chunk in _cut(rows, PAUSE_BATCH):
        started = time.thread_time_ns()
        exchange.apply(chunk)
        slowest = max(slowest, time.thread_time_ns() - started)
    return slowest


def _cut(rows: np.ndarray, size: int) -> Iterator[memoryview]:
    data = rows.view(np.uint8).data
    for start in range(0, len(data), size * RECORD_BYTES):
        yield data[start:start + size * RECORD_BYTES]
