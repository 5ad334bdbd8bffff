"""The slow, obvious exchange: the judge of engine.core. Books are sorted dicts of lists, money is a dict.

It shares nothing with the core but the numbers of engine.core.codes. Every rule is written the long way round: money
moves step by step (available -> held -> the other side), and orders are found by looking through the books.
"""
from collections.abc import Callable

from engine.core.codes import (
    FEE_ACCOUNT,
    PPM,
    AccountStatus,
    Code,
    CommandKind,
    EventKind,
    InstrumentStatus,
    OrderType,
    ReplaceHalf,
    ReplaceMode,
    Side,
    TimeInForce,
)
from tests.core.command import Command, EventTuple
from tests.core.reference_book import Book, Order, crosses
from tests.core.reference_ledger import INT64_MAX, ReferenceLedger

AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK)


class Reference(ReferenceLedger):
    """apply() returns the events of one command; the rest is open for inspection."""

    def apply(self, command: Command, time_ns: int) -> list[EventTuple]:
        self.seq += 1
        self.order_id = self.seq
        self.time_ns = time_ns
        self.events = []
        if not self._gathers(command):
            self._handlers()[CommandKind(command.kind)](command)
        self._watch()
        if self.top_events:
            self._tops()
        return self.events

    def _handlers(self) -> dict[CommandKind, Callable[[Command], None]]:
        return {
            CommandKind.PLACE: self._place, CommandKind.CANCEL: self._cancel, CommandKind.REDUCE: self._reduce,
            CommandKind.CANCEL_ALL: self._cancel_all, CommandKind.CREDIT: self._credit, CommandKind.DEBIT: self._debit,
            CommandKind.ASSET: self._asset, CommandKind.INSTRUMENT: self._instrument,
            CommandKind.ACCOUNT: self._account, CommandKind.INSTRUMENT_LIMITS: self._limits,
            CommandKind.REPLACE: self._replace,
            CommandKind.CHECKPOINT: lambda command: self._configured(command, Code.NONE, 0, 0),
        }

    def _gathers(self, command: Command) -> bool:
        """Is it kept for an order list on its way in?"""
        return False

    def _watch(self) -> None:
        """What the command's trades set off."""

    def _place(self, command: Command) -> None:
        code = self._refusal(command)
        if code != Code.NONE:
            self._refuse(command, code)
            return
        book = self.books[command.instrument]
        lots, hold, amount_left = self._plan(command, book)
        order = Order(self.order_id, command.account, command.instrument, command.side, command.order_type,
                      command.time_in_force, command.price_ticks, command.qty_lots, lots, command.text,
                      display_lots=command.display_lots)
        self._hold(order, hold)
        self._say(EventKind.ACCEPTED, order, command.qty_lots, command.display_lots or command.qty_lots,
                  amount=command.amount)
        if command.time_in_force != TimeInForce.FOK or book.liquidity(command.side, command.price_ticks) >= lots:
            hold -= self._match(order, book, by_amount=command.amount != 0)
        self._finish(order, book, hold, command.amount, amount_left)

    def _finish(self, order: Order, book: Book, hold: int, amount: int, amount_left: int) -> None:
        """Rests what is left or cancels it; gives back what is held and not needed."""
        may_rest = order.order_type != OrderType.MARKET and order.time_in_force not in AT_ONCE
        if order.left_lots and may_rest:
            self._hold(order, book.cost(order.side, order.price_ticks, order.left_lots) - hold)
            book.add(order)
            book.update_id += 1
            self.open[order.order_id] = order
            return
        self._hold(order, -hold)
        if order.left_lots or amount_left or (amount and not order.quote_filled):
            reason = {TimeInForce.FOK: Code.FOK_UNFILLED}.get(TimeInForce(order.time_in_force), Code.IOC_REMAINDER)
            reason = Code.NO_LIQUIDITY if order.order_type == OrderType.MARKET else reason
            self._say(EventKind.CANCELED, order, order.left_lots, 0, amount=amount_left, code=reason)

    def _match(self, taker: Order, book: Book, *, by_amount: bool) -> int:
        """Trades while it can; returns what the taker paid."""
        paid = 0
        limit = taker.price_ticks
        while taker.left_lots:
            best, _ = book.best(1 - taker.side)
            if not best or not crosses(taker.side, limit, best):
                break
            maker = book.sides[1 - taker.side][best][0]
            paid += self._trade(taker, maker, book, min(taker.left_lots, maker.visible_lots), by_amount)
        return paid

    def _trade(self, taker: Order, maker: Order, book: Book, lots: int, by_amount: bool) -> int:
        base, quote = lots * book.terms["lot_value"], lots * maker.price_ticks * book.terms["tick_value"]
        taker.left_lots -= lots
        book.eat(maker, lots)
        for order in (taker, maker):
            order.quote_filled += quote
        taker_gets, maker_gets = (base, quote) if taker.side == Side.BUY else (quote, base)
        taker_fee = self._fee(taker, book, taker_gets, "taker_fee_ppm")
        maker_fee = self._fee(maker, book, maker_gets, "maker_fee_ppm")
        self._pay(taker, maker, maker_gets, maker_fee, book)
        self._pay(maker, taker, taker_gets, taker_fee, book)
        if maker.left_lots == 0:
            del self.open[maker.order_id]
        book.update_id += 1
        book.trade_id += 1
        book.last_ticks = maker.price_ticks
        self.fill_id += 1
        self.events.append((
            EventKind.TRADE, taker.side, taker.order_type, taker.time_in_force, taker.account, taker.instrument,
            self.seq, self.time_ns, taker.order_id, maker.price_ticks, lots, 0 if by_amount else taker.left_lots,
            maker.order_id, maker.left_lots, book.trade_id, self.fill_id, quote, taker_fee, maker_fee, maker.account,
            0, 0))
        return maker_gets

    def _fee(self, order: Order, book: Book, received: int, role: str) -> int:
        return received * book.terms[role] // PPM

    def _pay(self, payer: Order, payee: Order, money: int, fee: int, book: Book) -> None:
        """From what the payer holds to what the payee has available, less the fee."""
        asset = book.pay_asset(payer.side)
        self._move(payer.account, asset, held=-money)
        self._move(payee.account, asset, available=money - fee)
        self._move(FEE_ACCOUNT, asset, available=fee)

    def _refusal(self, command: Command) -> Code:
        for check in (self._check_shape, self._check_parties, self._check_numbers, self._check_use):
            code = check(command)
            if code != Code.NONE:
                return code
        return Code.NONE

    def _check_shape(self, command: Command) -> Code:
        unknown = command.order_type > OrderType.MARKET or command.time_in_force > TimeInForce.DAY
        if command.side > 1 or unknown or command.account == 0:
            return Code.BAD_COMMAND
        if command.order_type == OrderType.MARKET:
            both = command.qty_lots and command.amount
            bad = command.price_ticks or both or command.time_in_force == TimeInForce.FOK
        else:
            maker = command.order_type == OrderType.LIMIT_MAKER
            bad = command.amount or (maker and command.time_in_force in AT_ONCE)
        return Code.BAD_COMMAND if bad else Code.NONE

    def _check_parties(self, command: Command) -> Code:
        if command.account not in self.accounts:
            return Code.UNKNOWN_ACCOUNT
        if self.accounts[command.account] == AccountStatus.FROZEN:
            return Code.ACCOUNT_FROZEN
        if command.instrument not in self.books:
            return Code.UNKNOWN_INSTRUMENT
        open_ = self.books[command.instrument].status == InstrumentStatus.TRADING
        return Code.NONE if open_ else Code.MARKET_CLOSED

    def _check_numbers(self, command: Command) -> Code:
        terms = self.books[command.instrument].terms
        limit = command.order_type != OrderType.MARKET
        if limit and not 1 <= command.price_ticks <= terms["max_ticks"]:
            return Code.PRICE_RANGE
        if command.amount:
            return Code.NONE if command.amount > 0 else Code.QTY_RANGE
        if not terms["min_lots"] <= command.qty_lots <= terms["max_lots"]:
            return Code.QTY_RANGE
        notional = command.price_ticks * command.qty_lots * terms["tick_value"]
        if notional > INT64_MAX or command.qty_lots * terms["lot_value"] > INT64_MAX:
            return Code.OVERFLOW
        return Code.MIN_NOTIONAL if limit and notional < terms["min_notional"] else Code.NONE

    def _check_use(self, command: Command) -> Code:
        book = self.books[command.instrument]
        if self.find(command.account, command.text):
            return Code.DUPLICATE_CLIENT_ID
        best = book.best(1 - command.side)[0]
        if command.order_type == OrderType.LIMIT_MAKER and best and crosses(command.side, command.price_ticks, best):
            return Code.WOULD_MATCH
        _, hold, _ = self._plan(command, book)
        need = max(hold, command.amount) if command.side == Side.BUY else hold
        if self.balance(command.account, book.pay_asset(command.side))[0] < need:
            return Code.INSUFFICIENT_BALANCE
        full = len(self.open) >= self.orders_max and command.order_type != OrderType.MARKET
        return Code.CAPACITY if full else Code.NONE

    def _plan(self, command: Command, book: Book) -> tuple[int, int, int]:
        """Lots to trade, what to hold for them, and the amount for which there is no liquidity."""
        lots, amount_left = command.qty_lots, 0
        quote = command.price_ticks * lots * book.terms["tick_value"]
        if command.amount:
            lots, quote, amount_left = book.lots_for_quote(command.side, command.amount)
        elif command.order_type == OrderType.MARKET:
            quote = book.quote_for_lots(command.side, lots)
        return lots, quote if command.side == Side.BUY else lots * book.terms["lot_value"], amount_left

    def find(self, account: int, text: bytes) -> Order | None:
        """The account's open order with that client order id."""
        matches = [order for order in self.open.values() if text and (order.account, order.text) == (account, text)]
        assert len(matches) <= 1
        return matches[0] if matches else None

    def _target(self, command: Command) -> Order | None:
        order = self.open.get(command.order_id) if command.right_slot else None
        if command.order_id == 0:
            order = self.find(command.account, command.text)
        if order is None or (order.account, order.instrument) != (command.account, command.instrument):
            self._refuse(command, self._why_unknown(command))
            return None
        return order

    def _why_unknown(self, command: Command) -> Code:
        if command.account not in self.accounts:
            return Code.UNKNOWN_ACCOUNT
        known = command.instrument in self.books or command.instrument == 0
        return Code.UNKNOWN_ORDER if known else Code.UNKNOWN_INSTRUMENT

    def _cancel(self, command: Command) -> None:
        order = self._target(command)
        if order is not None:
            self._take_off(order, Code.REQUESTED)

    def _replace(self, command: Command) -> None:
        """A cancel, then a place."""
        if command.mode > ReplaceMode.ALLOW_FAILURE:
            self._refuse(command, Code.BAD_COMMAND)
            self._mark(ReplaceHalf.CANCEL_HALF)
            return
        self._cancel(command)
        canceled = self.events[-1][0] == EventKind.CANCELED
        self._mark(ReplaceHalf.CANCEL_HALF)
        if canceled or command.mode == ReplaceMode.ALLOW_FAILURE:
            self._place(command)
            self._mark(ReplaceHalf.PLACE_HALF)

    def _mark(self, half: ReplaceHalf) -> None:
        """Says which half the last event refused, if it did."""
        *fields, flags = self.events[-1]
        if fields[0] == EventKind.REJECTED:
            self.events[-1] = (*fields, flags + half)

    def _cancel_all(self, command: Command) -> None:
        orders = [order for _, order in sorted(self.open.items())
                  if order.account == command.account and command.instrument in (0, order.instrument)]
        for order in orders:
            self._take_off(order, Code.MASS_CANCEL)
        if not orders:
            self._refuse(command, self._why_unknown(command))

    def _take_off(self, order: Order, reason: Code) -> None:
        book = self.books[order.instrument]
        self._hold(order, -book.cost(order.side, order.price_ticks, order.left_lots))
        book.remove(order)
        book.update_id += 1
        del self.open[order.order_id]
        self._say(EventKind.CANCELED, order, order.left_lots, 0, code=reason)

    def _reduce(self, command: Command) -> None:
        order = self._target(command)
        if order is None:
            return
        executed = order.qty_lots - order.left_lots
        if not executed < command.qty_lots < order.qty_lots:
            self._refuse(command, Code.BAD_REDUCE)
            return
        book = self.books[order.instrument]
        self._lower(order, book, order.qty_lots - command.qty_lots)

    def _lower(self, order: Order, book: Book, lots: int) -> None:
        """Takes lots off an open order's quantity."""
        self._hold(order, -book.cost(order.side, order.price_ticks, lots))
        order.left_lots -= lots
        order.qty_lots -= lots
        order.shown_lots = min(order.shown_lots, order.left_lots)
        book.update_id += 1
        self._say(EventKind.REDUCED, order, order.qty_lots, order.left_lots)

    def _tops(self) -> None:
        skipped = (EventKind.REJECTED, EventKind.MONEY, EventKind.CONFIGURED, EventKind.STATUS)
        for event in [event for event in self.events if event[0] not in skipped]:
            book = self.books[event[5]]
            top = book.best(Side.BUY) + book.best(Side.SELL)
            if top != book.top:
                book.top = top
                self.events.append((EventKind.TOP, event[5], 0, self.seq, self.time_ns, book.update_id, *top))
