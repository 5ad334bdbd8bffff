"""The trading methods: a request becomes one command in a batch and a function that makes the reply of its events.

Every method here has the shape (batch, account, params, unit_ns) -> Finish. It raises Refusal when the request itself
is wrong; then nothing was added to the batch. Finish takes the events of that one command, once they are durable and
applied, and gives the JSON of the result, or raises the Refusal that the core decided.

The id of a cancel (newClientOrderId) is no part of the journal: it lives in the Finish and in the event it causes.
"""
import itertools
import secrets
from collections.abc import Callable
from functools import partial

from engine.core.batch import Batch
from engine.core.codes import EventKind, OrderType
from engine.core.exchange import Exchange
from engine.core.unpack import Event
from engine.event_kinds import events_of_kind
from engine.instruments import Catalog, Instrument
from gateway.order_lists import OrderLists
from gateway.order_replies import order_ack, order_amended, order_canceled, order_result
from gateway.order_store import NEW, PARTIALLY_FILLED, Order, OrderStore
from gateway.order_terms import (
    SECURITY_PARAMS,
    OrderTerms,
    Params,
    client_order_id,
    find_instrument,
    needed,
    order_id,
    read_lots,
    read_order,
    unread,
)
from gateway.protocol import encode
from gateway.refusals import (
    ABOVE_MAXIMUM,
    CANCEL_RESTRICTED,
    CLIENT_ORDER_ID_MISMATCH,
    INVALID_CANCEL_RESTRICTIONS,
    INVALID_PARAMETER,
    NOT_REQUIRED,
    ONE_OF_TWO,
    UNKNOWN_ORDER,
    Refusal,
    of_core,
)
from gateway.small_shapes import Countdown
from gateway.user_events import UserStreams

Finish = Callable[[list[Event]], bytes]

ACK, RESULT, FULL = "ACK", "RESULT", "FULL"
_REJECTED, _CANCELED = int(EventKind.REJECTED), int(EventKind.CANCELED)
_USUALLY_FULL = (OrderType.LIMIT, OrderType.MARKET)
_TARGET_PARAMS = SECURITY_PARAMS | {"symbol", "orderId", "origClientOrderId", "newClientOrderId"}
_CANCEL_PARAMS = _TARGET_PARAMS | {"cancelRestrictions"}
_RESTRICTIONS = {"ONLY_NEW": NEW, "ONLY_PARTIALLY_FILLED": PARTIALLY_FILLED}
_AMEND_PARAMS = _TARGET_PARAMS | {"newQty"}
_AFTER_PARAMS = SECURITY_PARAMS | {"symbol", "countdownTime"}
COUNTDOWN_MS_MAX = 7 * 86_400_000
NS_PER_MS = 1_000_000
_ALL_PARAMS = SECURITY_PARAMS | {"symbol"}


