"""Stop-loss and take-profit orders in the reference: waiting orders are looked through one by one after each trade."""
from dataclasses import replace

from engine.core.codes import MAX_TICKS, Code, CommandKind, EventKind, OrderType, Side
from tests.core.command import Command
from tests.core.reference_book import Book, Order
from tests.core.reference_ledger import INT64_MAX
from tests.core.reference_limits import ReferenceLimits

MARKET_STOPS = (OrderType.STOP_LOSS, OrderType.TAKE_PROFIT)
ORDER_ID, KIND, TYPE, PRICE = 8, 0, 2, 9  # positions among the fields of an event


class ReferenceStops(ReferenceLimits):
    """A stop is an order in `open` with `armed` set, and in no side of a book."""

    arming = 0  # counts, so that equal triggers keep their order

    def _place(self, command: Command) -> None:
        if command.order_type <= OrderType.MARKET and not command.trigger_ticks and not command.trailing_bps:
            super()._place(command)
            return
        code = self._stop_refusal(command)
        if code != Code.NONE:
            self._refuse(command, code)
            return
        order = self._waiting(command, self.order_id)
        self._hold(order, self._waiting_cost(order, order.left_lots))
        self._say_accepted(order)
        self._arm(order)

    def _waiting(self, command: Command, order_id: int) -> Order:
        return Order(order_id, command.account, command.instrument, command.side, command.order_type,
                     command.time_in_force, command.price_ticks, command.qty_lots, command.qty_lots, command.text,
                     stp=command.stp, trigger_ticks=command.trigger_ticks, stop_ticks=command.trigger_ticks,
                     trailing_bps=command.trailing_bps, display_lots=command.display_lots,
                     hold_ticks=self._hold_price(command, self.books[command.instrument]))

    def _say_accepted(self, order: Order) -> None:
        self._say(EventKind.ACCEPTED, order, order.qty_lots, order.display_lots or order.qty_lots, stp=order.stp,
                  trailing=order.trailing_bps, trigger=order.stop_ticks)

    def _arm(self, order: Order) -> None:
        last = self.books[order.instrument].last_ticks
        self._queue(order)
        order.armed = True
        self.open[order.order_id] = order
        if order.trailing_bps and not order.stop_ticks:
            order.trigger_ticks = 1
            if last:
                self._start(order, last)

    def _queue(self, order: Order) -> None:
        """Behind all others at its trigger."""
        self.arming += 1
        order.armed_at = self.arming

    def _start(self, order: Order, price: int) -> None:
        self._follow_price(order, price)
        self._queue(order)

    def _follow_price(self, order: Order, price: int) -> None:
        self.arming += 1
        trigger = trailing_trigger(order.side, price, order.trailing_bps)
        order.extreme_ticks, order.trail_at = price, self.arming
        if trigger != order.trigger_ticks:
            order.trigger_ticks = trigger
            self._queue(order)

    def _trail(self, instrument: int, price: int) -> None:
        for side in Side:
            passed = [order for order in self.open.values() if order.armed and order.extreme_ticks
                      and (order.instrument, order.side) == (instrument, side)
                      and (price < order.extreme_ticks if side == Side.BUY else price > order.extreme_ticks)]
            sign = 1 if side == Side.BUY else -1
            for order in sorted(passed, key=lambda order: (sign * order.extreme_ticks, order.trail_at)):
                self._follow_price(order, price)

    def _stop_refusal(self, command: Command, *, now: bool = True) -> Code:
        plain = self._plain(command)
        shape = self._check_shape(plain)
        if (shape not in (Code.NONE, Code.EXPIRED_ALREADY, Code.BAD_ICEBERG)
                or command.order_type <= OrderType.MARKET or command.amount
                or command.order_type > OrderType.TAKE_PROFIT_LIMIT
                or (command.trigger_ticks == 0 and command.trailing_bps == 0) or command.trailing_bps > 9999):
            return Code.BAD_COMMAND
        if shape != Code.NONE:
            return shape
        for check in (self._check_parties, self._check_numbers):
            code = check(plain)
            if code not in (Code.NONE, Code.MAX_NOTIONAL, Code.PRICE_BAND, Code.TOO_MANY_ORDERS):
                return code
        limits = code
        book = self.books[command.instrument]
        at_once = command.trailing_bps and command.trigger_ticks == 0
        if not at_once and not 1 <= command.trigger_ticks <= book.terms["max_ticks"]:
            return Code.PRICE_RANGE
        if command.side == Side.BUY and self._hold_price(command, book) == 0:
            return Code.PRICE_RANGE
        if self._command_cost(command, book) > INT64_MAX:
            return Code.OVERFLOW
        mine = [order for order in self.open.values()
                if (order.account, order.instrument) == (command.account, command.instrument)]
        if limits == Code.NONE and 0 < book.limits.get("orders_max", 0) <= len(mine):
            limits = Code.TOO_MANY_ORDERS
        waiting = sum(order.armed for order in mine)
        if limits == Code.NONE and 0 < book.protection.get("stops_max", 0) <= waiting:
            limits = Code.TOO_MANY_STOPS
        return limits if limits != Code.NONE or not now else self._stop_use(command, book)

    def _stop_use(self, command: Command, book: Book) -> Code:
        if self.find(command.account, command.text):
            return Code.DUPLICATE_CLIENT_ID
        if book.last_ticks and command.trigger_ticks and reached(command, book.last_ticks):
            return Code.WOULD_TRIGGER
        if self.balance(command.account, book.pay_asset(command.side))[0] < self._command_cost(command, book):
            return Code.INSUFFICIENT_BALANCE
        return Code.CAPACITY if len(self.open) >= self.orders_max else Code.NONE

    @staticmethod
    def _plain(command: Command) -> Command:
        if command.order_type <= OrderType.MARKET:
            return replace(command, trigger_ticks=0, trailing_bps=0)
        market = command.order_type in MARKET_STOPS
        return replace(command, order_type=OrderType.MARKET if market else OrderType.LIMIT, trigger_ticks=0,
                       trailing_bps=0)

    @staticmethod
    def _hold_price(command: Command, book: Book) -> int:
        price = command.trigger_ticks or book.last_ticks
        expected = trailing_trigger(command.side, price, command.trailing_bps) if command.trailing_bps else price
        return command.price_ticks or expected

    def _command_cost(self, command: Command, book: Book) -> int:
        return book.cost(command.side, self._hold_price(command, book), command.qty_lots)

    def _waiting_cost(self, order: Order, lots: int) -> int:
        return self.books[order.instrument].cost(order.side, order.hold_ticks, lots)

    def _take_off(self, order: Order, reason: Code) -> None:
        if not order.armed:
            super()._take_off(order, reason)
            return
        self._hold(order, -self._waiting_cost(order, order.left_lots))
        order.armed = False
        del self.open[order.order_id]
        self._say(EventKind.CANCELED, order, order.left_lots, 0, code=reason)

    def _lower(self, order: Order, book: Book, lots: int) -> None:
        if not order.armed:
            super()._lower(order, book, lots)
            return
        self._hold(order, -self._waiting_cost(order, lots))
        order.left_lots -= lots
        order.qty_lots -= lots
        self._say(EventKind.REDUCED, order, order.qty_lots, order.left_lots)

    def _watch(self) -> None:
        """Trades are looked at in order; what they set off enters one after the other."""
        entering: list[Order] = []
        looked = 0
        while True:
            self._follow()
            while looked < len(self.events):
                event = self.events[looked]
                looked += 1
                if event[KIND] == EventKind.TRADE:
                    entering += self._set_off(event[5], event[PRICE])
            self._follow()
            if not entering and looked == len(self.events):
                return
            if not entering:
                continue
            self._enter(entering.pop(0))

    def _follow(self) -> None:
        """What follows for order lists."""

    def _set_off(self, instrument: int, price: int) -> list[Order]:
        self._trail(instrument, price)
        fired = []
        while True:
            orders = [order for order in self.open.values()
                      if order.armed and order.instrument == instrument and reached(order, price)]
            if not orders:
                break
            order = min(orders, key=lambda o: (0, o.trigger_ticks, o.armed_at) if rises(o) else (
                1, -o.trigger_ticks, o.armed_at))
            if order.trailing_bps and not order.extreme_ticks:
                self._start(order, price)
                continue
            order.armed = False
            fired.append(order)
            self._say(EventKind.TRIGGERED, order, order.left_lots, order.left_lots, trigger=order.trigger_ticks)
            self._fired(order)
        return fired

    def _fired(self, order: Order) -> None:
        """What follows at once from an order's being set off."""

    def _enter(self, order: Order) -> None:
        """Placed anew with its old id; its ACCEPTED is not said again, its REJECTED is a CANCELED."""
        self._hold(order, -self._waiting_cost(order, order.left_lots))
        del self.open[order.order_id]
        command = self._plain(Command(
            CommandKind.PLACE, order.account, order.instrument, order.side, order.order_type, order.time_in_force,
            order.price_ticks, order.left_lots, text=order.text, stp=order.stp, session=order.session,
            expires_ns=order.expires_ns,
            display_lots=order.display_lots if order.display_lots < order.left_lots else 0))
        mark = len(self.events)
        if order.price_ticks == 0 and order.side == Side.BUY:
            self._afford(order, command)
        self.order_id = order.order_id
        before = len(self.events)
        self._place(command)
        answer = self.events.pop(before)
        if answer[KIND] == EventKind.REJECTED:
            self._say(EventKind.CANCELED, order, order.left_lots, 0, code=Code.TRIGGER_REFUSED, flags=answer[-2])
        self._rename(order, mark)

    def _rename(self, order: Order, mark: int) -> None:
        """Its own type in its events and in the book."""
        for position, event in enumerate(self.events[mark:], mark):
            if event[ORDER_ID] == order.order_id:
                self.events[position] = (*event[:TYPE], order.order_type, *event[TYPE + 1:])
        rests = self.open.get(order.order_id)
        if rests is not None:
            rests.order_type = order.order_type

    def _afford(self, order: Order, command: Command) -> None:
        """A market BUY is lowered to what its money pays, if that is all that is wrong with it."""
        book = self.books[order.instrument]
        money = self.balance(order.account, book.pay_asset(Side.BUY))[0]
        if self._refusal(command) != Code.INSUFFICIENT_BALANCE:
            return
        lots = max((n for n in range(order.left_lots)
                    if self._plan(replace(command, qty_lots=n), book)[1] <= money), default=0)
        if lots >= book.terms["min_lots"]:
            order.left_lots = order.qty_lots = command.qty_lots = lots
            self._say(EventKind.REDUCED, order, lots, lots)


def rises(order: Order | Command) -> bool:
    """Is it set off by a price at or above its trigger?"""
    if isinstance(order, Order) and order.extreme_ticks:
        return order.side == Side.BUY
    if order.trailing_bps and not (order.stop_ticks if isinstance(order, Order) else order.trigger_ticks):
        return True
    stop = order.order_type in (OrderType.STOP_LOSS, OrderType.STOP_LOSS_LIMIT)
    return stop == (order.side == Side.BUY)


def reached(order: Order | Command, price: int) -> bool:
    return price >= order.trigger_ticks if rises(order) else price <= order.trigger_ticks


def trailing_trigger(side: int, extreme: int, bps: int) -> int:
    """That far from the extreme, rounded away from it where there is a choice."""
    if side == Side.SELL:
        return extreme * (10_000 - bps) // 10_000
    return min(-(-extreme * (10_000 + bps) // 10_000), MAX_TICKS)
