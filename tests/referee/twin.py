"""A book in fifty lines of plain Python that answers the referee's messages: the judge of random messages."""
from dataclasses import dataclass, field

from tests.referee.library import (
    ACK,
    BUY,
    CANCEL_ACK,
    CANCEL_REJECT,
    MODIFY_ACK,
    MODIFY_REJECT,
    SELL,
    TRADE,
    Report,
)


@dataclass
class Resting:
    order_id: int
    side: int
    price: int
    qty: int


@dataclass
class Twin:
    """Resting orders in order of time; the best maker is searched for anew each time."""

    orders: list[Resting] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    sequence: int = 0

    def new(self, order_id: int, side: int, qty: int, price: int, immediate: bool = False) -> None:
        self.sequence += 1
        self._enter(ACK, Resting(order_id, side, price, qty), immediate)

    def cancel(self, order_id: int) -> None:
        self.sequence += 1
        order = self._take(order_id)
        self._say(*((CANCEL_ACK, order) if order else (CANCEL_REJECT, Resting(order_id, 0, 0, 0))))

    def modify(self, order_id: int, side: int, qty: int, price: int) -> None:
        self.sequence += 1
        if self._take(order_id):
            self._enter(MODIFY_ACK, Resting(order_id, side, price, qty), False)
        else:
            self._say(MODIFY_REJECT, Resting(order_id, 0, 0, 0))

    def book(self) -> tuple[int, int]:
        return (max((order.price for order in self.orders if order.side == BUY), default=-2**63),
                min((order.price for order in self.orders if order.side == SELL), default=2**63 - 1))

    def depth(self, price: int, side: int) -> int:
        return sum(order.qty for order in self.orders if (order.price, order.side) == (price, side))

    def _enter(self, kind: int, taker: Resting, immediate: bool) -> None:
        self._say(kind, taker)
        while taker.qty and (maker := self._maker(taker)):
            lots = min(taker.qty, maker.qty)
            taker.qty -= lots
            maker.qty -= lots
            self.reports.append(Report(TRADE, self.sequence, price=maker.price, qty=lots, maker=maker.order_id,
                                       taker=taker.order_id))
            if not maker.qty:
                self.orders.remove(maker)
        if taker.qty and immediate:
            self._say(CANCEL_ACK, taker)
        elif taker.qty:
            self.orders.append(taker)

    def _maker(self, taker: Resting) -> Resting | None:
        sign = 1 if taker.side == BUY else -1
        against = [order for order in self.orders
                   if order.side != taker.side and sign * order.price <= sign * taker.price]
        return min(against, key=lambda order: sign * order.price, default=None)  # min() keeps the first in time

    def _take(self, order_id: int) -> Resting | None:
        for order in self.orders:
            if order.order_id == order_id:
                self.orders.remove(order)
                return order
        return None

    def _say(self, kind: int, order: Resting) -> None:
        self.reports.append(Report(kind, self.sequence, order.order_id, order.side, order.price, order.qty))
