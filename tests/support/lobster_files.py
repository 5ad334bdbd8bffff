"""Makes small files in the LOBSTER format from a seeded random book, with the truth beside them.

The book has all that real files have: orders that rested before the file begins, orders that are named without having
been shown, reductions, deletions, executions of part of an order, and hidden executions. The oldest order of the best
price is always the one that is executed, so a venue with price-time priority must reproduce every execution.
"""
import random
from collections.abc import Iterator
from pathlib import Path

FIRST_ID = 1000             # of the file; orders with smaller ids rested before
CENTRE, DEPTH = 5_850_000, 20       # prices in 1/10,000 dollar; how many cents away from the centre orders rest
CENT = 100
RESTED = 40


class RandomBook:
    """Orders by side and price, oldest first; rows and states grow as it is used."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.orders: dict[int, list[int]] = {}       # id: [direction, price, size], in order of arrival
        self.rows: list[str] = []
        self.states: list[str] = []
        self.unshown: set[int] = set()
        self.last_id = FIRST_ID
        for number in range(1, RESTED + 1):
            self.rest(number, *self.terms())
            self.unshown.add(number)

    def rest(self, order_id: int, direction: int, price: int, size: int) -> None:
        self.orders[order_id] = [direction, price, size]

    def terms(self) -> tuple[int, int, int]:
        """Direction, price and size of an order that will not trade at once."""
        direction = self.chance.choice((1, -1))
        best = self.best(-direction)
        nearest = CENTRE - direction * CENT if best is None else best - direction * CENT
        price = nearest - direction * CENT * self.chance.randrange(DEPTH)
        return direction, price, self.chance.randint(1, 300)

    def best(self, direction: int) -> int | None:
        prices = [price for side, price, _ in self.orders.values() if side == direction]
        return (max(prices) if direction == 1 else min(prices)) if prices else None

    def row(self, kind: int, order_id: int, size: int, price: int, direction: int) -> None:
        """Write an event, and the state after it."""
        seconds = 34200 + len(self.rows) / 1000
        self.rows.append(f"{seconds:.9f},{kind},{order_id},{size},{price},{direction}")
        self.states.append(self.state())

    def state(self) -> str:
        columns = []
        for direction, empty in ((-1, 9_999_999_999), (1, -9_999_999_999)):
            best = self.best(direction)
            size = sum(size for side, price, size in self.orders.values() if side == direction and price == best)
            columns += [empty if best is None else best, size]
        return ",".join(map(str, columns))

    def new(self) -> None:
        direction, price, size = self.terms()
        self.last_id += self.chance.randint(1, 5)
        self.rest(self.last_id, direction, price, size)
        self.row(1, self.last_id, size, price, direction)

    def take_off(self, kind: int, order_id: int, size: int) -> None:
        """Reduce (2), delete (3) or execute (4) a resting order by size."""
        order = self.orders[order_id]
        order[2] -= size
        if order[2] == 0:
            del self.orders[order_id]
            self.unshown.discard(order_id)
        self.row(kind, order_id, size, order[1], order[0])

    def execute(self) -> None:
        direction = self.chance.choice((1, -1))
        best = self.best(direction)
        order_id = next((number for number, (side, price, _) in self.orders.items()
                         if side == direction and price == best), None)
        if order_id is not None:
            self.take_off(4, order_id, self.some_of(order_id))

    def reduce(self) -> None:
        order_id = self.chance.choice(list(self.orders))
        size = self.orders[order_id][2]
        if size > 1:
            self.take_off(2, order_id, self.chance.randint(1, size - 1))

    def delete(self) -> None:
        order_id = self.chance.choice(list(self.orders))
        self.take_off(3, order_id, self.orders[order_id][2])

    def late(self) -> None:
        """An order that nobody saw being placed, alone at a new best price, is reduced, executed or deleted."""
        direction = self.chance.choice((1, -1))
        ours, theirs = self.best(direction), self.best(-direction)
        if ours is None or theirs is None or abs(theirs - ours) <= CENT:
            return
        self.last_id += 1
        self.rest(self.last_id, direction, ours + direction * CENT, self.chance.randint(2, 300))
        self.unshown.add(self.last_id)
        size = self.chance.choice((1, self.orders[self.last_id][2]))
        self.take_off(self.chance.choice((2, 4)) if size == 1 else 3, self.last_id, size)

    def some_of(self, order_id: int) -> int:
        size = self.orders[order_id][2]
        return size if self.chance.random() < 0.5 else self.chance.randint(1, size)

    def hidden(self) -> None:
        self.row(5, 0, self.chance.randint(1, 100), CENTRE + CENT // 2, 1)

    def close(self) -> None:
        """The file knows orders it never showed only by what is taken from them: take all."""
        for order_id in sorted(self.unshown):
            self.take_off(3, order_id, self.orders[order_id][2])


def write_files(folder: Path, seed: int = 7, events: int = 2000) -> tuple[Path, Path]:
    """A message file and its order book file (level 1, rows that repeat left out) in `folder`."""
    book = RandomBook(seed)
    book.new()
    kinds = (book.new, book.execute, book.reduce, book.delete, book.late, book.hidden)
    while len(book.rows) < events - len(book.unshown):
        book.chance.choices(kinds, weights=(46, 16, 8, 26, 2, 2))[0]()
    book.close()
    messages, truth = folder / "message.csv", folder / "orderbook.csv"
    messages.write_text("\n".join(book.rows) + "\n", encoding="ascii")
    truth.write_text("\n".join(without_repeats(book.states)) + "\n", encoding="ascii")
    return messages, truth


def without_repeats(states: list[str]) -> Iterator[str]:
    last = ""
    for state in states:
        if state != last:
            yield state
        last = state
