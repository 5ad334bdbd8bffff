"""The operator's holds: create, post, void, look; and those that expire. engine/transfers.py says what a hold is.

Exactly once by id: the same request again, at any time, also after a crash, is answered with how things stand and does
nothing; another request with a used id, or another end of an ended one, is refused. What is on its way to the disk is
refused as busy until it is there. Nothing is remembered here that the journal does not say.
"""
import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress

import msgspec
from msgspec.structs import replace

from engine.config import Transfers as Limits
from engine.core.batch import Batch
from engine.core.codes import EXTERNAL_ACCOUNT, EventKind
from engine.core.decimals import parse_decimal
from engine.core.unpack import Event
from engine.errors import Busy, Stopped, StorageFull, VenueError
from engine.instruments import Asset
from engine.service import Engine
from engine.transfers import ID, State, Transfer
from gateway.order_terms import DECIMAL_RANGE, Params, needed, unread
from gateway.refusals import (
    DISCONNECTED,
    ILLEGAL_CHARACTERS,
    INVALID_PARAMETER,
    SERVER_BUSY,
    STORAGE_FULL,
    Refusal,
    Terms,
    of_core,
)

HOLD_CONFLICT = Terms(409, -1130, "Hold %s: %s")
NO_HOLDS = Terms(400, -1020, "No holds are offered: set transfers.holds_account to an account that is nobody's.")
HOLDS_USED_UP = Terms(503, -1008, "transfers.transfers_max holds are remembered: raise it.")
NO_SUCH_HOLD = Terms(400, -1130, "There is no hold %s.")
Answer = Callable[[bytes], None]
Refuse = Callable[[Refusal], None]
Method = Callable[[Params, Answer, Refuse], None]
_REJECTED = int(EventKind.REJECTED)
_log = logging.getLogger(__name__)


