"""The reference's book: both sides as sorted price -> list of orders in order of arrival. No index, no cached sum."""
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sortedcontainers import SortedDict

from engine.core.codes import Side


@dataclass(slots=True)
class Order:
    """An open order, or one on its way in."""

    order_id: int
    account: int
    instrument: int
    side: int
    order_type: int
    time_in_force: int
    price_ticks: int
    qty_lots: int
    left_lots: int
    text: bytes
    quote_filled: int = 0
    stp: int = 0
    trigger_ticks: int = 0
    stop_ticks: int = 0
    hold_ticks: int = 0
    trailing_bps: int = 0
    extreme_ticks: int = 0
    trail_at: int = 0
    armed: bool = False
    armed_at: int = 0
    session: int = 0
    expires_ns: int = 0
    pending: bool = False
    funded: bool = True
    display_lots: int = 0
    shown_lots: int = 0     # of an iceberg in a book

    @property
    def visible_lots(self) -> int:
        return self.shown_lots if self.display_lots else self.left_lots


@dataclass(slots=True)
class Book:
    """One instrument: its terms and both sides as price -> orders in order of arrival."""

    symbol: bytes
    terms: dict[str, int]
    status: int
    update_id: int = 0
    trade_id: int = 0
    prevented_id: int = 0
    last_ticks: int = 0
    limits: dict[str, int] = field(default_factory=dict)
    protection: dict[str, int] = field(default_factory=dict)
    indicated: tuple[int, int, int, int] = (0, 0, 0, 0)
    top: tuple[int, int, int, int] = (0, 0, 0, 0)
    sides: tuple[SortedDict, SortedDict] = field(default_factory=lambda: (SortedDict(), SortedDict()))

    def prices(self, side: int) -> list[int]:
        """Best first."""
        prices = list(self.sides[side])
        return prices if side == Side.SELL else prices[::-1]

    def depth(self, side: int) -> list[tuple[int, int]]:
        return [(price, sum(order.visible_lots for order in self.sides[side][price])) for price in self.prices(side)]

    def whole_depth(self, side: int) -> list[tuple[int, int]]:
        """With what icebergs hide."""
        return [(price, sum(order.left_lots for order in self.sides[side][price])) for price in self.prices(side)]

    def best(self, side: int) -> tuple[int, int]:
        if not self.sides[side]:
            return 0, 0
        price, orders = self.sides[side].peekitem(0 if side == Side.SELL else -1)
        return price, sum(order.visible_lots for order in orders)

    def makers(self, side: int) -> list[Order]:
        """All orders of a side in the order in which they would trade."""
        return [order for price in self.prices(side) for order in self.sides[side][price]]

    def parts(self, side: int, own: Callable[[int], bool]) -> Iterator[tuple[Order, int]]:
        """Orders and lots in the order of a sweep: an iceberg comes again and again, an own one whole."""
        for price in self.prices(side):
            queue = [(order, order.left_lots if own(order.account) else order.visible_lots, order.left_lots)
                     for order in self.sides[side][price]]
            while queue:
                order, lots, left = queue.pop(0)
                yield order, lots
                if left > lots:
                    queue.append((order, min(order.display_lots, left - lots), left - lots))

    def add(self, order: Order) -> None:
        order.shown_lots = min(order.display_lots, order.left_lots)
        self.sides[order.side].setdefault(order.price_ticks, []).append(order)

    def eat(self, order: Order, lots: int) -> None:
        """Lots are gone from what it shows: takes it out, or shows its next part behind all others."""
        order.left_lots -= lots
        order.shown_lots -= min(lots, order.shown_lots)
        if order.left_lots == 0:
            self.remove(order)
        elif order.display_lots and order.shown_lots == 0:
            self.remove(order)
            self.add(order)

    def remove(self, order: Order) -> None:
        queue = self.sides[order.side][order.price_ticks]
        queue.remove(order)
        if not queue:
            del self.sides[order.side][order.price_ticks]

    def cost(self, side: int, price_ticks: int, lots: int) -> int:
        """What an order of that side pays for lots: quote for BUY, base for SELL."""
        return lots * (price_ticks * self.terms["tick_value"] if side == Side.BUY else self.terms["lot_value"])

    def pay_asset(self, side: int) -> int:
        return self.terms["quote_asset"] if side == Side.BUY else self.terms["base_asset"]

    def quote_for_lots(self, side: int, lots: int) -> int:
        """Quote of taking up to that many lots from the other side."""
        quote = 0
        for maker in self.makers(1 - side):
            take = min(lots, maker.left_lots)
            quote += take * maker.price_ticks * self.terms["tick_value"]
            lots -= take
        return quote

    def lots_for_quote(self, side: int, amount: int) -> tuple[int, int, int]:
        """Whole lots for at most that amount, their quote, and what the book could not take."""
        lots, quote = 0, 0
        for maker in self.makers(1 - side):
            price = maker.price_ticks * self.terms["tick_value"]
            take = min(maker.left_lots, (amount - quote) // price)
            lots += take
            quote += take * price
            if take < maker.left_lots:
                return lots, quote, 0
        return lots, quote, amount - quote

    def liquidity(self, side: int, limit: int) -> int:
        """Lots of the other side within an order's limit."""
        return sum(maker.left_lots for maker in self.makers(1 - side) if crosses(side, limit, maker.price_ticks))


def crosses(side: int, limit: int, price: int) -> bool:
    """Would an order of that side and limit trade at that price? Limit 0 means any price."""
    return limit == 0 or (price <= limit if side == Side.BUY else price >= limit)


def padded(text: bytes) -> bytes:
    return text.ljust(36, b"\0")
