"""A small venue for stories: say what traders do, get back what happened, one line per event.

Numbers are small on purpose: BASE lots are worth 1 minor unit, a tick times a lot is 1 minor unit of QUOTE.
"""
from typing import Any, Self

from engine.core.batch import Batch
from engine.core.codes import AuctionTold, Code, CommandKind, EventKind, OrderType, Side, TimeInForce
from engine.core.exchange import Exchange
from engine.core.unpack import Event, unpack_events

BASE, QUOTE = 1, 2
BOOK = 1
ALICE, BOB, CAROL = 2, 3, 4
FUNDS = 1_000_000
BUY, SELL = Side.BUY, Side.SELL
LIMIT, LIMIT_MAKER, MARKET, STOP_LOSS, STOP_LOSS_LIMIT, TAKE_PROFIT, TAKE_PROFIT_LIMIT = OrderType
GTC, IOC, FOK, GTD, DAY = TimeInForce
TINY = {"orders": 4, "wallets": 4, "accounts": 4, "leaves": 4, "events": 4}


class Venue:
    """One instrument, three funded traders; every method returns the story of one command."""

    def __init__(self, *, funds: int = FUNDS, top_events: bool = False, orders_max: int = 2**26, **terms: int) -> None:
        self.core = Exchange(**TINY, top_events=top_events, orders_max=orders_max)
        self.slots: dict[int, int] = {}
        batch = Batch()
        batch.asset(BASE, 8, "BASE")
        batch.asset(QUOTE, 8, "QUOTE")
        batch.instrument(BOOK, text="BASEQUOTE", **instrument_terms(**terms))
        for account in (ALICE, BOB, CAROL):
            batch.account(account)
            if funds:
                batch.credit(account, BASE, funds)
                batch.credit(account, QUOTE, funds)
        self.setup = self.apply(batch)

    def apply(self, batch: Batch) -> list[str]:
        batch.stamp(self.core.seq + 1, self.now())
        events = unpack_events(self.core.apply(batch))
        self.core.check()
        self.slots.update((event.order_id, event.slot) for event in events if event.kind == EventKind.ACCEPTED)
        self.events = events
        return [tell(event) for event in events]

    def now(self) -> int:
        """The time of the next command."""
        return self.core.seq + 1

    def place(self, account: int, side: int, price: int, qty: int, *, kind: int = LIMIT, tif: int = GTC,
              amount: int = 0, text: bytes = b"", book: int = BOOK, stp: int = 0, **more: Any) -> list[str]:
        batch = Batch()
        batch.place(account, book, side, kind, tif, price, qty, amount, text, stp, **more)
        return self.apply(batch)

    def buy(self, account: int, price: int, qty: int, **more: Any) -> list[str]:
        return self.place(account, BUY, price, qty, **more)

    def sell(self, account: int, price: int, qty: int, **more: Any) -> list[str]:
        return self.place(account, SELL, price, qty, **more)

    def cancel(self, account: int, order_id: int = 0, *, slot: int | None = None, text: bytes = b"",
               book: int = BOOK) -> list[str]:
        batch = Batch()
        batch.cancel(account, book, order_id, self.slots.get(order_id, 0) if slot is None else slot, text)
        return self.apply(batch)

    def reduce(self, account: int, order_id: int, qty: int, *, text: bytes = b"") -> list[str]:
        batch = Batch()
        batch.reduce(account, BOOK, qty, order_id, self.slots.get(order_id, 0), text)
        return self.apply(batch)

    def replace(self, account: int, order_id: int, side: int, price: int, qty: int, *, kind: int = LIMIT,
                tif: int = GTC, text: bytes = b"", stp: int = 0, mode: int = 0, slot: int | None = None,
                **more: Any) -> list[str]:
        batch = Batch()
        batch.replace(account, BOOK, side, kind, tif, price, qty, 0, text, stp, order_id=order_id, mode=mode,
                      slot=self.slots.get(order_id, 0) if slot is None else slot, **more)
        return self.apply(batch)

    def cancel_all(self, account: int, book: int = 0) -> list[str]:
        batch = Batch()
        batch.cancel_all(account, book)
        return self.apply(batch)

    def tell_venue(self, command: str, *values: int, **named: int) -> list[str]:
        """One of the batch's commands by name."""
        batch = Batch()
        getattr(batch, command)(*values, **named)
        return self.apply(batch)

    def configure(self, status: int = 0, **terms: int) -> list[str]:
        batch = Batch()
        batch.instrument(BOOK, text="BASEQUOTE", status=status, **instrument_terms(**terms))
        return self.apply(batch)

    @property
    def last(self) -> int:
        """order_id of the last order placed."""
        return self.core.seq

    def bids(self) -> list[tuple[int, int]]:
        return self.core.depth(BOOK, BUY, 100)

    def asks(self) -> list[tuple[int, int]]:
        return self.core.depth(BOOK, SELL, 100)

    def money(self, account: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """((available, held) of BASE, (available, held) of QUOTE)."""
        return self.core.balance(account, BASE), self.core.balance(account, QUOTE)


class Clock(Venue):
    """A venue whose time stands where `at` has put it."""

    time_ns = 1

    def at(self, time_ns: int) -> Self:
        self.time_ns = time_ns
        return self

    def now(self) -> int:
        return self.time_ns


def venue_at(price: int = 100, **terms: int) -> Venue:
    """A venue whose last trade was at that price, with empty books."""
    venue = Venue(**terms)
    trade_at(venue, price)
    return venue


def trade_at(venue: Venue, *prices: int) -> list[str]:
    """Bob sells Carol a lot at each price; what the last trade set off."""
    told: list[str] = []
    for price in prices:
        venue.sell(BOB, price, 1)
        told = venue.buy(CAROL, price, 1, tif=IOC)
    return told[2:]


def loaded(core: Exchange) -> Exchange:
    """Another exchange, with this one's snapshot."""
    copy = Exchange(**TINY)
    copy.load(core.dump())
    copy.check()
    return copy


def instrument_terms(**terms: int) -> dict[str, int]:
    return {"base_asset": BASE, "quote_asset": QUOTE, "lot_value": 1, "tick_value": 1, **terms}


def tell(event: Event) -> str:
    """One event in one line; only what a trader would say."""
    name = EventKind(event.kind).name.lower()
    match event.kind:
        case EventKind.TRADE | EventKind.PREVENTED | EventKind.BUSTED:
            verb = name
            return (f"{verb} {event.qty_lots} @ {event.price_ticks}: order {event.order_id} left {event.left_lots}, "
                    f"maker {event.maker_order_id} left {event.maker_left_lots}")
        case EventKind.ACCEPTED:
            return f"accepted {event.order_id}"
        case EventKind.REJECTED:
            return f"rejected {Code(event.code).name}"
        case EventKind.CANCELED:
            return f"canceled {event.order_id}: {event.qty_lots} {Code(event.code).name}"
        case EventKind.TRIGGERED:
            return f"triggered {event.order_id} at {event.trigger_ticks}"
        case EventKind.LIST:
            return f"list {event.order_id}: {event.left_lots} of {event.qty_lots}, {event.flags}"
        case EventKind.REDUCED:
            return f"reduced {event.order_id} to {event.qty_lots}, left {event.left_lots}"
        case EventKind.TOP:
            return f"top {event.bid_lots} @ {event.bid_ticks} / {event.ask_lots} @ {event.ask_ticks}"
        case EventKind.MONEY:
            return f"money {event.amount} of {event.instrument} for {event.account}"
    if event.kind == EventKind.AUCTION:
        told = AuctionTold(event.flags).name.lower()
        surplus = f", {event.left_lots} {Side(event.side).name.lower()} over" if event.left_lots else ""
        return f"{told} {event.qty_lots} @ {event.price_ticks}{surplus}"
    if event.kind == EventKind.STATUS:
        reason = f" {Code(event.code).name}" if event.code else ""
        return f"status {CommandKind(event.flags).name.lower()} {event.account}: {event.amount}{reason}"
    return name


def traded(qty: int, price: int, order: int, left: int, maker: int, maker_left: int) -> str:
    """The line of one trade."""
    return f"trade {qty} @ {price}: order {order} left {left}, maker {maker} left {maker_left}"


def prevented(qty: int, price: int, order: int, left: int, maker: int, maker_left: int) -> str:
    """The line of one match that self-trade prevention stopped."""
    return f"prevented {qty} @ {price}: order {order} left {left}, maker {maker} left {maker_left}"
