"""Random commands for the comparison: mostly sensible, some hostile, in a world small enough that everything collides.

Seeded and independent of what they are applied to, but for the open orders it is told about, so that cancels hit.
"""
from collections.abc import Callable
from dataclasses import replace
from random import Random

from engine.core.codes import MAX_TICKS, CommandKind, ListType, OrderType, TimeInForce
from tests.core.command import Command, OpenOrder
from tests.core.flow_controls import bust, control

ACCOUNTS = range(2, 8)
ASSETS = (1, 2, 5)  # 1 and 5 share a place in the purse of an account
CODES = {1: b"BASE", 2: b"QUOTE", 5: b"THIRD"}
SYMBOLS = {1: b"BASEQUOTE", 2: b"THIRDQUOTE", 3: b"BASETHIRD"}
TERMS: dict[int, dict[str, int]] = {
    1: {"base_asset": 1, "quote_asset": 2, "lot_value": 1, "tick_value": 1, "min_lots": 1, "max_lots": 60,
        "max_ticks": MAX_TICKS, "min_notional": 0, "maker_fee_ppm": 1000, "taker_fee_ppm": 20_000},
    2: {"base_asset": 5, "quote_asset": 2, "lot_value": 1000, "tick_value": 7, "min_lots": 2, "max_lots": 100,
        "max_ticks": 10_500, "min_notional": 1500, "maker_fee_ppm": 0, "taker_fee_ppm": 333_333},
    3: {"base_asset": 1, "quote_asset": 5, "lot_value": 2**20, "tick_value": 2**15, "min_lots": 1, "max_lots": 2**62,
        "max_ticks": 2**40, "min_notional": 0, "maker_fee_ppm": 1_000_000, "taker_fee_ppm": 1},
}
TIME_STEP_NS = 10**12  # from one command to the next: a day is 86 commands
CROWD = 40  # open orders above which a flow cancels more


def tight(random: Random, _: int) -> int:
    """Ten ticks: levels fill, empty and cross all the time."""
    return random.randint(95, 105)


def wide(random: Random, _: int) -> int:
    """Anywhere in 1..2**53, often next to a power of 64, where leaves and branches of the ladder end."""
    if random.random() < 0.3:
        return random.randint(1, MAX_TICKS)
    return min(max(2 ** (6 * random.randint(0, 8)) * random.choice((1, 2, 31)) + random.randint(-2, 2), 1), MAX_TICKS)


def deep(random: Random, side: int) -> int:
    """Mostly away from the other side, so that hundreds of orders pile up in long queues, lists and tables."""
    distance = round(random.gauss(30, 20))
    return 10_000 + (distance if side else -distance)


def opening(rich: bool) -> list[Command]:
    """Settings and money to start with."""
    commands = [Command(CommandKind.ASSET, instrument=asset, scale=8, text=CODES[asset]) for asset in ASSETS]
    commands += [Command(CommandKind.INSTRUMENT, instrument=key, text=SYMBOLS[key], terms=dict(TERMS[key]))
                 for key in SYMBOLS]
    commands += [Command(CommandKind.ACCOUNT, account=account, text=b"user") for account in ACCOUNTS]
    amount = 2**60 if rich else 60_000
    commands += [Command(CommandKind.INSTRUMENT_LIMITS, instrument=key, terms=dict.fromkeys((
        "max_notional", "reference_ticks", "band_up_ppm", "band_down_ppm", "orders_max"), 0)) for key in SYMBOLS]
    commands.append(Command(CommandKind.REMEMBER, terms={"remembered": 50}))
    return commands + [Command(CommandKind.CREDIT, account=account, instrument=asset, amount=amount)
                       for account in ACCOUNTS for asset in ASSETS]


