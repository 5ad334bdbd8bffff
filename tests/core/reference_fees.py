"""Fee schedules in the reference: instrument and tier to what makers and takers pay."""
from collections.abc import Callable

from engine.core.codes import FEE_ACCOUNT, PPM, Code, CommandKind, EventKind
from tests.core.command import Command
from tests.core.reference_book import Book, Order
from tests.core.reference_limits import ReferenceLimits

TIERS = 16
NO_TEXT = bytes(36)


class ReferenceFees(ReferenceLimits):
    """Rebates are paid out of what the fee account has."""

    def _handlers(self) -> dict[CommandKind, Callable[[Command], None]]:
        return super()._handlers() | {CommandKind.FEES: self._fees, CommandKind.ACCOUNT_TIER: self._tier}

    def _control(self, command: Command, kind: EventKind, code: Code = Code.NONE, *, amount: int = 0, side: int = 0,
                 reason: int = 0) -> None:
        """What a command of the venue itself is answered with."""
        kind = kind if code == Code.NONE else EventKind.REJECTED
        self.events.append((kind, side, 0, 0, command.account, command.instrument, self.seq, self.time_ns, 0, 0, 0, 0,
                            NO_TEXT, 0, 0, 0, amount, 0, 0, code or reason, command.kind))

    def _fees(self, command: Command) -> None:
        terms, code = command.terms, Code.NONE
        if terms["tier"] >= TIERS or max(abs(terms["maker_fee_ppm"]), abs(terms["taker_fee_ppm"])) > PPM:
            code = Code.BAD_COMMAND
        elif command.instrument not in self.books:
            code = Code.UNKNOWN_INSTRUMENT
        elif terms["clear"]:
            self.schedules.pop((command.instrument, terms["tier"]), None)
        else:
            self.schedules[command.instrument, terms["tier"]] = terms["maker_fee_ppm"], terms["taker_fee_ppm"]
        self._control(command, EventKind.CONFIGURED, code)

    def _tier(self, command: Command) -> None:
        code = Code.NONE
        if command.terms["tier"] >= TIERS:
            code = Code.BAD_COMMAND
        elif command.account not in self.accounts:
            code = Code.UNKNOWN_ACCOUNT
        else:
            self.tiers[command.account] = command.terms["tier"]
        self._control(command, EventKind.CONFIGURED, code)

    def rates(self, instrument: int, tier: int) -> tuple[int, int]:
        """(maker, taker) in ppm."""
        terms = self.books[instrument].terms
        own = self.schedules.get((instrument, 0), (terms["maker_fee_ppm"], terms["taker_fee_ppm"]))
        return self.schedules.get((instrument, tier), own)

    def _fee(self, order: Order, book: Book, received: int, role: str) -> int:
        rates = self.rates(order.instrument, self.tiers.get(order.account, 0))
        ppm = rates[role == "taker_fee_ppm"]
        if ppm >= 0:
            return received * ppm // PPM
        asset = book.pay_asset(1 - order.side)
        return 0 if order.account == FEE_ACCOUNT else -min(received * -ppm // PPM, self.balance(FEE_ACCOUNT, asset)[0])
