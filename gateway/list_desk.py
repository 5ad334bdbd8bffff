"""Placing and canceling order lists: orderList.place.oco, .oto, .otoco, the older orderList.place; orderList.cancel.

A list is a header and its legs, consecutive commands of one batch; the core accepts or refuses it as a whole. Each leg
is read as an order of its own, its parameters having the prefix of its role (above, below, working, pending).
"""
from collections.abc import Mapping
from functools import partial

from engine.core.batch import Batch
from engine.core.codes import EventKind, ListType
from engine.core.unpack import Event
from engine.instruments import Catalog, Instrument
from gateway.list_protocol import OrderListReply
from gateway.order_lists import ListQueries, OrderLists
from gateway.order_terms import (
    SECURITY_PARAMS,
    OrderTerms,
    Params,
    client_order_id,
    find_instrument,
    needed,
    read_order,
)
from gateway.orders import Finish, OrderDesk
from gateway.protocol import encode
from gateway.refusals import UNREAD_PARAMETERS, Refusal, of_core
from gateway.user_events import UserStreams

_REJECTED = int(EventKind.REJECTED)
_COMMON = SECURITY_PARAMS | {"symbol", "listClientOrderId", "newOrderRespType", "selfTradePreventionMode"}
_OF_LEG = {"Type": "type", "Side": "side", "Price": "price", "Quantity": "quantity", "StopPrice": "stopPrice",
           "TrailingDelta": "trailingDelta", "IcebergQty": "icebergQty",
           "TimeInForce": "timeInForce", "ClientOrderId": "newClientOrderId"}
_OLD_OCO = {
    "side", "quantity", "price", "stopPrice", "stopLimitPrice", "stopLimitTimeInForce", "limitClientOrderId",
    "stopClientOrderId", "trailingDelta"}
LEGS_AND_HEADER = 4


