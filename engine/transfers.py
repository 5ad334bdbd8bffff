"""Transfers in two steps: money is held first, then posted to whom it is for, or given back.

    HELD ──▶ POSTED    all of it or a part; the rest goes back at once
         ├─▶ VOIDED    all of it goes back
         └─▶ EXPIRED   the same, when its time has come

The core owns the money. A hold moves it from the owner to the holds account, so nobody can trade it; each step is one
batch of linked commands in one frame of the journal, so it happens whole or not at all, whatever is killed when:

    hold     DEBIT owner (linked)                 CREDIT holds account
    post     DEBIT holds account, all (linked)    CREDIT owner the rest (linked)   CREDIT beneficiary what is posted
    void     DEBIT holds account, all (linked)    CREDIT owner

A beneficiary of 0 is the world outside: nobody is credited, the money has left. Commands carry "hold:ID", "post:ID",
"void:ID" or "exp:ID" as their reference; what is known of transfers is made of these events alone, so every reader of
the journal knows the same. An id is used once, for ever (`transfers_max` of them, then no new hold is taken).
"""
import re
from enum import IntEnum

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from engine.core.batch import Batch
from engine.core.codes import EXTERNAL_ACCOUNT, EventKind
from engine.core.unpack import Event
from engine.event_kinds import events_of_kind

ID = re.compile(r"[A-Za-z0-9_.-]{1,31}")
REFERENCE = re.compile(rb"(hold|post|void|exp):([A-Za-z0-9_.-]{1,31})")
_MONEY = int(EventKind.MONEY)
_MONEY_FIELDS = ("account", "instrument", "amount", "seq", "time_ns", "price_ticks", "qty_lots")


class State(IntEnum):
    """transfer.state"""

    HELD = 1
    POSTED = 2
    VOIDED = 3
    EXPIRED = 4


_ENDS = {b"post": State.POSTED, b"void": State.VOIDED, b"exp": State.EXPIRED}
_VERBS = {State.POSTED: "post", State.VOIDED: "void", State.EXPIRED: "exp"}


class Transfer(Struct, kw_only=True, array_like=True):
    """One transfer; amounts in minor units. `end_seq` is 0 while the money is held."""

    id: str
    account: int            # whose money
    beneficiary: int        # 0: the world outside
    asset: int
    amount: int
    posted: int = 0
    until_ns: int           # 0: no end
    holder: int = 0         # account that keeps the money meanwhile
    state: State = State.HELD
    seq: int                # of the hold
    time_ns: int
    end_seq: int = 0
    end_ns: int = 0


def reserved(reference: str) -> bool:
    """Whether a reference is one of ours, which others must not use."""
    return REFERENCE.match(reference.encode()) is not None


class Transfers:
    """Every transfer by id, as the events of the journal tell them. Each event is taken in once, in order."""

    def __init__(self, holds_account: int = 0) -> None:
        """`holds_account`: for new holds; whoever only follows the journal needs none."""
        self.holds_account = holds_account
        self.known: dict[str, Transfer] = {}
        self.held: dict[str, Transfer] = {}

    def apply(self, events: list[Event]) -> None:
        """Take in the events of applied commands."""
        for event in events_of_kind(events, _MONEY):
            if found := REFERENCE.fullmatch(event.text):
                self._money(found, event.account, event.instrument, event.amount, event.seq, event.time_ns,
                            event.price_ticks, event.qty_lots)

    def apply_rows(self, events: NDArray[np.void]) -> list[Transfer]:
        """The same with EVENT records; those that began or ended."""
        money, touched = events[events["kind"] == _MONEY], dict[str, Transfer]()
        for place, text in enumerate(money["text"].tolist()):
            if found := REFERENCE.fullmatch(text):
                transfer = self._money(found, *(int(money[name][place]) for name in _MONEY_FIELDS))
                if transfer is not None:
                    touched[transfer.id] = transfer
        return list(touched.values())

    def _money(self, reference: re.Match[bytes], account: int, asset: int, amount: int, seq: int, time_ns: int,
               beneficiary: int, until_ns: int) -> Transfer | None:
        """One MONEY event with such a reference; the transfer it belongs to."""
        verb, name = reference[1], reference[2].decode()
        transfer = self.known.get(name)
        if verb == b"hold" and transfer is None and amount < 0:
            transfer = Transfer(id=name, account=account, beneficiary=beneficiary, asset=asset, amount=-amount,
                                until_ns=until_ns, seq=seq, time_ns=time_ns)
            self.keep(transfer)
        elif verb == b"hold" and transfer is not None and seq == transfer.seq + 1:
            transfer.holder = account
        elif verb != b"hold" and transfer is not None:
            self._end(transfer, _ENDS[verb], account, amount, seq, time_ns)
        else:
            return None
        return transfer

    def _end(self, transfer: Transfer, state: State, account: int, amount: int, seq: int, time_ns: int) -> None:
        if transfer.state is State.HELD and account == transfer.holder and amount < 0:
            transfer.state, transfer.end_seq, transfer.end_ns = state, seq, time_ns
            transfer.posted = transfer.amount if state is State.POSTED else 0
            del self.held[transfer.id]
        elif transfer.state is State.POSTED and account == transfer.account and amount > 0:
            transfer.posted -= amount

    def keep(self, transfer: Transfer) -> None:
        """One more is known."""
        self.known[transfer.id] = transfer
        if transfer.state is State.HELD:
            self.held[transfer.id] = transfer

    def due(self, now_ns: int, most: int) -> list[Transfer]:
        """Those held whose time has come, oldest first. O(held)."""
        late = [each for each in self.held.values() if 0 < each.until_ns <= now_ns]
        return sorted(late, key=lambda each: each.until_ns)[:most]

    def hold(self, batch: Batch, transfer: Transfer) -> None:
        """Add the commands that begin it."""
        text = f"hold:{transfer.id}"
        batch.debit(transfer.account, transfer.asset, transfer.amount, text, linked=True,
                    to_account=transfer.beneficiary, until_ns=transfer.until_ns)
        batch.credit(self.holds_account, transfer.asset, transfer.amount, text)

    def end(self, batch: Batch, transfer: Transfer, state: State, posted: int = 0) -> None:
        """Add the commands that end it in this state; `posted` of it to the beneficiary, the rest to the owner."""
        text, rest = f"{_VERBS[state]}:{transfer.id}", transfer.amount - posted
        pays = posted > 0 and transfer.beneficiary != EXTERNAL_ACCOUNT
        batch.debit(transfer.holder, transfer.asset, transfer.amount, text, linked=rest > 0 or pays)
        if rest > 0:
            batch.credit(transfer.account, transfer.asset, rest, text, linked=pays)
        if pays:
            batch.credit(transfer.beneficiary, transfer.asset, posted, text)

    def dump(self) -> bytes:
        """All of it, for a snapshot."""
        return msgspec.msgpack.encode(list(self.known.values()))

    def load(self, data: bytes | memoryview) -> None:
        """What `dump` gave. Raises msgspec's errors."""
        for transfer in msgspec.msgpack.decode(data, type=list[Transfer]):
            self.keep(transfer)