class Flow:
    """next(open orders) gives one command; `dead` are orders that were open a while ago."""

    def __init__(self, random: Random, price: Callable[[Random, int], int]) -> None:
        self.random = random
        self.price = price
        self.crowd = 400 if price is deep else CROWD
        self.dead: list[OpenOrder] = []
        self.trades: list[bytes] = []    # TRADE events of late
        self.named = 0
        self.lists: list[OpenOrder] = []  # open order lists
        self.sent: list[Command] = []    # orders of late whose client order id counts once
        self.legs: list[Command] = []  # of the order list that was begun

    def next(self, open_orders: list[OpenOrder]) -> Command:
        if self.legs:
            return self.legs.pop(0)
        crowded = len(open_orders) > self.crowd
        weighted: list[tuple[Callable[[list[OpenOrder]], Command], float]] = [
            (self._place, 60), (self._cancel, 45 if crowded else 12), (self._reduce, 6), (self._replace, 8),
            (self._cancel_all, 40 / self.crowd), (self._money, 2), (self._account, 1), (self._instrument, 1),
            (self._asset, 1), (self._hostile_place, 1), (self._limits, 1), (self._control, 2), (self._checkpoint, 0.3),
            (self._stop, 14), (self._list, 9), (self._cancel_list, 3), (self._again, 6),
        ]
        make = self.random.choices([make for make, _ in weighted], [weight for _, weight in weighted])[0]
        command = make(open_orders)
        if command.once:
            self.sent = [*self.sent[-30:], command]
        return command

    def _again(self, orders: list[OpenOrder]) -> Command:
        """An order that was sent before, once more or with another quantity."""
        if not self.sent:
            return self._place(orders)
        command = self.random.choice(self.sent)
        return command if self.random.random() < 0.7 else replace(command, qty_lots=command.qty_lots ^ 1)

    def _account_id(self) -> int:
        return self.random.choice(ACCOUNTS) if self.random.random() < 0.98 else self.random.choice((0, 1, 8, 2**24 - 1))

    def _instrument_id(self) -> int:
        return self.random.choices((1, 2, 3, 0, 9), (70, 20, 8, 1, 1))[0]

    def _text(self) -> bytes:
        """None, one of few that collide, or one of full length."""
        kind = self.random.random()
        self.named += 1
        if kind < 0.3:
            return b""
        return b"id-%d" % self.random.randint(0, 30) if kind < 0.5 else b"%036d" % self.named

    def _time(self, orders: list[OpenOrder]) -> int:
        """About now: the time of the youngest order."""
        return max((order.order_id for order in orders), default=1) * TIME_STEP_NS

    def _place(self, orders: list[OpenOrder]) -> Command:
        order_type = self.random.choices(tuple(OrderType)[:3], (80, 8, 12))[0]
        waits = self.random.choice((TimeInForce.GTC, TimeInForce.DAY))
        tif = waits if order_type == OrderType.LIMIT_MAKER else self.random.choices(
            tuple(TimeInForce), (55, 18, 12, 8, 7))[0]
        side = self.random.randint(0, 1)
        command = Command(
            CommandKind.PLACE, self._account_id(), self._instrument_id(), side, order_type, tif,
            self.price(self.random, side), self.random.randint(1, 30), text=self._text(),
            stp=self.random.choices((0, 1, 2, 3, 4), (60, 10, 10, 10, 10))[0],
            session=self.random.choice((0, 0, 0, 5, 6, 2**32 - 1)), once=self.random.random() < 0.2)
        if tif == TimeInForce.GTD:
            command.expires_ns = self._time(orders) + self.random.choice((-1, 0, 1, 5, 50)) * TIME_STEP_NS
        if order_type != OrderType.MARKET:
            if self.random.random() < 0.15:
                command.display_lots = self.random.choices((1, 2, 5, 10, 0, -1, 2**62), (30, 30, 20, 10, 1, 1, 1))[0]
            return command
        command.price_ticks = 0
        command.time_in_force = self.random.choice((TimeInForce.GTC, TimeInForce.IOC))
        if self.random.random() < 0.5:
            command.qty_lots, command.amount = 0, self.random.choice((1, 50, 1000, 5000, 10**6, 2**61))
        return command

    def _stop(self, orders: list[OpenOrder]) -> Command:
        """A stop-loss or take-profit near the market, sometimes far or at nonsense."""
        command = self._place(orders)
        kind = self.random.choice((OrderType.STOP_LOSS, OrderType.STOP_LOSS_LIMIT, OrderType.TAKE_PROFIT,
                                   OrderType.TAKE_PROFIT_LIMIT))
        market = kind in (OrderType.STOP_LOSS, OrderType.TAKE_PROFIT)
        price = 0 if market else self.price(self.random, command.side)
        force = TimeInForce.GTC if market else self.random.choices(tuple(TimeInForce), (60, 12, 12, 8, 8))[0]
        trigger = self.random.choices((self.price(self.random, 1 - command.side), self.price(self.random, command.side),
                                       0, -1, 2**62), (60, 30, 1, 1, 1))[0]
        command = replace(command, order_type=kind, time_in_force=force, price_ticks=price, amount=0,
                          qty_lots=command.qty_lots or 5, trigger_ticks=trigger)
        return self._trailing(command) if self.random.random() < 0.35 else command

    def _trailing(self, command: Command) -> Command:
        bps = self.random.choices((1, 100, 250, 500, 2000, 9999, 10_000, 65_535), (2, 8, 8, 8, 3, 2, 1, 1))[0]
        return replace(command, trailing_bps=bps,
                       trigger_ticks=0 if self.random.random() < 0.6 else command.trigger_ticks)

    def _list(self, orders: list[OpenOrder]) -> Command:
        """The header of a list; its legs come next, sometimes not all of them or something else."""
        kind = self.random.choice(tuple(ListType))
        account, instrument, side = self._account_id(), self.random.choice((1, 1, 2, 3)), self.random.randint(0, 1)
        pair = [] if kind == ListType.OTO else self._pair(orders, side)
        working = replace(self._place(orders), order_type=self.random.choice((OrderType.LIMIT, OrderType.LIMIT_MAKER)))
        working = replace(working, price_ticks=self.price(self.random, working.side), amount=0,
                          time_in_force=TimeInForce.GTC, qty_lots=working.qty_lots or 3)
        pending = self._stop(orders) if self.random.random() < 0.5 else self._place(orders)
        legs = {ListType.OCO: pair, ListType.OTO: [working, pending], ListType.OTOCO: [working, *pair]}[kind]
        self.legs = [replace(leg, account=account, instrument=instrument) for leg in legs]
        if self.random.random() < 0.08:
            place = self.random.randrange(len(self.legs))
            self.legs[place] = self.random.choice((self._cancel_all, self._hostile_place, self._money))(orders)
        return Command(CommandKind.PLACE_LIST, account, instrument, text=self._text(),
                       mode=kind if self.random.random() < 0.98 else 3)

    def _pair(self, orders: list[OpenOrder], side: int) -> list[Command]:
        """Mostly as a pair must be, around one price."""
        middle, far = self.price(self.random, side), 1 - 2 * side
        profit = self._stop(orders)
        profit.order_type = self.random.choice((
            OrderType.LIMIT_MAKER, OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT))
        price = max(middle - far * self.random.randint(0, 4), 1)
        profit.trigger_ticks = 0 if profit.order_type == OrderType.LIMIT_MAKER else price
        profit.price_ticks = 0 if profit.order_type == OrderType.TAKE_PROFIT else price
        stop = self._stop(orders)
        stop.order_type = self.random.choice((OrderType.STOP_LOSS, OrderType.STOP_LOSS_LIMIT))
        stop.trigger_ticks = min(max(middle + far * self.random.randint(0, 4), 1), MAX_TICKS)
        stop.price_ticks = 0 if stop.order_type == OrderType.STOP_LOSS else stop.trigger_ticks
        for leg in (profit, stop):
            leg.side, leg.time_in_force, leg.qty_lots = side, TimeInForce.GTC, profit.qty_lots
            if leg.order_type == OrderType.LIMIT_MAKER:
                leg.trailing_bps = 0
        return [profit, stop] if self.random.random() < 0.5 else [stop, profit]

    def _cancel_list(self, orders: list[OpenOrder]) -> Command:
        if not self.lists or self.random.random() < 0.1:
            return Command(CommandKind.CANCEL_LIST, self._account_id(), self._instrument_id(), text=self._text())
        list_id, place, account, instrument, text = self.random.choice(self.lists)
        by_text = text and self.random.random() < 0.5
        return Command(CommandKind.CANCEL_LIST, account, instrument, text=text if by_text else b"",
                       order_id=0 if by_text else list_id, slot=0 if by_text else place)

    def _hostile_place(self, orders: list[OpenOrder]) -> Command:
        values = (0, -1, 1, 2**31, 2**53, 2**53 + 1, 2**62, 2**63 - 1, -(2**63))
        command = self._stop(orders) if self.random.random() < 0.3 else self._place(orders)
        field = self.random.choice((
            "price_ticks", "qty_lots", "amount", "side", "order_type", "time_in_force", "stp", "trigger_ticks",
            "expires_ns"))
        small = field in ("side", "order_type", "time_in_force", "stp")
        return replace(command, **{field: self.random.choice((0, 1, 2, 3, 4, 5, 6, 7, 255) if small else values)})

    def _target(self, kind: CommandKind, orders: list[OpenOrder]) -> Command:
        """An open order by id or by text, sometimes one that is gone, somebody else's or at the wrong place."""
        pool = orders if orders and self.random.random() < 0.93 else self.dead
        if not pool:
            return Command(kind, self._account_id(), self._instrument_id(), order_id=1, slot=1)
        order_id, slot, account, instrument, text = self.random.choice(pool)
        command = Command(kind, account, instrument, order_id=order_id, slot=slot)
        twist = self.random.random()
        if twist < 0.4 and text:
            command.order_id, command.slot, command.text = 0, 0, text
        elif twist < 0.43:
            command.slot, command.right_slot = self.random.choice(((0, False), (slot + 1, False), (2**32 - 1, False)))
        elif twist < 0.46:
            command.account = self._account_id()
        elif twist < 0.48:
            command.instrument = self._instrument_id()
        elif twist < 0.49:
            command.order_id, command.slot = 0, 0
        return command

    def _cancel(self, orders: list[OpenOrder]) -> Command:
        return self._target(CommandKind.CANCEL, orders)

    def _reduce(self, orders: list[OpenOrder]) -> Command:
        return replace(self._target(CommandKind.REDUCE, orders), qty_lots=self.random.choice((-1, 0, 1, 2, 5, 20, 90)))

    def _replace(self, orders: list[OpenOrder]) -> Command:
        target = self._target(CommandKind.REPLACE, orders)
        make = self.random.choices((self._hostile_place, self._stop, self._place), (10, 10, 80))[0]
        terms = make(orders)
        text = target.text if target.order_id == 0 else terms.text
        return replace(
            terms, kind=CommandKind.REPLACE, account=target.account, instrument=target.instrument, text=text,
            order_id=target.order_id, slot=target.slot, right_slot=target.right_slot,
            mode=self.random.choices((0, 1, 2, 127), (50, 46, 2, 2))[0])

    def _checkpoint(self, _: list[OpenOrder]) -> Command:
        return Command(CommandKind.CHECKPOINT, order_id=self.random.choice((0, 0, 5)), amount=7)

    def _cancel_all(self, _: list[OpenOrder]) -> Command:
        return Command(CommandKind.CANCEL_ALL, self._account_id(), self.random.choice((0, 0, 1, 2, 3, 9)))

    def _money(self, _: list[OpenOrder]) -> Command:
        kind = self.random.choice((CommandKind.CREDIT, CommandKind.CREDIT, CommandKind.DEBIT))
        amount = self.random.choice((0, -5, 1, 1000, 20_000, 20_000, 50_000, 2**63 - 1))
        asset = self.random.choice((*ASSETS, *ASSETS, 0, 4, 70_000))
        return Command(kind, self._account_id(), instrument=asset, amount=amount, text=b"reference",
                       mode=self.random.choice((0, 0, 1)))

    def _account(self, _: list[OpenOrder]) -> Command:
        status = self.random.choices((0, 1, 2), (80, 15, 5))[0]
        return Command(CommandKind.ACCOUNT, self.random.choice((*ACCOUNTS, 0, 1)), status=status, text=b"user",
                       trade_group=self.random.choice((0, 7, 7, 2**32 - 1)))

    def _instrument(self, _: list[OpenOrder]) -> Command:
        """New fees, status or limits; sometimes a change that must be refused."""
        key = self.random.choice((1, 1, 2, 3))
        terms = dict(TERMS[key])
        terms["maker_fee_ppm"] = self.random.choice((0, 1, 100, 1_000_000, 1_000_000, -1, 1_000_001))
        terms["taker_fee_ppm"] = self.random.choice((0, 777, 500_000))
        if self.random.random() < 0.2:
            self._twist(terms)
        status = self.random.choices((0, 1, 2, 3, 4, 5), (86, 4, 4, 2, 2, 2))[0]
        text = SYMBOLS[key] if self.random.random() < 0.9 else self.random.choice((b"", b"OTHER", SYMBOLS[1]))
        return Command(CommandKind.INSTRUMENT, instrument=self.random.choice((key, key, key, 0, 5)), status=status,
                       text=text, terms=terms)

    def _limits(self, _: list[OpenOrder]) -> Command:
        """Mostly off again soon; sometimes numbers that must be refused."""
        choice = self.random.choice
        off = self.random.random() < 0.4
        terms = {"max_notional": choice((0, 0, 2500, 10**6, -1)), "reference_ticks": choice((0, 100, 10**4, 2**60)),
                 "band_up_ppm": choice((0, 20_000, 500_000, 10**8, 10**8 + 1)),
                 "band_down_ppm": choice((0, 20_000, 500_000, 10**6, 10**6 + 1)), "orders_max": choice((0, 0, 3, 20))}
        return Command(CommandKind.INSTRUMENT_LIMITS, instrument=choice((1, 1, 2, 3, 0, 9)),
                       terms=dict.fromkeys(terms, 0) if off else terms)

    def _control(self, orders: list[OpenOrder]) -> Command:
        """One of the venue's own commands (tests.core.flow_controls)."""
        return bust(self.random, self.trades) if self.random.random() < 0.15 else control(self.random, orders)

    def _twist(self, terms: dict[str, int]) -> None:
        field = self.random.choice(sorted(terms))
        values = {"_asset": (0, 1, 2, 5, 70_000), "ee_ppm": (-1, 1_000_001)}.get(field[-6:], (-1, 0, 1, 3, 2**53 + 1))
        terms[field] = self.random.choice(values)

    def _asset(self, _: list[OpenOrder]) -> Command:
        asset = self.random.choice((0, *ASSETS))
        return Command(CommandKind.ASSET, instrument=asset, scale=self.random.choice((8, 8, 7, 19)),
                       text=self.random.choice((CODES.get(asset, b"ZERO"), b"BASE", b"")))
