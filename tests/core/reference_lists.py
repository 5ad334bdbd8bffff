"""Order lists in the reference: what happened to legs is noted and followed up after the command, list by list."""
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from engine.core.codes import Code, CommandKind, EventKind, ListType, OrderType, Side
from tests.core.command import Command
from tests.core.reference import Reference
from tests.core.reference_book import Book, Order, crosses, padded
from tests.core.reference_stops import KIND, ORDER_ID, ReferenceStops, reached

STOPS = (OrderType.STOP_LOSS, OrderType.STOP_LOSS_LIMIT)
LIMITS = (OrderType.LIMIT, OrderType.LIMIT_MAKER)
EXECUTING, ALL_DONE = 1, 2


@dataclass
class OrderList:
    """`open` are the order_ids of legs that live; a pair is two of which one will do."""

    list_id: int
    account: int
    instrument: int
    kind: int
    text: bytes
    legs: int
    side: int
    open: list[int] = field(default_factory=list)
    stage: str = "working"
    excess: int = 0
    acted: list[int] = field(default_factory=list)
    filled: list[int] = field(default_factory=list)
    canceled: list[int] = field(default_factory=list)

    @property
    def pair(self) -> tuple[int, int]:
        return self.list_id + self.legs - 1, self.list_id + self.legs


