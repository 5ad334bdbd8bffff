"""A client's own book beside the venue's: equal whenever both are at the same update id.

The client's book after each event is kept for a moment by its update id; the venue's is asked for over REST meanwhile.
Traffic rests for half a second now and then, so that both are at the same id at least then.
"""
import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

from report import Day, same, wait_until

LEVELS = 20
KEPT = 1000
ASK_SECONDS = 0.1
FIRST_UPDATES = 10      # python-binance lays its first events over a newer snapshot and is right a few events later
Level = tuple[float, float]
Side = list[Level]
Fetch = Callable[[], Awaitable[tuple[int, Side, Side]]]


def depth_of(answer: Any) -> tuple[int, Side, Side]:
    """A depth answer in the venue's own words, all levels."""
    return (answer["lastUpdateId"], *([(float(price), float(quantity)) for price, quantity in answer[name]]
                                      for name in ("bids", "asks")))


def side(levels: Any) -> Side:
    """The best levels as numbers."""
    return [(float(level[0]), float(level[1])) for level in levels[:LEVELS]]


class BookWatch:
    """What the client saw, what was compared."""

    def __init__(self) -> None:
        self._seen: OrderedDict[int, tuple[Side, Side]] = OrderedDict()
        self.updates = self.compared = 0

    def saw(self, update_id: int, bids: Any, asks: Any) -> None:
        """The client's book after an event."""
        found = side(bids), side(asks)
        if found[0] and found[1] and found[0][0][0] >= found[1][0][0]:
            raise AssertionError(f"crossed at {update_id}: {found[0][0]} {found[1][0]}")
        self.updates += update_id not in self._seen
        if self.updates <= FIRST_UPDATES:
            return
        self._seen[update_id] = found
        while len(self._seen) > KEPT:
            self._seen.popitem(last=False)

    async def compare(self, fetch: Fetch) -> bool:
        """Ask the venue; whether the client had a book of the same id, which must be the same book."""
        update_id, bids, asks = await fetch()
        if update_id not in self._seen:
            return False
        same((update_id, *self._seen[update_id]), (update_id, side(bids), side(asks)))
        self.compared += 1
        return True


class LocalBook:
    """The book by the venue's rules, for a library that only hands events on. A hole in the update ids is an error."""

    def __init__(self, snapshot: tuple[int, Side, Side]) -> None:
        self.update_id, bids, asks = snapshot
        self._bids, self._asks = dict(bids), dict(asks)

    def apply(self, first: int, last: int, bids: Any, asks: Any) -> None:
        """One event; what the snapshot has already is passed over."""
        if last <= self.update_id:
            return
        if first > self.update_id + 1:
            raise AssertionError(f"a hole: {first} after {self.update_id}")
        for levels, changes in ((self._bids, bids), (self._asks, asks)):
            levels |= {float(price): float(quantity) for price, quantity in changes}
            for price in [price for price, quantity in levels.items() if not quantity]:
                del levels[price]
        self.update_id = last

    def bids(self) -> Side:
        """Best first."""
        return sorted(self._bids.items(), reverse=True)

    def asks(self) -> Side:
        """Best first."""
        return sorted(self._asks.items())


async def keep_in_step(day: Day, watch: BookWatch, fetch: Fetch, watching: asyncio.Task[Any]) -> None:
    """Under traffic for as long as asked; `watching` feeds the watch and must not end. Raises what it raised."""
    seconds = day.venue["seconds"]
    await day.wish(traffic=True)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        await watch.compare(fetch)
        await asyncio.sleep(ASK_SECONDS)
        if watching.done():
            break
    done = await day.wish(traffic=False)
    if not watching.done():
        await wait_until(lambda: watch.compare(fetch), "the client's book at the venue's last update")
    day.note(book={**done, "updates": watch.updates, "compared": watch.compared})
    watching.cancel()
    error = (await asyncio.gather(watching, return_exceptions=True))[0]
    if isinstance(error, Exception):
        raise error
    if watch.compared < seconds / 10 or watch.updates < seconds:
        raise AssertionError(f"only {watch.compared} comparisons, {watch.updates} updates in {seconds} s")
