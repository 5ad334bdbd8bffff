"""Client order ids that place one order only, in the reference: a dict that forgets its oldest entry."""
from collections.abc import Callable
from dataclasses import replace

from engine.core.codes import Code, CommandKind, EventKind, ReplaceHalf
from tests.core.command import Command
from tests.core.reference_lists import ReferenceLists

REMEMBERED_MAX, REMEMBERED_DEFAULT = 2**22, 100_000


class ReferenceOnce(ReferenceLists):
    """(account, text) -> (order_id, what was asked for), the oldest first."""

    def __init__(self, *, top_events: bool = False, orders_max: int = 2**26) -> None:
        super().__init__(top_events=top_events, orders_max=orders_max)
        self.remembered: dict[tuple[int, bytes], tuple[int, Command]] = {}
        self.remembered_max = REMEMBERED_DEFAULT

    def _handlers(self) -> dict[CommandKind, Callable[[Command], None]]:
        return super()._handlers() | {CommandKind.REMEMBER: self._remember}

    def _remember(self, command: Command) -> None:
        count = command.terms["remembered"]
        self._control(command, EventKind.CONFIGURED, Code.BAD_COMMAND if count > REMEMBERED_MAX else Code.NONE)
        if count <= REMEMBERED_MAX:
            self.remembered_max = count
            self._forget()

    def _forget(self) -> None:
        for key in list(self.remembered)[:max(0, len(self.remembered) - self.remembered_max)]:
            del self.remembered[key]

    def _note_placed(self, command: Command, order_id: int) -> None:
        if command.once:
            self.remembered[command.account, command.text] = (order_id, _asked(command))
            self._forget()

    def _once_refusal(self, command: Command) -> tuple[Code, int]:
        if not command.once:
            return Code.NONE, 0
        if not command.text or not self.remembered_max:
            return Code.CAPACITY if command.text else Code.BAD_COMMAND, command.order_id
        order_id, asked = self.remembered.get((command.account, command.text), (0, None))
        if asked is None:
            return Code.NONE, 0
        return Code.REPEATED if asked == _asked(command) else Code.CLIENT_ID_REUSED, order_id

    def _place(self, command: Command) -> None:
        code, order_id = self._once_refusal(command)
        if code != Code.NONE:
            self._refuse(replace(command, order_id=order_id), code)
            return
        first = len(self.events)
        super()._place(command)
        if self.events[first][0] == EventKind.ACCEPTED:
            self._note_placed(command, self.seq)

    def _replace(self, command: Command) -> None:
        code, order_id = self._once_refusal(command)
        if command.once and command.order_id == 0:
            self._refuse(command, Code.BAD_COMMAND)
            self._mark(ReplaceHalf.CANCEL_HALF)
        elif code != Code.NONE:
            self._refuse(replace(command, order_id=order_id), code)
        else:
            super()._replace(command)

    def _leg_refusal(self, header: Command, leg: Command, seq: int, *, first: bool) -> tuple[Code, int]:
        code, order_id = self._once_refusal(leg)
        if code in (Code.REPEATED, Code.CLIENT_ID_REUSED):
            return code, order_id
        return (code, seq) if code != Code.NONE else super()._leg_refusal(header, leg, seq, first=first)


def _asked(command: Command) -> Command:
    """What is said of the order itself."""
    return replace(command, kind=CommandKind.PLACE, order_id=0, mode=0, session=0, slot=0, right_slot=True)
