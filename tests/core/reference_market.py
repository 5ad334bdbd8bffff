"""Auctions, slippage and trades taken back in the reference. The auction's price is found by trying every candidate."""
import struct
from collections.abc import Callable

from engine.core.codes import (
    FEE_ACCOUNT,
    MAX_TICKS,
    PPM,
    AuctionStep,
    AuctionTold,
    Code,
    CommandKind,
    EventKind,
    InstrumentStatus,
    OrderType,
    Side,
    TimeInForce,
)
from tests.core.command import TRADE_FIELDS, Command
from tests.core.reference_book import Book, Order, crosses
from tests.core.reference_fees import NO_TEXT
from tests.core.reference_ledger import INT64_MAX
from tests.core.reference_limits import reference_price
from tests.core.reference_time import ReferenceTime

AUCTION = InstrumentStatus.AUCTION
WITHOUT_TOP = (EventKind.REJECTED, EventKind.MONEY, EventKind.CONFIGURED, EventKind.STATUS, EventKind.BUSTED)


class ReferenceMarket(ReferenceTime):
    """Orders of an auction rest crossed; the uncross looks for the best buyer and seller each time."""

    def _handlers(self) -> dict[CommandKind, Callable[[Command], None]]:
        return super()._handlers() | {CommandKind.AUCTION: self._auction, CommandKind.BUST: self._bust}

    def _check_parties(self, command: Command) -> Code:
        code = super()._check_parties(command)
        if code == Code.MARKET_CLOSED and self.books[command.instrument].status == AUCTION:
            waits = command.time_in_force not in (TimeInForce.IOC, TimeInForce.FOK)
            return Code.NONE if waits and command.order_type == OrderType.LIMIT else Code.AUCTION_ONLY
        return code

    def _check_instrument(self, command: Command) -> Code:
        code = super()._check_instrument(command)
        book = self.books.get(command.instrument)
        if code == Code.NONE and book is not None and book.status == AUCTION != command.status and self.crosses(book):
            return Code.CONFLICT
        return code

    def _instrument(self, command: Command) -> None:
        super()._instrument(command)
        if self.events[-1][0] == EventKind.CONFIGURED and command.status == InstrumentStatus.CLOSED:
            self._end_day(command.instrument)

    def _end_day(self, instrument: int) -> None:
        for order in sorted(self.open.values(), key=lambda order: (order.account, order.order_id)):
            if order.instrument == instrument and order.time_in_force == TimeInForce.DAY:
                self._take_off(order, Code.EXPIRED)

    def _match(self, taker: Order, book: Book, *, by_amount: bool) -> int:
        return 0 if book.status == AUCTION else super()._match(taker, book, by_amount=by_amount)

    def _meet(self, order: Order, book: Book, command: Command, hold: int) -> None:
        if book.status == AUCTION:
            self._finish(order, book, hold, 0, 0)
            return
        self.bound_now = self._bound(command)
        super()._meet(order, book, command, hold)

    @staticmethod
    def crosses(book: Book) -> bool:
        bid, ask = book.best(Side.BUY)[0], book.best(Side.SELL)[0]
        return 0 < ask <= bid

    def crossing(self, book: Book, reference: int = 0) -> tuple[int, int, int, int]:
        """(price, lots, surplus, its side) of an uncross now."""
        if not self.crosses(book):
            return 0, 0, 0, 0
        buys, sells = book.whole_depth(Side.BUY), book.whole_depth(Side.SELL)
        prices = [price for price, _ in buys + sells]
        candidates = {price + step for price in prices for step in (-1, 0, 1)}

        def demand(price: int) -> tuple[int, int]:
            return (sum(lots for limit, lots in buys if limit >= price),
                    sum(lots for limit, lots in sells if limit <= price))

        def rank(price: int) -> tuple[int, int]:
            buying, selling = demand(price)
            return -min(buying, selling), abs(buying - selling)

        best = min(rank(price) for price in candidates)
        equals = [price for price in candidates if rank(price) == best]
        low, high = min(equals), max(equals)
        reference = reference or reference_price(book) if book.limits else reference or book.last_ticks
        price = min(max(reference or (low + high) // 2, low), high)
        buying, selling = demand(price)
        return price, min(buying, selling), abs(buying - selling), int(selling > buying)

    def _told(self, book: Book, told: AuctionTold, crossing: tuple[int, int, int, int]) -> None:
        price, lots, surplus, side = crossing
        instrument = next(key for key, value in self.books.items() if value is book)
        self.events.append((EventKind.AUCTION, side, 0, 0, 0, instrument, self.seq, self.time_ns, 0, price, lots,
                            surplus, NO_TEXT, 0, 0, 0, 0, 0, 0, 0, told))

    def _auction(self, command: Command) -> None:
        terms, code = command.terms, self._check_auction(command)
        self._control(command, EventKind.CONFIGURED, code)
        if code != Code.NONE:
            return
        book = self.books[command.instrument]
        found = self.crossing(book, terms["reference_ticks"])
        book.indicated = (0, 0, 0, 0)
        if terms["step"] == AuctionStep.START:
            book.status = AUCTION
            self._told(book, AuctionTold.STARTED, found)
            return
        book.status = terms["status"]
        self._told(book, AuctionTold.UNCROSSED, found)
        self._uncross(book, *found[:2])
        if book.status == InstrumentStatus.CLOSED:
            self._end_day(command.instrument)

    def _check_auction(self, command: Command) -> Code:
        terms = command.terms
        start = terms["step"] == AuctionStep.START
        if (terms["step"] > AuctionStep.UNCROSS or terms["status"] in (AUCTION, 5) or (start and terms["status"])
                or not 0 <= terms["reference_ticks"] <= MAX_TICKS):
            return Code.BAD_COMMAND
        if command.instrument not in self.books:
            return Code.UNKNOWN_INSTRUMENT
        return Code.CONFLICT if (self.books[command.instrument].status == AUCTION) == start else Code.NONE

    def _uncross(self, book: Book, price: int, lots: int) -> None:
        for side in Side if self.top_events and lots else ():
            for level, _ in book.depth(side):
                if crosses(1 - side, price, level):
                    self._told(book, AuctionTold.TOUCHED, (level, 0, 0, side))
        while lots:
            pair = sorted((book.makers(side)[0] for side in Side), key=lambda order: order.order_id)
            traded = min(lots, pair[0].visible_lots, pair[1].visible_lots)
            self._cross(book, pair[1], pair[0], traded, price)
            lots -= traded

    def _cross(self, book: Book, taker: Order, maker: Order, lots: int, price: int) -> None:
        base, quote = lots * book.terms["lot_value"], lots * price * book.terms["tick_value"]
        fees = []
        for order, role in ((taker, "taker_fee_ppm"), (maker, "maker_fee_ppm")):
            fees.append(self._fee(order, book, base if order.side == Side.BUY else quote, role))
        book.update_id += 2
        book.trade_id += 1
        book.last_ticks = price
        self.fill_id += 1
        for order, other, fee in ((taker, maker, fees[1]), (maker, taker, fees[0])):
            money = quote if order.side == Side.BUY else base
            self._hold(order, money - book.cost(order.side, order.price_ticks, lots))  # what the limit was above
            self._pay(order, other, money, fee, book)
            book.eat(order, lots)
            order.quote_filled += quote
        self.events.append((
            EventKind.TRADE, taker.side, taker.order_type, taker.time_in_force, taker.account, taker.instrument,
            self.seq, self.time_ns, taker.order_id, price, lots, taker.left_lots, maker.order_id, maker.left_lots,
            book.trade_id, self.fill_id, quote, fees[0], fees[1], maker.account, 0, 0))
        for order in (taker, maker):
            if order.left_lots == 0:
                del self.open[order.order_id]

    def _tops(self) -> None:
        """The best prices, then what an uncross would do, each where it has changed."""
        for event in list(self.events):
            book = self.books.get(event[5])
            limits = event[0] == EventKind.CONFIGURED and event[-1] == CommandKind.INSTRUMENT_LIMITS
            if book is None or (event[0] in WITHOUT_TOP and not limits):
                continue
            top = book.best(Side.BUY) + book.best(Side.SELL)
            if top != book.top and not limits:
                book.top = top
                self.events.append((EventKind.TOP, event[5], 0, self.seq, self.time_ns, book.update_id, *top))
            found = self.crossing(book)
            if book.status == AUCTION and found != book.indicated:
                book.indicated = found
                self._told(book, AuctionTold.INDICATED, found)

    # slippage

    def _apart(self, command: Command) -> bool:
        if super()._apart(command):
            return True
        return command.order_type == OrderType.MARKET and command.instrument in self.books and self._bound(command) > 0

    def _bound(self, command: Command) -> int:
        bound = super()._bound(command)
        if command.order_type != OrderType.MARKET or command.side > 1:
            return bound
        book = self.books[command.instrument]
        ppm, best = book.protection.get("slippage_ppm", 0), book.best(1 - command.side)[0]
        if not ppm or not best:
            return bound
        if command.side == Side.BUY:
            slip = best + best * ppm // PPM
            return min(bound, slip) if bound else slip
        return max(bound, best - best * ppm // PPM, 1)

    def _finish(self, order: Order, book: Book, hold: int, amount: int, amount_left: int) -> None:
        super()._finish(order, book, hold, amount, amount_left)
        left = book.best(1 - order.side)[0]
        *fields, code, flags = self.events[-1]
        if (fields[0] == EventKind.CANCELED and code == Code.NO_LIQUIDITY and book.protection.get("slippage_ppm", 0)
                and left and not crosses(order.side, self.bound_now, left)):
            self.events[-1] = (*fields, Code.SLIPPAGE, flags)

    # busts

    def _bust(self, command: Command) -> None:
        event = bytearray(command.text)
        fields = TRADE_FIELDS.unpack(event)
        side, account, instrument, maker_account = fields[1], fields[4], fields[5], fields[20]
        trade_id, fill_id, order_id, price, lots = fields[15], fields[16], fields[9], fields[10], fields[11]
        quote, taker_fee, maker_fee = fields[17], fields[18], fields[19]
        book = self.books.get(instrument)
        code = Code.NONE
        if book is None:
            code = Code.UNKNOWN_INSTRUMENT
        elif account not in self.accounts or maker_account not in self.accounts:
            code = Code.UNKNOWN_ACCOUNT
        else:
            code = self._check_bust(book, fields)
        if code == Code.NONE and (instrument, trade_id) in self.busts:
            code = Code.CONFLICT
        if code == Code.NONE and book is not None:
            code = self._reverse(book, side, account, maker_account, lots * book.terms["lot_value"], quote, taker_fee,
                                 maker_fee)
        if code != Code.NONE:
            self.events.append((EventKind.REJECTED, *fields[1:4], account, instrument, self.seq, self.time_ns, order_id,
                                price, lots, 0, NO_TEXT, 0, 0, 0, 0, 0, 0, code, CommandKind.BUST))
            return
        self.busts.add((instrument, trade_id))
        self.events.append((EventKind.BUSTED, *fields[1:4], account, instrument, self.seq, self.time_ns, order_id,
                            price, lots, 0, fields[13], 0, trade_id, fill_id, quote, taker_fee, maker_fee,
                            maker_account, 0, 0))

    def _check_bust(self, book: Book, fields: tuple[int, ...]) -> Code:
        side, price, lots, quote = fields[1], fields[10], fields[11], fields[17]
        base = lots * book.terms["lot_value"]
        known = 0 < fields[15] <= min(book.trade_id, fields[16]) and fields[16] <= self.fill_id
        fits = side <= 1 and price > 0 and lots > 0 and base <= INT64_MAX and fields[4] and fields[20]
        same = price * lots * book.terms["tick_value"] == quote
        got = (base, quote) if side == Side.BUY else (quote, base)
        paid = all(abs(fee) <= money for fee, money in zip(fields[18:20], got, strict=True))
        return Code.NONE if known and fits and same and paid else Code.UNKNOWN_TRADE

    def _reverse(self, book: Book, side: int, taker: int, maker: int, base: int, quote: int, taker_fee: int,
                 maker_fee: int) -> Code:
        taken, given = (base, quote) if side == Side.BUY else (quote, base)
        taken_asset, given_asset = book.pay_asset(1 - side), book.pay_asset(side)
        moves: dict[tuple[int, int], int] = {}
        for account, asset, money in (
                (taker, taken_asset, taker_fee - taken), (maker, taken_asset, taken),
                (FEE_ACCOUNT, taken_asset, -taker_fee),
                (maker, given_asset, maker_fee - given), (taker, given_asset, given),
                (FEE_ACCOUNT, given_asset, -maker_fee)):
            moves[account, asset] = moves.get((account, asset), 0) + money
        if any(self.balance(*key)[0] + money < 0 for key, money in moves.items()):
            return Code.INSUFFICIENT_BALANCE
        for (account, asset), money in moves.items():
            self._move(account, asset, available=money)
        return Code.NONE


assert TRADE_FIELDS.size == struct.calcsize("128s")
