"""LOBSTER files (lobsterdata.com): what happened to one NASDAQ book, turned into the orders that would make it happen.

Promises the steps in the order of the file, one pass, no guess: an order that the file names without having shown it
is placed with all that is later taken from it. Knows files and order flow only; sockets belong to the replay's session.

Message file, one row per event: seconds, type, order id, size, price (dollars x 10,000), direction of the resting order
(1 buy, -1 sell). Types: 1 new, 2 reduced by size, 3 deleted, 4 executed, 5 hidden execution, 6 cross, 7 halt.
Order book file, one level: ask price, ask size, bid price, bid size after each event.
"""
import gzip
import zlib
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import NamedTuple, TextIO

from engine.errors import VenueError

UNITS_PER_TICK = 100       # a tick is one cent, prices are in 1/10,000 dollar
TICK_DECIMALS = 2
NEW, REDUCED, DELETED, EXECUTED = 1, 2, 3, 4
UNSEEN = {5, 6, 7}         # do not touch the visible book


class LobsterError(VenueError):
    """A file that is not what LOBSTER writes; the text names file, line and what is wrong."""


class Message(NamedTuple):
    """One row of a message file; price in 1/10,000 dollar, buy of the resting order."""

    type: int
    order_id: int
    size: int
    price: int
    buy: bool


class Action(Enum):
    """What a step asks of the venue."""

    PLACE = "place"       # limit order, good till cancelled
    TAKE = "take"         # limit order, immediate or cancel
    REDUCE = "reduce"     # to a new total quantity, keeping its priority
    CANCEL = "cancel"
    OPEN = "open"         # from here on states of the book are nobody's but ours ...
    CLOSE = "close"       # ... and the one that stands here is the next event's


class Step(NamedTuple):
    """One request to the venue, or the bounds of a span in which only the last state of the book counts."""

    action: Action
    event: int             # number of the row that caused it, from 1; 0: before the first
    client_id: str = ""    # of the order: the new one, or the one meant
    trader: int = 0        # whose order it is
    buy: bool = False
    price_ticks: int = 0
    qty_lots: int = 0      # REDUCE: the new total quantity
    maker: str = ""        # TAKE: client id of the order that was executed then

    @property
    def is_mark(self) -> bool:
        """Whether it asks for no order but bounds a span."""
        return self.action is Action.OPEN or self.action is Action.CLOSE

    @property
    def is_order(self) -> bool:
        """Whether it brings a new order."""
        return self.action is Action.PLACE or self.action is Action.TAKE


State = tuple[int, int, int, int]   # ask price, ask size, bid price, bid size; prices in 1/10,000 dollar


def read_messages(path: Path) -> list[Message]:
    """All rows of a message file (.csv or .csv.gz). Raises LobsterError."""
    rows: list[Message] = []
    for number, fields in _rows(path, 6):
        try:
            kind, order_id, size, price, direction = (int(field) for field in fields[1:])
        except ValueError:
            raise LobsterError(f"{path}, line {number}: numbers expected, found {','.join(fields)}") from None
        if kind in (NEW, REDUCED, DELETED, EXECUTED):
            _check(path, number, size, price, direction)
        elif kind not in UNSEEN:
            raise LobsterError(f"{path}, line {number}: type {kind} is unknown, types are 1 to 7")
        rows.append(Message(kind, order_id, size, price, direction == 1))
    if not rows:
        raise LobsterError(f"{path}: no events in it")
    return rows


def _check(path: Path, number: int, size: int, price: int, direction: int) -> None:
    if size <= 0 or price <= 0 or price % UNITS_PER_TICK or direction not in (1, -1):
        raise LobsterError(f"{path}, line {number}: needs a size above 0, a price in whole cents (x 10,000) and a "
                           f"direction of 1 or -1, found {size}, {price}, {direction}")


