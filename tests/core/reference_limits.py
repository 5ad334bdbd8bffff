"""Limits of an instrument in the reference: price band, maximum notional, open orders."""
from engine.core.codes import PPM, Code, OrderType, Side, TimeInForce
from tests.core.command import Command
from tests.core.reference_book import Book
from tests.core.reference_prevention import ReferencePrevention


class ReferenceLimits(ReferencePrevention):
    """The whole reference."""

    def _check_numbers(self, command: Command) -> Code:
        code = super()._check_numbers(command)
        book = self.books[command.instrument]
        return self._check_limits(command, book) if code == Code.NONE and book.limits else code

    def _check_limits(self, command: Command, book: Book) -> Code:
        low, high = band(book)
        market = command.order_type == OrderType.MARKET
        if not market and (command.price_ticks < low or (high and command.price_ticks > high)):
            return Code.PRICE_BAND
        price = reference_price(book) if market else command.price_ticks
        notional = command.amount or price * command.qty_lots * book.terms["tick_value"]
        if book.limits["max_notional"] and notional > book.limits["max_notional"]:
            return Code.MAX_NOTIONAL
        mine = [order for order in self.open.values()
                if (order.account, order.instrument) == (command.account, command.instrument)]
        may_rest = not market and command.time_in_force not in (TimeInForce.IOC, TimeInForce.FOK)
        full = 0 < book.limits["orders_max"] <= len(mine)
        return Code.TOO_MANY_ORDERS if may_rest and full else Code.NONE

    def _apart(self, command: Command) -> bool:
        return super()._apart(command) or (command.instrument in self.books and self._bound(command) > 0
                                           and command.order_type == OrderType.MARKET)

    def _bound(self, command: Command) -> int:
        if command.order_type != OrderType.MARKET:
            return super()._bound(command)
        low, high = band(self.books[command.instrument])
        return high if command.side == Side.BUY else low


def reference_price(book: Book) -> int:
    return book.last_ticks or book.limits["reference_ticks"]


def band(book: Book) -> tuple[int, int]:
    """(lowest, highest) price; 0 where there is no end."""
    if not book.limits:
        return 0, 0
    price, up, down = reference_price(book), book.limits["band_up_ppm"], book.limits["band_down_ppm"]
    return price - price * down // PPM if down else 0, price + price * up // PPM if up else 0