class ListDesk:
    """The methods; those that place one become several commands."""

    def __init__(self, catalog: Catalog, desk: OrderDesk, lists: OrderLists, queries: ListQueries,
                 streams: UserStreams) -> None:
        self._catalog, self._desk, self._lists = catalog, desk, lists
        self._queries, self._streams = queries, streams

    def oco(self, batch: Batch, account: int, params: Params, unit_ns: int) -> Finish:
        """orderList.place.oco: one side and quantity; the leg below and the leg above."""
        shared = {name: params[name] for name in ("side", "quantity") if name in params}
        legs = [shared | _leg(params, "below"), shared | _leg(params, "above")]
        _check_names(params, {"side", "quantity"} | _names("below") | _names("above"))
        return self._place(batch, account, params, unit_ns, ListType.OCO, legs)

    def old_oco(self, batch: Batch, account: int, params: Params, unit_ns: int) -> Finish:
        """orderList.place: a limit maker and a stop-loss, limit if stopLimitPrice was sent."""
        _check_names(params, _OLD_OCO)
        shared = {name: params[name] for name in ("side", "quantity") if name in params}
        stop = {name: params[name] for name in ("stopPrice", "trailingDelta") if name in params}
        stop["type"] = "STOP_LOSS"
        if "stopLimitPrice" in params:
            stop |= {"type": "STOP_LOSS_LIMIT", "price": params["stopLimitPrice"],
                     "timeInForce": needed(params, "stopLimitTimeInForce")}
        legs = [shared | stop, shared | {"type": "LIMIT_MAKER", "price": needed(params, "price")}]
        for leg, name in zip(legs, ("stopClientOrderId", "limitClientOrderId"), strict=True):
            if name in params:
                leg["newClientOrderId"] = params[name]
        return self._place(batch, account, params, unit_ns, ListType.OCO, legs)

    def oto(self, batch: Batch, account: int, params: Params, unit_ns: int) -> Finish:
        """orderList.place.oto: the pending order is placed when the working one is filled."""
        _check_names(params, _names("working") | _names("pending"))
        legs = [_leg(params, "working"), _leg(params, "pending")]
        return self._place(batch, account, params, unit_ns, ListType.OTO, legs)

    def otoco(self, batch: Batch, account: int, params: Params, unit_ns: int) -> Finish:
        """orderList.place.otoco: a pair of pending orders, of which one will do."""
        _check_names(params, {"pendingSide", "pendingQuantity"} | _names("working") | _names("pendingAbove") | _names(
            "pendingBelow"))
        shared = {"side": needed(params, "pendingSide"), "quantity": needed(params, "pendingQuantity")}
        legs = [_leg(params, "working"), shared | _leg(params, "pendingBelow"), shared | _leg(params, "pendingAbove")]
        return self._place(batch, account, params, unit_ns, ListType.OTOCO, legs)

    def cancel(self, batch: Batch, account: int, params: Params, unit_ns: int) -> Finish:
        """orderList.cancel"""
        known = _COMMON | {"orderListId", "newClientOrderId"}
        if not known.issuperset(params):
            raise _unread(params, known)
        instrument = find_instrument(params, self._catalog.by_symbol)
        found = self._lists.find(account, params, "listClientOrderId")
        cancel_id = client_order_id(params, "newClientOrderId") or self._desk.new_id()
        batch.cancel_list(account, instrument.id, found.id, found.place)
        return partial(self._canceled, found.id, cancel_id, account, unit_ns)

    def _place(self, batch: Batch, account: int, params: Params, unit_ns: int, kind: ListType,
               legs: list[dict[str, str]]) -> Finish:
        instrument = find_instrument(params, self._catalog.by_symbol)
        text = client_order_id(params, "listClientOrderId") or self._desk.new_id()
        read = [self._read(leg, params, instrument) for leg in legs]
        batch.place_list(account, instrument.id, kind, text.encode())
        for terms, name in read:
            batch.place(account, **terms._asdict(), text=name.encode())
        return partial(self._placed, account, unit_ns)

    def _read(self, leg: dict[str, str], params: Params, instrument: Instrument) -> tuple[OrderTerms, str]:
        if "selfTradePreventionMode" in params:
            leg["selfTradePreventionMode"] = params["selfTradePreventionMode"]
        return read_order(leg, instrument), client_order_id(leg, "newClientOrderId") or self._desk.new_id()

    def _placed(self, account: int, unit_ns: int, events: list[Event]) -> bytes:
        first = events[0]
        if first.kind == _REJECTED:
            raise of_core(first.code)
        return self._reply(first.order_id - 1, account, unit_ns)

    def _canceled(self, number: int, cancel_id: str, account: int, unit_ns: int, events: list[Event]) -> bytes:
        first = events[0]
        if first.kind == _REJECTED:
            raise of_core(first.code)
        self._streams.name_cancel(account, first.seq, cancel_id)
        return self._reply(number, account, unit_ns)

    def _reply(self, number: int, account: int, unit_ns: int) -> bytes:
        found = self._lists.find(account, {"orderListId": str(number)}, "listClientOrderId")
        state = self._queries.state(found, unit_ns)
        return encode(OrderListReply(
            state.order_list_id, state.contingency_type, state.list_status_type, state.list_order_status,
            state.list_client_order_id, state.transaction_time, state.symbol, state.orders,
            self._queries.reports(found, unit_ns)))


def _names(role: str) -> set[str]:
    return {role + name for name in _OF_LEG}


def _leg(params: Mapping[str, str], role: str) -> dict[str, str]:
    """The parameters of a role under the names that an order has."""
    return {name: params[role + suffix] for suffix, name in _OF_LEG.items() if role + suffix in params}


def _check_names(params: Params, own: set[str]) -> None:
    known = _COMMON | own
    if not known.issuperset(params):
        raise _unread(params, known)


def _unread(params: Params, known: frozenset[str]) -> Refusal:
    return Refusal(UNREAD_PARAMETERS, sum(name in known for name in params), len(params))
