"""The reference's money and settings: two dicts, changed only by _move(), and the commands of the operator."""
from engine.core.codes import (
    EXTERNAL_ACCOUNT,
    FEE_ACCOUNT,
    MAX_TICKS,
    PPM,
    AccountStatus,
    Code,
    EventKind,
    InstrumentStatus,
)
from tests.core.command import Command, EventTuple
from tests.core.reference_book import Book, Order

INT64_MAX = 2**63 - 1
SCALE_MAX = 18


def padded(text: bytes) -> bytes:
    return text.ljust(36, b"\0")


class ReferenceLedger:
    """Everything but orders on their way."""

    def __init__(self, *, top_events: bool = False, orders_max: int = 2**26) -> None:
        self.seq = self.fill_id = 0
        self.broken_seq = 0
        self.order_id = 0  # of an order on its way in
        self.time_ns = 0
        self.events: list[EventTuple] = []
        self.top_events = top_events
        self.orders_max = orders_max
        self.assets: dict[int, tuple[bytes, int]] = {}
        self.accounts: dict[int, int] = {EXTERNAL_ACCOUNT: AccountStatus.ACTIVE, FEE_ACCOUNT: AccountStatus.ACTIVE}
        self.books: dict[int, Book] = {}
        self.groups: dict[int, int] = {}
        self.tiers: dict[int, int] = {}
        self.killed, self.killed_accounts, self.killed_books = False, set[int](), set[int]()
        self.timers: dict[tuple[int, int, int], tuple[int, int]] = {}    # (account, session, instrument): (end, seq)
        self.placing = Command(0)
        self.busts = set[tuple[int, int]]()
        self.session = 0
        self.schedules: dict[tuple[int, int], tuple[int, int]] = {}
        self.available: dict[tuple[int, int], int] = {}
        self.held: dict[tuple[int, int], int] = {}
        self.open: dict[int, Order] = {}

    def balance(self, account: int, asset: int) -> tuple[int, int]:
        return self.available.get((account, asset), 0), self.held.get((account, asset), 0)

    def _move(self, account: int, asset: int, *, available: int = 0, held: int = 0) -> None:
        key = (account, asset)
        self.available[key] = self.available.get(key, 0) + available
        self.held[key] = self.held.get(key, 0) + held
        assert account == EXTERNAL_ACCOUNT or (self.available[key] >= 0 and self.held[key] >= 0)

    def _hold(self, order: Order, money: int) -> None:
        """From available to held; negative money is released."""
        asset = self.books[order.instrument].pay_asset(order.side)
        self._move(order.account, asset, available=-money, held=money)

    def _check_money(self, command: Command) -> Code:
        if self.broken_seq and self.broken_seq == self.seq - 1:
            return Code.CONFLICT
        if command.amount <= 0 or command.account == EXTERNAL_ACCOUNT:
            return Code.BAD_COMMAND
        if command.account not in self.accounts:
            return Code.UNKNOWN_ACCOUNT
        return Code.NONE if command.instrument in self.assets else Code.UNKNOWN_ASSET

    def _credit(self, command: Command) -> None:
        code = self._check_money(command)
        supply = -self.balance(EXTERNAL_ACCOUNT, command.instrument)[0]
        if code == Code.NONE and supply + command.amount > INT64_MAX:
            code = Code.OVERFLOW
        self._transfer(command, code, command.amount)

    def _debit(self, command: Command) -> None:
        code = self._check_money(command)
        if code == Code.NONE and self.balance(command.account, command.instrument)[0] < command.amount:
            code = Code.INSUFFICIENT_BALANCE
        self._transfer(command, code, -command.amount)

    def _transfer(self, command: Command, code: Code, amount: int) -> None:
        if code != Code.NONE:
            self.broken_seq = self.seq if command.mode else self.broken_seq
            self._refuse(command, code)
            return
        self._move(command.account, command.instrument, available=amount)
        self._move(EXTERNAL_ACCOUNT, command.instrument, available=-amount)
        self.events.append((
            EventKind.MONEY, 0, 0, 0, command.account, command.instrument, self.seq, self.time_ns, 0, 0, 0, 0,
            padded(command.text), 0, 0, 0, amount, 0, 0, Code.NONE, 0))

    def _asset(self, command: Command) -> None:
        value = (command.text, command.scale)
        code = Code.NONE
        if command.instrument == 0 or command.scale > SCALE_MAX or not command.text:
            code = Code.BAD_COMMAND
        elif self.assets.get(command.instrument, value) != value or any(
                text == command.text and asset != command.instrument for asset, (text, _) in self.assets.items()):
            code = Code.CONFLICT
        else:
            self.assets[command.instrument] = value
            self._move(EXTERNAL_ACCOUNT, command.instrument)
        self._configured(command, code, 0, command.instrument)

    def _instrument(self, command: Command) -> None:
        code = self._check_instrument(command)
        if code == Code.NONE:
            book = self.books.setdefault(command.instrument, Book(command.text, {}, 0))
            book.terms, book.status = dict(command.terms), command.status
        self._configured(command, code, 0, command.instrument)

    def _check_instrument(self, command: Command) -> Code:
        terms = command.terms
        fees = 0 <= terms["maker_fee_ppm"] <= PPM and 0 <= terms["taker_fee_ppm"] <= PPM
        values = terms["lot_value"] > 0 and terms["tick_value"] > 0 and 1 <= terms["max_ticks"] <= MAX_TICKS
        lots = 1 <= terms["min_lots"] <= terms["max_lots"] and terms["min_notional"] >= 0
        named = command.instrument > 0 and command.text and command.status <= InstrumentStatus.CLOSED
        if not (fees and values and lots and named) or terms["base_asset"] == terms["quote_asset"]:
            return Code.BAD_COMMAND
        if terms["base_asset"] not in self.assets or terms["quote_asset"] not in self.assets:
            return Code.UNKNOWN_ASSET
        if any(book.symbol == command.text for key, book in self.books.items() if key != command.instrument):
            return Code.CONFLICT
        old = self.books.get(command.instrument)
        fixed = ("base_asset", "quote_asset", "lot_value", "tick_value")
        same = old is None or (old.symbol == command.text and all(old.terms[key] == terms[key] for key in fixed))
        return Code.NONE if same else Code.CONFLICT

    def _limits(self, command: Command) -> None:
        limits = command.terms
        code = Code.NONE
        if (limits["max_notional"] < 0 or not 0 <= limits["reference_ticks"] <= MAX_TICKS
                or limits["band_up_ppm"] > 100 * PPM or limits["band_down_ppm"] > PPM):
            code = Code.BAD_COMMAND
        elif command.instrument not in self.books:
            code = Code.UNKNOWN_INSTRUMENT
        else:
            self.books[command.instrument].limits = dict(limits)
        self._configured(command, code, 0, command.instrument)

    def _account(self, command: Command) -> None:
        code = Code.NONE
        if command.account == EXTERNAL_ACCOUNT or command.status > AccountStatus.FROZEN:
            code = Code.BAD_COMMAND
        else:
            self.accounts[command.account] = command.status
            self.groups[command.account] = command.trade_group
        self._configured(command, code, command.account, 0)

    def _say(self, kind: EventKind, order: Order, qty: int, left: int, *, amount: int = 0, code: int = 0,
             stp: int = 0, trailing: int = 0, trigger: int = 0, flags: int = 0) -> None:
        qty = 0 if kind == EventKind.CANCELED and order.qty_lots == 0 else qty  # by amount: it has no quantity
        self.events.append((
            kind, order.side, order.order_type, order.time_in_force, order.account, order.instrument, self.seq,
            self.time_ns, order.order_id, order.price_ticks, qty, left, padded(order.text), stp, 0, trailing, amount,
            trigger,
            0, code, flags))

    def _refuse(self, command: Command, code: Code) -> None:
        self.events.append((
            EventKind.REJECTED, command.side, command.order_type, command.time_in_force, command.account,
            command.instrument, self.seq, self.time_ns, command.order_id, command.price_ticks, command.qty_lots, 0,
            padded(command.text), 0, 0, 0, command.amount, 0, 0, code, command.kind))

    def _configured(self, command: Command, code: Code, account: int, identifier: int) -> None:
        kind = EventKind.CONFIGURED if code == Code.NONE else EventKind.REJECTED
        self.events.append((kind, 0, 0, 0, account, identifier, self.seq, self.time_ns, 0, 0, 0, 0,
                            padded(command.text), 0, 0, 0, 0, 0, 0, code, command.kind))
