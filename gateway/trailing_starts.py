"""Trailing stops that wait for their stop price, so that the gateway can say since when each follows the price.

The core tells neither the start nor the moves of one. It starts at the first trade that reaches its stop price, and
trades are told: here are the prices waited for, best first. What comes in is an order; order ids come out, each once.
"""
from collections.abc import Container
from heapq import heapify, heappop, heappush

from engine.core.codes import OrderType, Side

_SPARE = 64   # entries of ended orders that are borne before a heap is swept
_STOP_LOSSES = (int(OrderType.STOP_LOSS), int(OrderType.STOP_LOSS_LIMIT))
_BUY = int(Side.BUY)


class TrailingStarts:
    """By instrument and direction. A trade costs O(1), and O(log n) for each order that it starts.

    Orders that end before are left where they are until as many ended as wait: adding is O(log n) on average.
    """

    def __init__(self) -> None:
        self._heaps: dict[tuple[int, bool], list[tuple[int, int]]] = {}
        self._sweep_at: dict[tuple[int, bool], int] = {}

    def add(self, instrument: int, rising: bool, stop_ticks: int, order_id: int, still_open: Container[int]) -> None:
        """It waits from the next trade on; `still_open`: orders that are."""
        key = instrument, rising
        heap = self._heaps.setdefault(key, [])
        heappush(heap, (stop_ticks if rising else -stop_ticks, order_id))
        if len(heap) > self._sweep_at.get(key, _SPARE):
            heap[:] = [entry for entry in heap if entry[1] in still_open]
            heapify(heap)
            self._sweep_at[key] = 2 * len(heap) + _SPARE

    def reached(self, instrument: int, price_ticks: int) -> list[int]:
        """The orders that a trade at this price starts; some of them may have ended."""
        found: list[int] = []
        for rising in (True, False):
            heap = self._heaps.get((instrument, rising))
            limit = price_ticks if rising else -price_ticks
            while heap and heap[0][0] <= limit:
                found.append(heappop(heap)[1])
        return found


def waits_above(side: int, order_type: int) -> bool:
    """Whether a stop of this kind waits for a price at or above its own; else for one at or below."""
    return (order_type in _STOP_LOSSES) == (side == _BUY)