def read_states(path: Path) -> list[State]:
    """The top of book of an order book file (its first level), consecutive equal rows merged. Raises LobsterError."""
    states: list[State] = []
    for number, fields in _rows(path, 4):
        try:
            ask, ask_size, bid, bid_size = (int(field) for field in fields[:4])
        except ValueError:
            raise LobsterError(f"{path}, line {number}: numbers expected, found {','.join(fields)}") from None
        state = (ask, ask_size, bid, bid_size)
        if not states or states[-1] != state:
            states.append(state)
    return states


def _rows(path: Path, fields_min: int) -> Iterator[tuple[int, list[str]]]:
    """Numbered lines, split into at least `fields_min` columns; empty lines are passed over."""
    try:
        with _open(path) as file:
            for number, line in enumerate(file, 1):
                fields = line.strip().split(",")
                if len(fields) >= fields_min:
                    yield number, fields[:fields_min]
                elif line.strip():
                    raise LobsterError(f"{path}, line {number}: {fields_min} columns expected, found {len(fields)}")
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise LobsterError(f"{path}: cannot be read: {error}") from None


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="ascii")
    return path.open(encoding="ascii")


def trader_of(order_id: int, traders: int) -> int:
    """Whose order it is."""
    return order_id % traders


def to_steps(messages: list[Message], traders: int) -> list[Step]:
    """The requests, in order, spread over `traders` accounts so that nobody trades with himself."""
    return list(_Converter(messages, traders).steps())


class _Converter:
    """One pass over the messages, after one look ahead for orders that the file never shows being placed."""

    def __init__(self, messages: list[Message], traders: int) -> None:
        self._messages, self._traders = messages, traders
        shown = {message.order_id for message in messages if message.type == NEW}
        self._total = {message.order_id: message.size for message in messages if message.type == NEW}
        self._unshown: dict[int, Message] = {}      # id: the first row that names it
        for message in messages:
            if message.type in (REDUCED, DELETED, EXECUTED) and message.order_id not in shown:
                self._unshown.setdefault(message.order_id, message)
                self._total[message.order_id] = self._total.get(message.order_id, 0) + message.size

    def steps(self) -> Iterator[Step]:
        first = next((message.order_id for message in self._messages if message.type == NEW), 0)
        yield Step(Action.OPEN, 0)
        for order_id in sorted(order_id for order_id in self._unshown if order_id < first):
            yield self._place(0, self._unshown.pop(order_id))
        for event, message in enumerate(self._messages, 1):
            late = message.type not in UNSEEN and message.order_id in self._unshown
            if late:
                if event > 1:
                    yield Step(Action.OPEN, event)
                yield self._place(event, self._unshown.pop(message.order_id))
            if message.type not in UNSEEN:
                yield self._step(event, message)
            if late or event == 1:
                yield Step(Action.CLOSE, event)
        yield Step(Action.OPEN, len(self._messages))

    def _step(self, event: int, message: Message) -> Step:
        if message.type == NEW:
            return self._place(event, message)
        if message.type == EXECUTED:
            return self._take(event, message)
        client_id, trader = str(message.order_id), trader_of(message.order_id, self._traders)
        if message.type == DELETED:
            return Step(Action.CANCEL, event, client_id, trader)
        self._total[message.order_id] -= message.size
        return Step(Action.REDUCE, event, client_id, trader, qty_lots=self._total[message.order_id])

    def _place(self, event: int, message: Message) -> Step:
        trader = trader_of(message.order_id, self._traders)
        return Step(Action.PLACE, event, str(message.order_id), trader, message.buy, message.price // UNITS_PER_TICK,
                    self._total[message.order_id])

    def _take(self, event: int, message: Message) -> Step:
        """The aggressive order: the other side, by one of the other traders in turn."""
        shift = 1 + event % (self._traders - 1) if self._traders > 1 else 0
        trader = trader_of(message.order_id + shift, self._traders)
        return Step(Action.TAKE, event, f"x{event}", trader, not message.buy, message.price // UNITS_PER_TICK,
                    message.size, str(message.order_id))
