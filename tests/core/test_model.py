"""Hypothesis looks for a short sequence of commands on which core and reference differ, and shrinks what it finds."""
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from engine.core.codes import CommandKind, ListType, OrderType, TimeInForce
from tests.core.command import Command, OpenOrder
from tests.core.compare import Twins
from tests.core.flow import opening

ACCOUNTS = st.integers(2, 4)
PRICES = st.one_of(st.integers(95, 105), st.sampled_from((1, 63, 64, 65, 4095, 4096, 2**30, 2**53)))
LOTS = st.integers(1, 20)
TEXTS = st.sampled_from((b"", b"", b"a", b"b", b"c" * 36))


class CoreAndReference(RuleBasedStateMachine):
    """Both are asked the same; Twins.apply fails at the first event that differs."""

    orders = Bundle("orders")

    @initialize()
    def start(self) -> None:
        self.twins = Twins(check_every=1)
        for command in opening(rich=True):
            self.twins.apply(command)

    @rule(target=orders, account=ACCOUNTS, side=st.integers(0, 1), kind=st.sampled_from(tuple(OrderType)[:3]),
          tif=st.sampled_from(tuple(TimeInForce)[:3]), price=PRICES, lots=LOTS, text=TEXTS,
          stp=st.integers(0, 4))
    def place(self, account: int, side: int, kind: int, tif: int, price: int, lots: int, text: bytes,
              stp: int = 0) -> OpenOrder:
        price = 0 if kind == OrderType.MARKET else price
        self.twins.apply(Command(CommandKind.PLACE, account, 1, side, kind, tif, price, lots, text=text, stp=stp))
        order_id = self.twins.core.seq
        return OpenOrder(order_id, self.twins.slots.get(order_id, 0), account, 1, text)

    @rule(account=ACCOUNTS, side=st.integers(0, 1), amount=st.integers(-1, 3000), stp=st.integers(0, 4))
    def place_market_by_amount(self, account: int, side: int, amount: int, stp: int) -> None:
        self.twins.apply(Command(CommandKind.PLACE, account, 1, side, OrderType.MARKET, amount=amount, stp=stp))

    @rule(target=orders, account=ACCOUNTS, side=st.integers(0, 1), kind=st.sampled_from(tuple(OrderType)[3:]),
          tif=st.sampled_from(tuple(TimeInForce)[:3]), price=PRICES, trigger=PRICES, lots=LOTS, text=TEXTS,
          stp=st.integers(0, 4))
    def place_stop(self, account: int, side: int, kind: int, tif: int, price: int, trigger: int, lots: int,
                   text: bytes, stp: int) -> OpenOrder:
        price = 0 if kind in (OrderType.STOP_LOSS, OrderType.TAKE_PROFIT) else price
        self.twins.apply(Command(CommandKind.PLACE, account, 1, side, kind, tif, price, lots, text=text, stp=stp,
                                 trigger_ticks=trigger))
        order_id = self.twins.core.seq
        return OpenOrder(order_id, self.twins.slots.get(order_id, 0), account, 1, text)

    @rule(target=orders, account=ACCOUNTS, kind=st.sampled_from(ListType), side=st.integers(0, 1), lots=LOTS,
          working=st.integers(97, 103), profit=st.integers(97, 103), stop=st.integers(97, 103), waits=st.booleans())
    def place_list(self, account: int, kind: int, side: int, lots: int, working: int, profit: int, stop: int,
                   waits: bool) -> object:
        place = CommandKind.PLACE
        first = Command(place, account, 1, 1 - side, OrderType.LIMIT, price_ticks=working, qty_lots=lots)
        taking = Command(place, account, 1, side, OrderType.TAKE_PROFIT_LIMIT if waits else OrderType.LIMIT_MAKER,
                         price_ticks=profit, qty_lots=lots, trigger_ticks=profit if waits else 0)
        stopping = Command(place, account, 1, side, OrderType.STOP_LOSS, qty_lots=lots, trigger_ticks=stop)
        legs = {ListType.OCO: [taking, stopping], ListType.OTO: [first, stopping],
                ListType.OTOCO: [first, taking, stopping]}[ListType(kind)]
        for command in (Command(CommandKind.PLACE_LIST, account, 1, mode=kind, text=b"list"), *legs):
            self.twins.apply(command)
        last = self.twins.core.seq
        return multiple(*[OpenOrder(order_id, self.twins.slots.get(order_id, 0), account, 1, b"")
                          for order_id in range(last - len(legs) + 1, last + 1)])

    @rule(account=ACCOUNTS)
    def cancel_list(self, account: int) -> None:
        self.twins.apply(Command(CommandKind.CANCEL_LIST, account, 1, text=b"list"))

    @rule(order=orders, by_text=st.booleans())
    def cancel(self, order: OpenOrder, by_text: bool) -> None:
        self.twins.apply(self._about(CommandKind.CANCEL, order, by_text))

    @rule(order=orders, by_text=st.booleans(), lots=st.integers(0, 21))
    def reduce(self, order: OpenOrder, by_text: bool, lots: int) -> None:
        command = self._about(CommandKind.REDUCE, order, by_text)
        command.qty_lots = lots
        self.twins.apply(command)

    @rule(target=orders, order=orders, by_text=st.booleans(), side=st.integers(0, 1), price=PRICES, lots=LOTS,
          text=TEXTS, stp=st.integers(0, 4), mode=st.integers(0, 1))
    def replace(self, order: OpenOrder, by_text: bool, side: int, price: int, lots: int, text: bytes, stp: int,
                mode: int) -> OpenOrder:
        command = self._about(CommandKind.REPLACE, order, by_text)
        command.side, command.price_ticks, command.qty_lots, command.stp, command.mode = side, price, lots, stp, mode
        command.text = command.text if by_text else text
        self.twins.apply(command)
        order_id = self.twins.core.seq
        return OpenOrder(order_id, self.twins.slots.get(order_id, 0), order.account, 1, command.text)

    @rule(account=ACCOUNTS, instrument=st.integers(0, 2))
    def cancel_all(self, account: int, instrument: int) -> None:
        self.twins.apply(Command(CommandKind.CANCEL_ALL, account, instrument))

    @rule(account=ACCOUNTS, status=st.sampled_from((0, 0, 1)), group=st.integers(0, 1))
    def set_account(self, account: int, status: int, group: int) -> None:
        self.twins.apply(Command(CommandKind.ACCOUNT, account, status=status, trade_group=group))

    @rule(notional=st.sampled_from((0, 0, 900)), reference=st.sampled_from((0, 100)), orders_max=st.integers(0, 3),
          up=st.sampled_from((0, 20_000)), down=st.sampled_from((0, 20_000)))
    def limit(self, notional: int, reference: int, orders_max: int, up: int, down: int) -> None:
        terms = {"max_notional": notional, "reference_ticks": reference, "band_up_ppm": up, "band_down_ppm": down,
                 "orders_max": orders_max}
        self.twins.apply(Command(CommandKind.INSTRUMENT_LIMITS, instrument=1, terms=terms))

    @rule(target=orders, account=ACCOUNTS, side=st.integers(0, 1), price=PRICES, count=st.integers(2, 9))
    def place_many(self, account: int, side: int, price: int, count: int) -> object:
        orders = [self.place(account, side, OrderType.LIMIT, TimeInForce.GTC, price, 1, b"") for _ in range(count)]
        return multiple(*orders)

    @rule()
    def snapshot(self) -> None:
        self.twins.reload()

    @invariant()
    def agree(self) -> None:
        if hasattr(self, "twins"):
            self.twins.compare_state()

    def _about(self, kind: int, order: OpenOrder, by_text: bool) -> Command:
        if by_text:
            return Command(kind, order.account, 1, text=order.text)
        return Command(kind, order.account, 1, order_id=order.order_id, slot=order.slot, right_slot=order.slot > 0)


TestCoreAndReference = CoreAndReference.TestCase
TestCoreAndReference.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
