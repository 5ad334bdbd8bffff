"""The peer of the core: the fastest price-time matcher we can write in plain Python (dict, heap, deque).

Promises the same fills as the core on the flows of bench/flow.py. It keeps no balances, takes no fees, checks nothing
and reports no events, so it does less work than the core it is measured beside. A cancelled order stays in its level
with quantity 0 until a taker meets it.
"""
from collections import deque
from collections.abc import Iterable
from heapq import heappop, heappush

from bench.flow import Totals

Order = list[int]                                   # [quantity left, id]
Half = tuple[list[int], dict[int, deque[Order]]]    # heap of keys, best first, and the orders of each key
Row = tuple[int, int, int, int, int, int, int, int, int]


class PlainBook:
    """The two sides of one symbol. A key is the price on the sell side and minus the price on the buy side."""

    __slots__ = ("halves",)

    def __init__(self) -> None:
        self.halves: tuple[Half, Half] = (([], {}), ([], {}))

    def take(self, side: int, qty: int, price: int, fills: list[tuple[int, int, int]]) -> int:
        """Matches up to the price; appends (maker id, price, quantity) per fill and returns what is left."""
        heap, levels = self.halves[1 - side]
        limit = -price if side else price
        while heap and heap[0] <= limit:
            key = heap[0]
            level = levels[key]
            while level:
                order = level[0]
                left = order[0]
                if left > qty:
                    order[0] = left - qty
                    fills.append((order[1], key, qty))
                    return 0
                if left:
                    fills.append((order[1], key, left))
                    order[0] = 0
                    qty -= left
                level.popleft()
                if not qty:
                    return 0
            heappop(heap)
            del levels[key]
        return qty

    def rest(self, side: int, order: Order, price: int) -> None:
        """Puts an order behind the others of its price."""
        heap, levels = self.halves[side]
        key = price if side else -price
        level = levels.get(key)
        if level is None:
            levels[key] = deque((order,))
            heappush(heap, key)
        else:
            level.append(order)


def run(rows: Iterable[Row], symbols: int) -> Totals:
    """Runs a flow's records (as tuples, in RECORD's order) through one book per symbol."""
    books = [PlainBook() for _ in range(symbols)]
    orders: dict[int, Order] = {}
    fills: list[tuple[int, int, int]] = []
    count = volume = notional = 0
    for cancel, side, ioc, _, qty, _, order_id, price, symbol in rows:
        if cancel:
            orders.pop(order_id)[0] = 0
            continue
        book = books[symbol]
        left = book.take(side, qty, price, fills)
        if fills:
            for _, key, filled in fills:
                volume += filled
                notional += filled * abs(key)
            count += len(fills)
            fills.clear()
        if left and not ioc:
            order = orders[order_id] = [left, order_id]
            book.rest(side, order, price)
    return Totals(count, volume, notional)
