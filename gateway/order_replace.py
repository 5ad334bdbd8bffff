"""order.cancelReplace: one order canceled and another placed, with nothing between them; one command of the core.

What can be refused before is refused before, with nothing done: shape, filters, what is not sent rightly. What the core
decides comes back as two halves: both done 200; one of them 409 -2021; none 400 -2022, with both halves in `data`.
The order to cancel must be known when the request is read: one whose placing is still on its way is not found.
"""
from functools import partial

import msgspec
from msgspec import Raw

from engine.core.batch import Batch
from engine.core.codes import EventKind, ReplaceHalf, ReplaceMode
from engine.core.exchange import Exchange
from engine.core.unpack import Event
from engine.instruments import Catalog, Instrument
from gateway.order_store import Order
from gateway.order_terms import (
    PLACE_PARAMS,
    Params,
    check_filters,
    client_order_id,
    find_instrument,
    needed,
    order_id,
    read_order,
)
from gateway.orders import Finish, OrderDesk, wanted_reply
from gateway.protocol import NULL, CancelReplaced, encode
from gateway.refusals import (
    CLIENT_ORDER_ID_MISMATCH,
    INVALID_PARAMETER,
    ONE_OF_TWO,
    REPLACE_FAILED,
    REPLACE_PARTIAL,
    UNKNOWN_ORDER,
    Refusal,
    body,
    of_core,
)

SUCCESS, FAILURE, NOT_ATTEMPTED = "SUCCESS", "FAILURE", "NOT_ATTEMPTED"
_PARAMS = PLACE_PARAMS | {
    "cancelReplaceMode", "cancelNewClientOrderId", "cancelOrigClientOrderId", "cancelOrderId", "cancelRestrictions",
    "orderRateLimitExceededMode"}
CANCEL_ONLY = "CANCEL_ONLY"
_RATE_MODES = ("DO_NOTHING", CANCEL_ONLY)
_NO_ORDER = 2**63 - 1   # an id that no order has: the core then tells of the half that failed
_REJECTED, _CANCEL_HALF = int(EventKind.REJECTED), int(ReplaceHalf.CANCEL_HALF)


class OrderReplacer:
    """The method, beside the OrderDesk whose replies it uses."""

    def __init__(self, core: Exchange, catalog: Catalog, desk: OrderDesk) -> None:
        self._core, self._catalog, self._desk = core, catalog, desk

    def replace(self, batch: Batch, account: int, params: Params, unit_ns: int) -> Finish:
        """order.cancelReplace"""
        instrument = find_instrument(params, self._catalog.by_symbol)
        mode = _mode(params)
        terms = read_order(params, instrument, _PARAMS)
        reply_type = wanted_reply(params, terms)
        text = client_order_id(params, "newClientOrderId") or self._desk.new_id()
        cancel_id = client_order_id(params, "cancelNewClientOrderId") or self._desk.new_id()
        if params.get("orderRateLimitExceededMode", _RATE_MODES[0]) not in _RATE_MODES:
            raise Refusal(INVALID_PARAMETER, "orderRateLimitExceededMode")
        order, why_not = self._target(account, params, instrument)
        check_filters(terms, instrument, self._core.last_price(instrument.id))
        if why_not is not None and mode == ReplaceMode.STOP_ON_FAILURE and not terms.once:   # the core may know it
            raise _refused(FAILURE, NOT_ATTEMPTED, why_not.body(), NULL)
        batch.replace(
            account, **terms._asdict(), text=text.encode(), mode=mode, order_id=order.id if order else _NO_ORDER,
            slot=order.slot if order else 0)
        return partial(self._replaced, why_not, reply_type, cancel_id, unit_ns)

    def cancel_only(self, batch: Batch, account: int, params: Params, unit_ns: int, refused: Refusal) -> Finish:
        """order.cancelReplace when the new order is one too many and the client wants the cancel even so."""
        instrument = find_instrument(params, self._catalog.by_symbol)
        check_filters(read_order(params, instrument, _PARAMS), instrument, self._core.last_price(instrument.id))
        _mode(params)
        cancel_id = client_order_id(params, "cancelNewClientOrderId") or self._desk.new_id()
        too_many = body(refused.code, refused.msg)
        order, why_not = self._target(account, params, instrument)
        if order is None or why_not is not None:
            raise _refused(FAILURE, FAILURE, (why_not or Refusal(UNKNOWN_ORDER)).body(), too_many)
        batch.cancel(account, instrument.id, order.id, order.slot)
        return partial(self._only_canceled, cancel_id, unit_ns, too_many)

    def _only_canceled(self, cancel_id: str, unit_ns: int, too_many: bytes, events: list[Event]) -> bytes:
        try:
            cancel = self._desk.canceled(cancel_id, unit_ns, events)
        except Refusal as refusal:
            raise _refused(FAILURE, FAILURE, refusal.body(), too_many) from None
        raise _refused(SUCCESS, FAILURE, cancel, too_many)

    def _target(self, account: int, params: Params, instrument: Instrument) -> tuple[Order | None, Refusal | None]:
        """The order to cancel, or why it will not be."""
        wanted = order_id(params, "cancelOrderId")
        text = client_order_id(params, "cancelOrigClientOrderId")
        if wanted is None and text is None:
            raise Refusal(ONE_OF_TWO, "cancelOrigClientOrderId", "cancelOrderId")
        order = self._desk.find(account, wanted or 0, text or "")
        try:
            if order is None or order.account != account or order.instrument != instrument.id:
                raise Refusal(UNKNOWN_ORDER)
            if text is not None and text != order.text:
                raise Refusal(CLIENT_ORDER_ID_MISMATCH)
            if "cancelRestrictions" in params:
                self._desk.check_restrictions(params, order)
        except Refusal as refusal:
            return None, refusal
        return order, None

    def _replaced(self, why_not: Refusal | None, reply_type: str, cancel_id: str, unit_ns: int,
                  events: list[Event]) -> bytes:
        first, rest = events[0], events[1:]
        if first.kind != _REJECTED:
            canceled, cancel = SUCCESS, self._desk.canceled(cancel_id, unit_ns, [first])
        elif first.flags & _CANCEL_HALF:
            canceled, cancel = FAILURE, (why_not or of_core(first.code)).body()
        else:
            raise of_core(first.code, first.order_id)
        placed, place = NOT_ATTEMPTED, NULL
        if rest and rest[0].kind == _REJECTED:
            placed, place = FAILURE, of_core(rest[0].code).body()
        elif rest:
            placed, place = SUCCESS, self._desk.placed(reply_type, unit_ns, rest)
        if canceled == placed == SUCCESS:
            return encode(CancelReplaced(canceled, placed, Raw(cancel), Raw(place)))
        raise _refused(canceled, placed, cancel, place)


def _refused(canceled: str, placed: str, cancel: bytes, place: bytes) -> Refusal:
    terms = REPLACE_PARTIAL if SUCCESS in (canceled, placed) else REPLACE_FAILED
    data = msgspec.json.decode(encode(CancelReplaced(canceled, placed, Raw(cancel), Raw(place))))
    return Refusal(terms, data=data)


def _mode(params: Params) -> int:
    text = needed(params, "cancelReplaceMode")
    if text not in ReplaceMode.__members__:
        raise Refusal(INVALID_PARAMETER, "cancelReplaceMode")
    return int(ReplaceMode[text])
