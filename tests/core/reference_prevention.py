"""Self-trade prevention in the reference: orders with a mode meet the book one maker at a time."""
from engine.core.codes import Code, EventKind, SelfTrade, Side, TimeInForce
from tests.core.command import Command
from tests.core.reference import Reference
from tests.core.reference_book import Book, Order, crosses


class ReferencePrevention(Reference):
    """Orders without a mode go the way they always went."""

    def _check_shape(self, command: Command) -> Code:
        return Code.BAD_COMMAND if command.stp > SelfTrade.DECREMENT else super()._check_shape(command)

    def _plan(self, command: Command, book: Book) -> tuple[int, int, int]:
        if not self._apart(command) or command.price_ticks:
            return super()._plan(command, book)
        lots, quote, amount_left = self._walk(command, book)
        if command.side == Side.BUY:
            return lots, quote, amount_left
        return lots, (lots if command.amount else command.qty_lots) * book.terms["lot_value"], amount_left

    def _place(self, command: Command) -> None:
        code = self._refusal(command)
        if not self._apart(command) or code != Code.NONE:
            super()._place(command)
            return
        book = self.books[command.instrument]
        hold = self._plan(command, book)[1]
        order = Order(self.order_id, command.account, command.instrument, command.side, command.order_type,
                      command.time_in_force, command.price_ticks, command.qty_lots, command.qty_lots, command.text,
                      display_lots=command.display_lots)
        self._hold(order, hold)
        self._say(EventKind.ACCEPTED, order, command.qty_lots, command.display_lots or command.qty_lots,
                  amount=command.amount, stp=command.stp)
        if command.time_in_force == TimeInForce.FOK and self._walk(command, book)[0] < command.qty_lots:
            self._finish(order, book, hold, 0, 0)
        else:
            self._meet(order, book, command, hold)

    def _apart(self, command: Command) -> bool:
        """Does it need this way of matching?"""
        return command.stp != SelfTrade.ALLOW

    def _bound(self, command: Command) -> int:
        """Price beyond which it does not trade, 0 if there is none."""
        return command.price_ticks

    def _own(self, command: Command, other: int) -> bool:
        if command.stp == SelfTrade.ALLOW:
            return False
        account = command.account
        group = self.groups.get(account, 0)
        return account == other or (group != 0 and self.groups.get(other, 0) == group)

    def _walk(self, command: Command, book: Book) -> tuple[int, int, int]:
        """Lots that would trade, their quote, and the amount for which there is no liquidity."""
        lots, quote, left, rest = 0, 0, command.qty_lots, command.amount
        for maker, shown in book.parts(1 - command.side, lambda other: self._own(command, other)):
            if not crosses(command.side, self._bound(command), maker.price_ticks):
                break
            price = maker.price_ticks * book.terms["tick_value"]
            take = min(rest // price if command.amount else left, shown)
            own = self._own(command, maker.account)
            if take == 0 or (own and command.stp in (SelfTrade.EXPIRE_TAKER, SelfTrade.EXPIRE_BOTH)):
                return lots, quote, 0
            if own and command.stp == SelfTrade.EXPIRE_MAKER:
                continue
            left, rest = left - take, rest - take * price
            lots, quote = (lots, quote) if own else (lots + take, quote + take * price)
            if take < shown:
                return lots, quote, 0
        return lots, quote, rest

    def _meet(self, order: Order, book: Book, command: Command, hold: int) -> None:
        """Trades with others, prevents with its own, until one side is done."""
        rest = command.amount
        amount_left, bound = 0, self._bound(command)
        while True:
            makers = book.makers(1 - order.side)
            if not makers or not crosses(order.side, bound, makers[0].price_ticks):
                amount_left = rest
                break
            maker, price = makers[0], makers[0].price_ticks * book.terms["tick_value"]
            order.left_lots = rest // price if command.amount else order.left_lots
            own = self._own(command, maker.account)
            lots = min(order.left_lots, maker.left_lots if own else maker.visible_lots)
            if lots == 0:
                break
            if not own:
                hold -= self._trade(order, maker, book, lots, command.amount != 0)
            elif self._prevent(order, maker, book, command, lots):
                self._hold(order, -hold)
                self._say(EventKind.CANCELED, order, order.left_lots, 0, amount=rest, code=Code.STP)
                return
            elif command.stp == SelfTrade.EXPIRE_MAKER:
                continue
            rest -= lots * price if command.amount else 0
        order.left_lots = 0 if command.amount else order.left_lots
        self._finish(order, book, hold, command.amount, amount_left)

    def _prevent(self, order: Order, maker: Order, book: Book, command: Command, lots: int) -> bool:
        """Is it the end of the taker?"""
        taker_left = {SelfTrade.EXPIRE_MAKER: order.left_lots, SelfTrade.DECREMENT: order.left_lots - lots}.get(
            SelfTrade(command.stp), 0)
        maker_left = {SelfTrade.EXPIRE_TAKER: maker.left_lots, SelfTrade.DECREMENT: maker.left_lots - lots}.get(
            SelfTrade(command.stp), 0)
        book.prevented_id += 1
        self.events.append((
            EventKind.PREVENTED, order.side, order.order_type, order.time_in_force, order.account, order.instrument,
            self.seq, self.time_ns, order.order_id, maker.price_ticks, lots, 0 if command.amount else taker_left,
            maker.order_id, maker_left, book.prevented_id, 0, lots * maker.price_ticks * book.terms["tick_value"], 0, 0,
            maker.account, 0, command.stp))
        if maker_left == 0:
            self._take_off(maker, Code.STP)
        elif maker_left < maker.left_lots:
            self._lower(maker, book, maker.left_lots - maker_left)
        if command.amount:
            return command.stp in (SelfTrade.EXPIRE_TAKER, SelfTrade.EXPIRE_BOTH)
        if taker_left and command.stp == SelfTrade.DECREMENT:
            order.left_lots = taker_left
            order.qty_lots -= lots
            self._say(EventKind.REDUCED, order, order.qty_lots, order.left_lots)
        return taker_left == 0
