"""Looks up over REST what a crash kept from the replay: the fills of orders whose replies were lost, and lost makers.

Blocking, for a thread of its own, and rare: a window of requests per crash. The trade list is served from the ledger,
which may be a little behind, and the venue may be away once more: questions are repeated until the answer is complete
or seconds_max are over.
"""
import time
import urllib.error
import urllib.request
from typing import TypeVar

import msgspec

from buttonwood.lobster import Step, trader_of
from buttonwood.replay_score import Fill as FillTerms
from buttonwood.replay_wire import Fill, Requests, Result, lots_of, ticks_of
from engine.errors import VenueError

_PAUSE_S = 0.1
_AWAY = 500     # this HTTP status and above: try again
_T = TypeVar("_T")


class Lookup:
    """Questions to the venue's REST address."""

    def __init__(self, url: str, requests: Requests, seconds_max: float = 60.0) -> None:
        self._url, self._requests, self._seconds_max = url.rstrip("/"), requests, seconds_max

    def fills(self, trader: int, order_id: int, lots: int) -> list[FillTerms]:
        """The fills of an order that has filled `lots`. Raises VenueError."""
        give_up = time.monotonic() + self._seconds_max
        while True:
            rows = self._get(list[Fill], "myTrades", trader, orderId=order_id)
            if sum(lots_of(row.qty) for row in rows) == lots:
                return [(row.id, ticks_of(row.price), lots_of(row.qty)) for row in sorted(rows, key=lambda row: row.id)]
            if time.monotonic() > give_up:
                raise VenueError(f"{self._url}: the trades of order {order_id} are incomplete after "
                                 f"{self._seconds_max:g} s; is the ledger running?")
            time.sleep(_PAUSE_S)

    def was_maker(self, step: Step, trade_id: int, traders: int) -> bool:
        """Whether the order that this step should have hit was the maker of that trade. Raises VenueError."""
        trader = trader_of(int(step.maker), traders)
        rows = self._get(list[Fill], "myTrades", trader, fromId=trade_id, limit=1)
        if not rows or rows[0].id != trade_id or not rows[0].is_maker:
            return False
        order = self._get(Result, "order", trader, origClientOrderId=step.maker)
        return order.order_id == rows[0].order_id

    def _get(self, kind: type[_T], route: str, trader: int, **params: object) -> _T:
        give_up = time.monotonic() + self._seconds_max
        while True:
            query, headers = self._requests.query(trader, time.time_ns() // 1_000_000, **params)
            request = urllib.request.Request(f"{self._url}/api/v3/{route}?{query}", headers=headers)
            try:
                with urllib.request.urlopen(request, timeout=self._seconds_max) as answer:
                    return msgspec.json.decode(answer.read(), type=kind)
            except (OSError, msgspec.DecodeError) as error:
                problem = _words(error)
                if _is_refusal(error) or time.monotonic() > give_up:
                    raise VenueError(f"{self._url}/api/v3/{route}: {problem}") from None
            time.sleep(_PAUSE_S)


def _is_refusal(error: Exception) -> bool:
    """An answer that will not be another one later."""
    return isinstance(error, urllib.error.HTTPError) and error.code < _AWAY


def _words(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"{error.code} {error.read().decode(errors='replace')}"
    return str(error)
