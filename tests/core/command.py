"""Commands and events as plain Python values, shared by the reference model, the comparison and the stories.

An event is a tuple of all its fields but the slot, which is a place in the core's memory and not part of the rules.
"""
import struct
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from engine.core.batch import Batch
from engine.core.codes import CommandKind, EventKind

RECORD_BYTES = 128
EVENT_FIELDS = struct.Struct("<4BIII QqQqqq 36sBBHqqIHH")
TRADE_FIELDS = struct.Struct("<4BIII QqQqqq QqQQqqqIHH")
TOP_FIELDS = struct.Struct("<B7xIIQqQqqqq56x")
SLOT = 6  # position of the slot among the fields

EventTuple = tuple[Any, ...]


class OpenOrder(NamedTuple):
    """What an owner knows of an open order."""

    order_id: int
    slot: int
    account: int
    instrument: int
    text: bytes


@dataclass(slots=True)
class Command:
    """One command; `order_id` with `right_slot` names an order the way its owner would."""

    kind: int
    account: int = 0
    instrument: int = 0
    side: int = 0
    order_type: int = 0
    time_in_force: int = 0
    price_ticks: int = 0
    qty_lots: int = 0
    amount: int = 0
    text: bytes = b""
    order_id: int = 0
    slot: int = 0
    right_slot: bool = True
    status: int = 0
    scale: int = 0
    stp: int = 0
    mode: int = 0
    trigger_ticks: int = 0
    trade_group: int = 0
    session: int = 0
    expires_ns: int = 0
    trailing_bps: int = 0
    display_lots: int = 0
    once: bool = False
    terms: dict[str, int] = field(default_factory=dict)

    def write(self, batch: Batch) -> None:
        """Appends itself to a batch."""
        match self.kind:
            case CommandKind.PLACE:
                batch.place(self.account, self.instrument, self.side, self.order_type, self.time_in_force,
                            self.price_ticks, self.qty_lots, self.amount, self.text, self.stp,
                            trigger_ticks=self.trigger_ticks, session=self.session, expires_ns=self.expires_ns,
                            trailing_bps=self.trailing_bps, display_lots=self.display_lots, once=self.once)
            case CommandKind.CANCEL:
                batch.cancel(self.account, self.instrument, self.order_id, self.slot, self.text)
            case CommandKind.REDUCE:
                batch.reduce(self.account, self.instrument, self.qty_lots, self.order_id, self.slot, self.text)
            case CommandKind.REPLACE:
                batch.replace(self.account, self.instrument, self.side, self.order_type, self.time_in_force,
                              self.price_ticks, self.qty_lots, self.amount, self.text, self.stp,
                              order_id=self.order_id, slot=self.slot, mode=self.mode,
                              trigger_ticks=self.trigger_ticks, expires_ns=self.expires_ns,
                              trailing_bps=self.trailing_bps, display_lots=self.display_lots, once=self.once)
            case CommandKind.CANCEL_ALL:
                batch.cancel_all(self.account, self.instrument)
            case CommandKind.PLACE_LIST:
                batch.place_list(self.account, self.instrument, self.mode, self.text)
            case CommandKind.CANCEL_LIST:
                batch.cancel_list(self.account, self.instrument, self.order_id, self.slot, self.text)
            case CommandKind.CREDIT:
                batch.credit(self.account, self.instrument, self.amount, self.text, linked=self.mode == 1)
            case CommandKind.DEBIT:
                batch.debit(self.account, self.instrument, self.amount, self.text, linked=self.mode == 1)
            case CommandKind.ASSET:
                batch.asset(self.instrument, self.scale, self.text)
            case CommandKind.INSTRUMENT:
                batch.instrument(self.instrument, text=self.text, status=self.status, **self.terms)
            case CommandKind.INSTRUMENT_LIMITS:
                batch.limits(self.instrument, **self.terms)
            case CommandKind.ACCOUNT:
                batch.account(self.account, self.status, self.text, self.trade_group)
            case _:
                self._write_control(batch)

    def _write_control(self, batch: Batch) -> None:
        match self.kind:
            case CommandKind.FEES:
                batch.fees(self.instrument, **self.terms)
            case CommandKind.ACCOUNT_TIER:
                batch.account_tier(self.account, self.terms["tier"])
            case CommandKind.TICK:
                batch.tick()
            case CommandKind.TIMER:
                batch.timer(self.account, self.terms["countdown_ns"], session=self.session, instrument=self.instrument)
            case CommandKind.MASS_CANCEL:
                batch.mass_cancel(self.account, self.instrument, self.session, bool(self.terms["disconnected"]))
            case CommandKind.KILL:
                batch.kill(self.account, self.instrument, on=bool(self.terms["on"]), cancel=bool(self.terms["cancel"]))
            case CommandKind.AUCTION:
                batch.auction(self.instrument, **self.terms)
            case CommandKind.BUST:
                batch.bust(self.text)
            case CommandKind.PROTECTION:
                batch.protection(self.instrument, **self.terms)
            case CommandKind.REMEMBER:
                batch.remember(self.terms["remembered"])
            case CommandKind.CHECKPOINT:
                batch.checkpoint(self.order_id, self.amount)


def read_events(buffer: memoryview) -> list[EventTuple]:
    """The events of a buffer as tuples without the slot."""
    events = []
    for offset in range(0, len(buffer), RECORD_BYTES):
        kind = buffer[offset]
        if kind == EventKind.TOP:
            events.append(TOP_FIELDS.unpack_from(buffer, offset))
            continue
        layout = TRADE_FIELDS if kind in (EventKind.TRADE, EventKind.PREVENTED, EventKind.BUSTED) else EVENT_FIELDS
        fields = layout.unpack_from(buffer, offset)
        events.append(fields[:SLOT] + fields[SLOT + 1:])
    return events


def read_slots(buffer: memoryview, kind: EventKind = EventKind.ACCEPTED) -> dict[int, int]:
    """order_id -> slot of the orders accepted in a buffer, or of its events of another kind."""
    slots = {}
    for offset in range(0, len(buffer), RECORD_BYTES):
        if buffer[offset] == kind:
            fields = EVENT_FIELDS.unpack_from(buffer, offset)
            slots[fields[SLOT + 3]] = fields[SLOT]
    return slots