class OrderDesk:
    """Order entry for all connections of this process."""

    def __init__(self, core: Exchange, catalog: Catalog, store: OrderStore, lists: OrderLists,
                 streams: UserStreams) -> None:
        self._core = core
        self._catalog = catalog
        self._store, self._lists = store, lists
        self._streams = streams
        prefix = secrets.token_hex(6)   # ids made by us differ from those made before a restart
        self.new_id: Callable[[], str] = (f"{prefix}{number:010x}" for number in itertools.count(1)).__next__

    def place(self, batch: Batch, account: int, params: Params, unit_ns: int, session: int = 0) -> Finish:
        """order.place; `session`: whose end may end the order (gateway/disconnects.py)"""
        terms = read_order(params, find_instrument(params, self._catalog.by_symbol))
        text = client_order_id(params, "newClientOrderId") or self.new_id()
        reply_type = wanted_reply(params, terms)
        batch.place(account, **terms._asdict(), text=text.encode(), session=session)
        return partial(self.placed, reply_type, unit_ns)

    def cancel(self, batch: Batch, account: int, params: Params, unit_ns: int) -> Finish:
        """order.cancel"""
        if not _CANCEL_PARAMS.issuperset(params):
            raise unread(params, _CANCEL_PARAMS)
        instrument = find_instrument(params, self._catalog.by_symbol)
        cancel_id = client_order_id(params, "newClientOrderId") or self.new_id()
        target = self._target(account, params, instrument)
        if "cancelRestrictions" in params:
            self.check_restrictions(params, self.find(account, target[0], target[2].decode()))
        batch.cancel(account, instrument.id, *target)
        return partial(self.canceled, cancel_id, unit_ns)

    def cancel_all(self, batch: Batch, account: int, params: Params, unit_ns: int) -> Finish:
        """openOrders.cancelAll"""
        if not _ALL_PARAMS.issuperset(params):
            raise unread(params, _ALL_PARAMS)
        batch.cancel_all(account, find_instrument(params, self._catalog.by_symbol).id)
        return partial(self._canceled_all, self.new_id(), unit_ns)

    def cancel_all_after(self, batch: Batch, account: int, params: Params, unit_ns: int) -> Finish:
        """openOrders.cancelAllAfter: a dead man's timer, of one symbol or all; 0 takes it away"""
        if not _AFTER_PARAMS.issuperset(params):
            raise unread(params, _AFTER_PARAMS)
        instrument = find_instrument(params, self._catalog.by_symbol) if "symbol" in params else None
        countdown_ms = order_id({"countdownTime": needed(params, "countdownTime")}, "countdownTime")
        if countdown_ms is None or countdown_ms > COUNTDOWN_MS_MAX:
            raise Refusal(ABOVE_MAXIMUM, "countdownTime", COUNTDOWN_MS_MAX)
        batch.timer(account, countdown_ms * NS_PER_MS, instrument=instrument.id if instrument else 0)
        return partial(_timed, instrument.symbol if instrument else None, countdown_ms, unit_ns)

    def amend(self, batch: Batch, account: int, params: Params, unit_ns: int) -> Finish:
        """order.amend.keepPriority: a smaller quantity; the client order id stays as it is."""
        if not _AMEND_PARAMS.issuperset(params):
            raise unread(params, _AMEND_PARAMS)
        instrument = find_instrument(params, self._catalog.by_symbol)
        lots = read_lots(params, "newQty", instrument)
        target = self._target(account, params, instrument)
        order = self.find(account, target[0], target[2].decode())
        if "newClientOrderId" in params and params["newClientOrderId"] != (order.text if order else target[2].decode()):
            raise Refusal(NOT_REQUIRED, "newClientOrderId")
        batch.reduce(account, instrument.id, max(0, lots - (order.decremented_lots if order else 0)), *target)
        return partial(self._amended, unit_ns)

    def find(self, account: int, wanted: int, text: str) -> Order | None:
        """The account's open order of this id or, when that is 0, of this client order id, as far as it is known."""
        if wanted:
            return self._store.find_open(wanted)
        open_id, _ = self._core.find(account, text.encode())
        return self._store.find_open(open_id)

    def check_restrictions(self, params: Params, order: Order | None) -> None:
        """cancelRestrictions, looked at when the request is read. Raises Refusal."""
        wanted = _RESTRICTIONS.get(params["cancelRestrictions"])
        if wanted is None:
            raise Refusal(INVALID_CANCEL_RESTRICTIONS)
        if order is None:
            raise Refusal(UNKNOWN_ORDER)
        if order.status != wanted:
            raise Refusal(CANCEL_RESTRICTED)

    # from a request to the order it means

    def _target(self, account: int, params: Params, instrument: Instrument) -> tuple[int, int, bytes]:
        """(order id, slot, client id) for the core. By client id alone the core looks the order up when it comes to it,
        so that a cancel may be sent right behind its order."""
        wanted = order_id(params)
        text = client_order_id(params, "origClientOrderId")
        if wanted is None:
            if text is None:
                raise Refusal(ONE_OF_TWO, "origClientOrderId", "orderId")
            return 0, 0, text.encode()
        order = self._store.find_open(wanted)
        if order is None or order.account != account or order.instrument != instrument.id:
            raise Refusal(UNKNOWN_ORDER)
        if text is not None and text != order.text:
            raise Refusal(CLIENT_ORDER_ID_MISMATCH)
        return order.id, order.slot, b""

    # from events to the reply

    def placed(self, reply_type: str, unit_ns: int, events: list[Event]) -> bytes:
        """The reply to a new order."""
        first = _first(events)
        instrument = self._catalog.by_id[first.instrument]
        if reply_type == ACK:
            return encode(order_ack(first, instrument, unit_ns))
        return encode(order_result(events, instrument, unit_ns, reply_type == FULL))

    def canceled(self, cancel_id: str, unit_ns: int, events: list[Event]) -> bytes:
        """The reply to a cancel."""
        event = _first(events)
        self._streams.name_cancel(event.account, event.seq, cancel_id)
        order, instrument = self._order_of(event)
        return encode(order_canceled(order, event, cancel_id, instrument, unit_ns))

    def _canceled_all(self, cancel_id: str, unit_ns: int, events: list[Event]) -> bytes:
        first = _first(events)
        self._streams.name_cancel(first.account, first.seq, cancel_id)
        replies = []
        for event in events_of_kind(events, _CANCELED):   # beside them, lists tell that they are done
            order, instrument = self._order_of(event)
            replies.append(order_canceled(order, event, cancel_id, instrument, unit_ns))
        return encode(replies)

    def _amended(self, unit_ns: int, events: list[Event]) -> bytes:
        event = _first(events)
        order, instrument = self._order_of(event)
        quote_filled = self._store.quote_at_reduction[event.seq]
        reply = order_amended(order, event, quote_filled, instrument, unit_ns)
        if order.list_id:
            reply.list_status = self._lists.amended(order, instrument.symbol)
        return encode(reply)

    def _order_of(self, event: Event) -> tuple[Order, Instrument]:
        order = self._store.get(event.account, event.order_id)
        assert order is not None, "an order stays known until the frame after its end"
        return order, self._catalog.by_id[order.instrument]


def _timed(symbol: str | None, countdown_ms: int, unit_ns: int, events: list[Event]) -> bytes:
    event = _first(events)
    return encode(Countdown(symbol, countdown_ms, event.amount // unit_ns))


def wanted_reply(params: Params, terms: OrderTerms) -> str:
    """newOrderRespType, or the usual one of the order's type. Raises Refusal."""
    reply_type = params.get("newOrderRespType") or (FULL if terms.order_type in _USUALLY_FULL else ACK)
    if reply_type not in (ACK, RESULT, FULL):
        raise Refusal(INVALID_PARAMETER, "newOrderRespType")
    return reply_type


def _first(events: list[Event]) -> Event:
    """The first event of a command that the core accepted. Raises Refusal."""
    first = events[0]
    if first.kind == _REJECTED:
        raise of_core(first.code, first.order_id)
    return first
