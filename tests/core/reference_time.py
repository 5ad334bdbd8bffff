"""What ends by itself or all at once in the reference: expiries, timers, mass cancels, the kill switch."""
from collections.abc import Callable

from engine.core.codes import (
    EXTERNAL_ACCOUNT,
    PPM,
    AccountStatus,
    Code,
    CommandKind,
    EventKind,
    OrderType,
    TimeInForce,
)
from tests.core.command import Command
from tests.core.reference_book import Book, Order
from tests.core.reference_fees import ReferenceFees

DAY_S, NS = 86_400, 10**9
INT64_MAX = 2**63 - 1
ENDS_MAX = 1000
TIMERS_MAX = 64
ENDLESS = (TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK)


class ReferenceTime(ReferenceFees):
    """Deadlines are found by looking at all orders and all timers."""

    def _handlers(self) -> dict[CommandKind, Callable[[Command], None]]:
        return super()._handlers() | {
            CommandKind.TICK: self._tick, CommandKind.TIMER: self._timer, CommandKind.MASS_CANCEL: self._mass_cancel,
            CommandKind.KILL: self._kill, CommandKind.PROTECTION: self._protection}

    def _check_shape(self, command: Command) -> Code:
        timed = command.time_in_force in (TimeInForce.GTD, TimeInForce.DAY)
        code = super()._check_shape(command)
        if code != Code.NONE or not timed:
            return code
        if command.order_type == OrderType.MARKET:
            return Code.BAD_COMMAND
        if command.time_in_force == TimeInForce.DAY:
            return Code.NONE if command.expires_ns == 0 or command.expires_ns > self.time_ns else Code.EXPIRED_ALREADY
        return Code.NONE if command.expires_ns > self.time_ns else Code.EXPIRED_ALREADY

    def _check_parties(self, command: Command) -> Code:
        status = self.accounts.get(command.account)
        if status == AccountStatus.ACTIVE and command.account in self.killed_accounts:
            return Code.KILLED
        code = super()._check_parties(command)
        if code in (Code.NONE, Code.MARKET_CLOSED) and (self.killed or command.instrument in self.killed_books):
            return Code.KILLED
        return code

    def _expiry(self, order: Order) -> int:
        if order.time_in_force in ENDLESS or self.placing.expires_ns:
            return 0 if order.time_in_force in ENDLESS else self.placing.expires_ns
        shift, day = self.books[order.instrument].protection.get("day_end_s", 0) * NS, DAY_S * NS
        return min(((self.time_ns - shift) // day + 1) * day + shift, INT64_MAX)

    def _say(self, kind: EventKind, order: Order, qty: int, left: int, *, amount: int = 0, code: int = 0,
             stp: int = 0, trailing: int = 0, trigger: int = 0, flags: int = 0) -> None:
        super()._say(kind, order, qty, left, amount=amount, code=code, stp=stp, trailing=trailing, trigger=trigger,
                     flags=flags)
        if kind == EventKind.ACCEPTED:
            order.expires_ns = self._expiry(order)
            order.session = self.placing.session if self.placing.kind == CommandKind.PLACE else self.session

    def _place(self, command: Command) -> None:
        self.placing = command
        super()._place(command)

    def _replace(self, command: Command) -> None:
        old = self.open.get(command.order_id) if command.right_slot else None
        old = self.find(command.account, command.text) if command.order_id == 0 else old
        fits = old is not None and (old.account, old.instrument) == (command.account, command.instrument)
        self.session = old.session if old is not None and fits else 0
        super()._replace(command)

    def deadlines(self) -> list[tuple[int, int, Order | tuple[int, int, int]]]:
        """(time, seq, what ends) in order."""
        ends: list[tuple[int, int, Order | tuple[int, int, int]]] = [
            (order.expires_ns, order.order_id, order) for order in self.open.values() if order.expires_ns]
        ends += [(time_ns, seq, key) for key, (time_ns, seq) in self.timers.items()]
        return sorted(ends, key=lambda end: end[:2])

    def _tick(self, _: Command) -> None:
        for _ in range(ENDS_MAX):
            due = [end for end in self.deadlines()[:1] if end[0] <= self.time_ns]
            if not due:
                return
            what = due[0][2]
            if isinstance(what, Order):
                self._take_off(what, Code.EXPIRED)
            else:
                self._end_timer(what)

    def _end_timer(self, key: tuple[int, int, int]) -> None:
        account, session, instrument = key
        del self.timers[key]
        told = Command(CommandKind.TIMER, account, instrument, session=session)
        self._control(told, EventKind.STATUS, reason=Code.TIMER)
        self._cancel_selected(account, instrument, session, Code.TIMER)

    def _cancel_selected(self, account: int, instrument: int, session: int, reason: Code) -> bool:
        orders = sorted(self.open.values(), key=lambda order: (order.account, order.order_id))
        orders = [order for order in orders if account in (0, order.account) and instrument in (0, order.instrument)
                  and session in (0, order.session)]
        for order in orders:
            self._take_off(order, reason)
        return bool(orders)

    def _timer(self, command: Command) -> None:
        key = (command.account, command.session, command.instrument)
        countdown, ends_ns = command.terms["countdown_ns"], 0
        others = [other for other in self.timers if other[0] == command.account and other != key]
        code = Code.NONE
        if command.account == EXTERNAL_ACCOUNT or countdown < 0:
            code = Code.BAD_COMMAND
        elif command.account not in self.accounts:
            code = Code.UNKNOWN_ACCOUNT
        elif command.instrument and command.instrument not in self.books:
            code = Code.UNKNOWN_INSTRUMENT
        elif len(others) >= TIMERS_MAX:
            code = Code.CAPACITY
        elif countdown:
            ends_ns = min(self.time_ns + countdown, INT64_MAX)
            self.timers[key] = ends_ns, self.seq
        else:
            self.timers.pop(key, None)
        self._control(command, EventKind.STATUS, code, amount=ends_ns)

    def _mass_cancel(self, command: Command) -> None:
        disconnected = command.terms["disconnected"]
        reason = Code.DISCONNECTED if disconnected else Code.MASS_CANCEL
        if command.account == 0 and (command.instrument == 0 or command.session):
            self._control(command, EventKind.STATUS, Code.BAD_COMMAND)
        elif not self._cancel_selected(command.account, command.instrument, command.session, reason):
            self._control(command, EventKind.STATUS, self._why_unknown(command))

    def _kill(self, command: Command) -> None:
        on, code = command.terms["on"], self._check_kill(command)
        if code == Code.NONE and command.account:
            (self.killed_accounts.add if on else self.killed_accounts.discard)(command.account)
        elif code == Code.NONE and command.instrument:
            (self.killed_books.add if on else self.killed_books.discard)(command.instrument)
        elif code == Code.NONE:
            self.killed = bool(on)
        self._control(command, EventKind.STATUS, code, amount=on)
        if code == Code.NONE and command.terms["cancel"]:
            self._cancel_selected(command.account, command.instrument, 0, Code.KILL)

    def _check_kill(self, command: Command) -> Code:
        if (command.account and command.instrument) or command.terms["cancel"] > command.terms["on"]:
            return Code.BAD_COMMAND
        if command.account and command.account not in self.accounts:
            return Code.UNKNOWN_ACCOUNT
        missing = command.instrument and command.instrument not in self.books
        return Code.UNKNOWN_INSTRUMENT if missing else Code.NONE

    def _protection(self, command: Command) -> None:
        code = Code.NONE
        if command.terms["slippage_ppm"] > PPM or command.terms["day_end_s"] >= DAY_S:
            code = Code.BAD_COMMAND
        elif command.instrument not in self.books:
            code = Code.UNKNOWN_INSTRUMENT
        else:
            self._book(command).protection = dict(command.terms)
        self._control(command, EventKind.CONFIGURED, code)

    def _book(self, command: Command) -> Book:
        return self.books[command.instrument]