class ReferenceLists(ReferenceStops):
    """Stops and order lists."""

    def __init__(self, *, top_events: bool = False, orders_max: int = 2**26) -> None:
        super().__init__(top_events=top_events, orders_max=orders_max)
        self.lists: dict[int, OrderList] = {}
        self.gathered: list[tuple[int, Command]] = []
        self.touched: list[OrderList] = []

    def _handlers(self) -> dict[CommandKind, Callable[[Command], None]]:
        return super()._handlers() | {CommandKind.PLACE_LIST: self._begin, CommandKind.CANCEL_LIST: self._cancel_list}

    def _begin(self, command: Command) -> None:
        self.gathered = [(self.seq, command)]

    def _gathers(self, command: Command) -> bool:
        if not self.gathered:
            return False
        self.gathered.append((self.seq, command))
        header = self.gathered[0][1]
        if command.kind != CommandKind.PLACE:
            self._refuse(replace(header, order_id=0), Code.BAD_LIST)
            self.gathered = []
            return False
        if len(self.gathered) == (4 if header.mode == ListType.OTOCO else 3):
            commands, self.gathered = self.gathered, []
            self._place_list(commands)
        return True

    def _place_list(self, commands: list[tuple[int, Command]]) -> None:
        (list_id, header), legs = commands[0], commands[1:]
        code, about = self._list_code(header, [leg for _, leg in legs]), 0
        for seq, leg in legs:
            if code == Code.NONE:
                code, about = self._leg_refusal(header, leg, seq, first=seq == legs[0][0])
        if code != Code.NONE:
            self._refuse(replace(header, order_id=about), code)
            return
        group = OrderList(list_id, header.account, header.instrument, header.mode, header.text, len(legs),
                          legs[-1][1].side)
        self.lists[list_id] = group
        for seq, leg in legs:
            order = self._waiting(leg, seq)
            order.pending, order.funded = True, False
            self.open[seq] = order
            group.open.append(seq)
            self._about(leg)
            self._say_accepted(order)
            self._note_placed(leg, seq)
        self._tell(group, EXECUTING)
        if header.mode == ListType.OCO:
            self._start_pair(group)
        else:
            self._enter(self.open[group.open[0]])

    def _leg_refusal(self, header: Command, leg: Command, seq: int, *, first: bool) -> tuple[Code, int]:
        """And the order_id that goes with it."""
        return self._leg_code(header, leg, first=first), seq

    def _note_placed(self, command: Command, order_id: int) -> None:
        """The order was accepted."""

    def _about(self, command: Command) -> None:
        """The order told next comes from that command."""

    def _list_code(self, header: Command, legs: list[Command]) -> Code:
        foreign = [leg for leg in legs if (leg.account, leg.instrument) != (header.account, header.instrument)]
        bad = header.mode > ListType.OTOCO or foreign or any(leg.amount for leg in legs)
        bad = bad or (header.mode != ListType.OCO and legs[0].order_type not in LIMITS)
        if bad or (header.mode != ListType.OTO and not is_pair(legs[-2], legs[-1])):
            return Code.BAD_LIST
        code = self._check_parties(header)
        if code != Code.NONE:
            return code
        texts = [leg.text for leg in legs if leg.text]
        if self._named(header) or len(set(texts)) < len(texts):
            return Code.DUPLICATE_CLIENT_ID
        mine = [order for order in self.open.values()
                if (order.account, order.instrument) == (header.account, header.instrument)]
        if 0 < self.books[header.instrument].limits.get("orders_max", 0) < len(mine) + len(legs):
            return Code.TOO_MANY_ORDERS
        stops = sum(leg.order_type > OrderType.MARKET for leg in legs)
        waiting = sum(order.armed for order in mine)
        if stops and 0 < self.books[header.instrument].protection.get("stops_max", 0) < waiting + stops:
            return Code.TOO_MANY_STOPS
        return Code.CAPACITY if len(self.open) + len(legs) > self.orders_max else Code.NONE

    def _leg_code(self, header: Command, leg: Command, *, first: bool) -> Code:
        now = header.mode == ListType.OCO or first
        if self.find(leg.account, leg.text):
            return Code.DUPLICATE_CLIENT_ID
        if leg.order_type > OrderType.MARKET:
            return self._stop_refusal(leg, now=now)
        if leg.trigger_ticks or leg.trailing_bps:
            return Code.BAD_LIST
        last = self.books[leg.instrument].last_ticks
        worse = leg.price_ticks >= last if leg.side == Side.BUY else leg.price_ticks <= last
        if header.mode == ListType.OCO and last and worse:
            return Code.BAD_LIST
        if now:
            return self._refusal(leg)
        code = self._check_shape(leg)
        return code if code != Code.NONE else Reference._check_numbers(self, leg)

    def _named(self, command: Command) -> OrderList | None:
        if not command.text:
            return None
        return next((group for group in self.lists.values() if group.text == command.text and (
            group.account, group.instrument) == (command.account, command.instrument)), None)

    def _cancel_list(self, command: Command) -> None:
        group = self.lists.get(command.order_id) if command.order_id else self._named(command)
        if group is None or (group.account, group.instrument) != (command.account, command.instrument):
            self._refuse(command, Code.UNKNOWN_ORDER)
            return
        self._end(group, Code.REQUESTED)

    def _tell(self, group: OrderList, status: int) -> None:
        self.events.append((
            EventKind.LIST, 0, group.kind, 0, group.account, group.instrument, self.seq, self.time_ns, group.list_id, 0,
            group.legs, len(group.open), padded(group.text), 0, 0, 0, 0, 0, 0, 0, status))

    def _group(self, order_id: int) -> OrderList | None:
        return next((group for group in self.lists.values() if order_id in group.open), None)

    def _note(self, order_id: int, what: str) -> None:
        group = self._group(order_id)
        if group is None:
            return
        getattr(group, what).append(order_id)
        if what != "acted":
            group.open.remove(order_id)
        if group not in self.touched:
            self.touched.append(group)

    def _trade(self, taker: Order, maker: Order, book: Book, lots: int, by_amount: bool) -> int:
        paid = super()._trade(taker, maker, book, lots, by_amount)
        self._note(maker.order_id, "acted")
        if maker.left_lots == 0:
            self._note(maker.order_id, "filled")
        return paid

    def _cross(self, book: Book, taker: Order, maker: Order, lots: int, price: int) -> None:
        super()._cross(book, taker, maker, lots, price)
        for order in (taker, maker):
            self._note(order.order_id, "acted")
            if order.left_lots == 0:
                self._note(order.order_id, "filled")

    def _take_off(self, order: Order, reason: Code) -> None:
        if order.pending:
            del self.open[order.order_id]
            self._say(EventKind.CANCELED, order, order.left_lots, 0, code=reason)
        else:
            super()._take_off(order, reason)
        self._note(order.order_id, "canceled")

    def _lower(self, order: Order, book: Book, lots: int) -> None:
        group = self._group(order.order_id)
        paired = group and (group.stage == "pair" or (group.stage == "working" and group.kind == ListType.OTOCO))
        if group is None or not paired or order.order_id not in group.pair:
            self._lower_one(order, book, lots)
            return
        for order_id in group.pair:
            self._lower_one(self.open[order_id], book, lots)
        if group.stage == "pair":
            self._keep(group, self._excess(group))

    def _lower_one(self, order: Order, book: Book, lots: int) -> None:
        if not order.pending:
            super()._lower(order, book, lots)
            return
        order.left_lots -= lots
        order.qty_lots -= lots
        self._say(EventKind.REDUCED, order, order.qty_lots, order.left_lots)

    def _fired(self, order: Order) -> None:
        self._note(order.order_id, "acted")
        self._follow()

    def _enter(self, order: Order) -> None:
        before = len(self.events)
        super()._enter(order)
        if order.order_id not in self.open:
            ended = any(event[KIND] == EventKind.CANCELED and event[ORDER_ID] == order.order_id
                        for event in self.events[before:])
            self._note(order.order_id, "canceled" if ended else "filled")

    def _follow(self) -> None:
        while self.touched:
            group = self.touched.pop(0)
            if group.list_id in self.lists:
                self._step(group)

    def _step(self, group: OrderList) -> None:
        if group.stage == "working" and group.list_id + 1 in group.filled:
            group.stage = "single"
            self._activate(group)
        elif group.stage == "working" and group.canceled:
            group.stage = "single"
            self._end(group, Code.LIST_DONE)
        elif group.stage == "pair" and (group.acted or group.filled or group.canceled):
            self._split(group)
        group.acted = []
        if not group.open:
            self._tell(group, ALL_DONE)
            del self.lists[group.list_id]

    def _split(self, group: OrderList) -> None:
        group.stage = "single"
        kept = next((order_id for order_id in group.pair if order_id in group.acted and order_id in group.open), 0)
        self._keep(group, 0)
        self._end(group, Code.LIST_DONE, but=kept)
        if kept and not self.open[kept].funded:
            self._fund(self.open[kept])

    def _end(self, group: OrderList, reason: Code, *, but: int = 0, flags: int = 0) -> None:
        for order_id in [order_id for order_id in group.open if order_id != but]:
            self._take_off(self.open[order_id], reason)
            self.events[-1] = (*self.events[-1][:-1], flags)

    def _activate(self, group: OrderList) -> None:
        if not group.open:
            return
        if group.canceled:
            self._end(group, Code.LIST_DONE)
            return
        order = self.open[group.open[0]]
        if group.kind == ListType.OTOCO:
            code = self._start_pair(group)
        elif order.order_type <= OrderType.MARKET:
            self._say(EventKind.TRIGGERED, order, order.left_lots, order.left_lots)
            self._enter(order)
            return
        else:
            code = self._now(order)
            if code == Code.NONE:
                self._fund(order)
                order.pending = False
                self._arm(order)
        if code != Code.NONE:
            self._end(group, Code.TRIGGER_REFUSED, flags=code)

    def _start_pair(self, group: OrderList) -> Code:
        orders = [self.open[order_id] for order_id in group.pair]
        for order in orders:
            code = self._now(order)
            if code != Code.NONE:
                return code
        group.stage = "pair"
        makers = [order for order in orders if order.order_type == OrderType.LIMIT_MAKER]
        holder = makers[0] if makers else orders[0]
        for order in orders:
            if order not in makers:
                if order is holder:
                    self._fund(order)
                order.pending = False
                self._arm(order)
        if makers:
            if group.kind != ListType.OCO:
                self._say(EventKind.TRIGGERED, holder, holder.left_lots, holder.left_lots)
            self._enter(holder)
        if holder.order_id in group.open:
            self._keep(group, self._excess(group))
        return Code.NONE

    def _now(self, order: Order) -> Code:
        """Would it be placed at this moment?"""
        command = Command(CommandKind.PLACE, order.account, order.instrument, order.side, order.order_type,
                          order.time_in_force, order.price_ticks, order.left_lots, stp=order.stp,
                          trigger_ticks=order.trigger_ticks)
        code, book = self._check_parties(self._plain(command)), self.books[order.instrument]
        best = book.best(1 - order.side)[0]
        if code != Code.NONE:
            return code
        if order.order_type == OrderType.LIMIT_MAKER:
            if best and crosses(order.side, order.price_ticks, best):
                return Code.WOULD_MATCH
        elif book.last_ticks and order.stop_ticks and reached(order, book.last_ticks):
            return Code.WOULD_TRIGGER
        available = self.balance(order.account, book.pay_asset(order.side))[0]
        return Code.INSUFFICIENT_BALANCE if available < self._full_cost(order) else Code.NONE

    def _fund(self, order: Order) -> None:
        self._hold(order, self._full_cost(order))
        order.funded = True

    def _full_cost(self, order: Order) -> int:
        return self.books[order.instrument].cost(order.side, order.hold_ticks or order.price_ticks, order.left_lots)

    def _waiting_cost(self, order: Order, lots: int) -> int:
        return super()._waiting_cost(order, lots) if order.funded else 0

    def _excess(self, group: OrderList) -> int:
        """What the pair must hold beyond the one that holds: enough for either."""
        one, other = (self.open[order_id] for order_id in group.pair)
        holder = one if one.funded else other
        return max(self._full_cost(one), self._full_cost(other)) - self._full_cost(holder)

    def _keep(self, group: OrderList, excess: int) -> None:
        asset = self.books[group.instrument].pay_asset(group.side)
        self._move(group.account, asset, available=group.excess - excess, held=excess - group.excess)
        group.excess = excess


def is_pair(one: Command, other: Command) -> bool:
    stops = [leg for leg in (one, other) if leg.order_type in STOPS]
    profits = [leg for leg in (one, other) if leg.order_type not in STOPS]
    if len(stops) != 1 or (one.side, one.qty_lots) != (other.side, other.qty_lots):
        return False
    stop, profit = stops[0], profits[0]
    if profit.order_type not in (OrderType.LIMIT_MAKER, OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT):
        return False
    price = profit.price_ticks if profit.order_type == OrderType.LIMIT_MAKER else profit.trigger_ticks
    if not price or not stop.trigger_ticks:
        return True
    return price < stop.trigger_ticks if one.side == Side.BUY else price > stop.trigger_ticks