class HoldDesk:
    """`methods` are offered at the door; between `open` and `close` holds expire."""

    def __init__(self, engine: Engine, limits: Limits) -> None:
        self._engine, self._transfers, self._limits = engine, engine.transfers, limits
        self._on_its_way: set[str] = set()
        self._expiring: asyncio.Task[None] | None = None
        self.methods: dict[str, Method] = {
            name: self._guarded(method) for name, method in (
                ("admin.hold.create", self.create), ("admin.hold.post", self.post), ("admin.hold.void", self.void),
                ("admin.hold.status", self.status))}

    def open(self) -> None:
        """Let holds expire from now on."""
        if self._limits.holds_account:
            self._expiring = asyncio.get_running_loop().create_task(self._expire())

    def close(self) -> None:
        """No more do."""
        if self._expiring is not None:
            self._expiring.cancel()

    def create(self, params: Params, answer: Answer, refuse: Refuse) -> None:
        """admin.hold.create {id, account, asset: code, amount: decimal, beneficiary: account or 0, until: ms or 0}"""
        wanted, transfers = self._wanted(params), self._transfers
        known = transfers.known.get(wanted.id)
        if known is not None:
            if _terms(known) != _terms(wanted):
                raise Refusal(HOLD_CONFLICT, wanted.id, "the id was used for another one")
            answer(self._shown(known))
            return
        if len(transfers.known) + len(self._on_its_way) >= self._limits.transfers_max:
            raise Refusal(HOLDS_USED_UP)
        for account in (wanted.account, wanted.beneficiary):
            if account == transfers.holds_account or self._engine.core.account_status(account) < 0:
                raise Refusal(INVALID_PARAMETER, "account" if account == wanted.account else "beneficiary")
        batch = Batch()
        if self._engine.core.account_status(transfers.holds_account) < 0:
            batch.account(transfers.holds_account, 0, "holds")
        transfers.hold(batch, wanted)
        self._submit(wanted.id, batch, answer, refuse)

    def post(self, params: Params, answer: Answer, refuse: Refuse) -> None:
        """admin.hold.post {id, amount: decimal, all of it if missing}: to the beneficiary; the rest goes back"""
        _only(params, {"id", "amount"})
        transfer = self._known(params)
        asset = self._engine.catalog.assets[transfer.asset]
        posted = _amount(params, asset) if "amount" in params else transfer.amount
        if posted > transfer.amount:
            raise Refusal(HOLD_CONFLICT, transfer.id, "that is more than is held")
        self._end(transfer, State.POSTED, posted, answer, refuse)

    def void(self, params: Params, answer: Answer, refuse: Refuse) -> None:
        """admin.hold.void {id}: everything goes back"""
        _only(params, {"id"})
        self._end(self._known(params), State.VOIDED, 0, answer, refuse)

    def status(self, params: Params, answer: Answer, refuse: Refuse) -> None:
        """admin.hold.status {id}"""
        _only(params, {"id"})
        answer(self._shown(self._known(params)))

    def _end(self, transfer: Transfer, state: State, posted: int, answer: Answer, refuse: Refuse) -> None:
        if transfer.state is not State.HELD:
            if (transfer.state, transfer.posted) != (state, posted):
                raise Refusal(HOLD_CONFLICT, transfer.id, f"it is {transfer.state.name.lower()} already")
            answer(self._shown(transfer))
            return
        batch = Batch()
        self._transfers.end(batch, transfer, state, posted)
        self._submit(transfer.id, batch, answer, refuse)

    def _submit(self, name: str, batch: Batch, answer: Answer, refuse: Refuse) -> None:
        """All commands in one frame; the answer when they are durable and applied."""
        if name in self._on_its_way:
            raise Refusal(SERVER_BUSY)

        def done(first_seq: int, events: list[Event]) -> None:
            self._on_its_way.discard(name)
            refused = next((event for event in events if event.kind == _REJECTED), None)
            if refused is not None:
                refuse(of_core(refused.code))
            else:
                answer(self._shown(self._transfers.known[name]))
        self._engine.submit(batch, done)
        self._on_its_way.add(name)

    async def _expire(self) -> None:
        while True:
            await asyncio.sleep(self._limits.look_seconds)
            for transfer in self._transfers.due(time.time_ns(), self._limits.expired_at_once):
                with suppress(Refusal, VenueError):     # busy, full or closing: at the next look
                    self._end(transfer, State.EXPIRED, 0, _nobody, _log_refusal)

    def _wanted(self, params: Params) -> Transfer:
        _only(params, {"id", "account", "asset", "amount", "beneficiary", "until"})
        asset = self._engine.catalog.asset_by_code.get(needed(params, "asset"))
        if asset is None:
            raise Refusal(INVALID_PARAMETER, "asset")
        wanted = Transfer(
            id=_id(params), account=_number(params, "account"), asset=asset.id, amount=_amount(params, asset),
            beneficiary=_number(params, "beneficiary") if "beneficiary" in params else EXTERNAL_ACCOUNT,
            until_ns=_number(params, "until") * 10**6 if "until" in params else 0, seq=0, time_ns=0)
        if wanted.amount == 0 or wanted.account in (EXTERNAL_ACCOUNT, wanted.beneficiary):
            raise Refusal(INVALID_PARAMETER, "account" if wanted.amount else "amount")
        return wanted

    def _known(self, params: Params) -> Transfer:
        name = _id(params)
        if name not in self._transfers.known:
            raise Refusal(SERVER_BUSY) if name in self._on_its_way else Refusal(NO_SUCH_HOLD, name)
        return self._transfers.known[name]

    def _shown(self, transfer: Transfer) -> bytes:
        asset = self._engine.catalog.assets[transfer.asset]
        return msgspec.json.encode({
            "id": transfer.id, "state": transfer.state.name, "account": transfer.account,
            "beneficiary": transfer.beneficiary, "asset": asset.code, "amount": asset.text(transfer.amount),
            "posted": asset.text(transfer.posted), "until": transfer.until_ns // 10**6, "seq": transfer.seq,
            "endSeq": transfer.end_seq})

    def _guarded(self, method: Method) -> Method:
        """The engine's ways of taking nothing, as refusals."""
        def called(params: Params, answer: Answer, refuse: Refuse) -> None:
            if not self._limits.holds_account:
                raise Refusal(NO_HOLDS)
            try:
                method(params, answer, refuse)
            except StorageFull:
                raise Refusal(STORAGE_FULL) from None
            except Busy:
                raise Refusal(SERVER_BUSY) from None
            except Stopped:
                raise Refusal(DISCONNECTED) from None
        return called


def _terms(transfer: Transfer) -> Transfer:
    """What the one who asked for it said."""
    return replace(transfer, holder=0, posted=0, state=State.HELD, seq=0, time_ns=0, end_seq=0, end_ns=0)


def _only(params: Params, known: set[str]) -> None:
    if not known.issuperset(params):
        raise unread(params, frozenset(known))


def _id(params: Params) -> str:
    name = needed(params, "id")
    if not ID.fullmatch(name):
        raise Refusal(ILLEGAL_CHARACTERS, "id", f"^{ID.pattern}$")
    return name


def _amount(params: Params, asset: Asset) -> int:
    amount = parse_decimal(needed(params, "amount"), asset.scale)
    if amount < 0:
        raise Refusal(ILLEGAL_CHARACTERS, "amount", DECIMAL_RANGE)
    return amount


def _number(params: Params, name: str) -> int:
    text = needed(params, name)
    if not (text.isascii() and text.isdigit() and len(text) <= 13):
        raise Refusal(ILLEGAL_CHARACTERS, name, "^[0-9]{1,13}$")
    return int(text)


def _nobody(body: bytes) -> None:
    """An expiry has nobody who asked for it."""


def _log_refusal(refusal: Refusal) -> None:
    _log.error("a hold could not expire: %s", refusal)
