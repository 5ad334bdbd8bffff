"""What the venue says about an order: replies built from the events of the command that caused them.

A reply to order.place or to an amendment shows the order right after that command, even if a later command of the same
frame has changed it since. `unit_ns` is the connection's unit of time: 1_000_000 for milliseconds, 1000 for micro.
"""
from msgspec import UNSET, UnsetType

from engine.core.codes import Code, EventKind, OrderType, Side
from engine.core.unpack import Event
from engine.instruments import Instrument
from gateway import order_store
from gateway.amend_protocol import AmendedOrder, OrderAmended
from gateway.order_store import Order, execution_id
from gateway.protocol import (
    NO_LIST,
    ORDER_TYPES,
    SIDES,
    STP_MODES,
    TIMES_IN_FORCE,
    ZERO,
    Fill,
    OrderAck,
    OrderCanceled,
    OrderFull,
    OrderResult,
    OrderState,
)

EXPIRY_REASONS = {
    int(Code.IOC_REMAINDER): "UNFILLED_IOC_QUANTITY_EXPIRED",
    int(Code.FOK_UNFILLED): "UNFILLED_FOK_ORDER_EXPIRED",
    int(Code.NO_LIQUIDITY): "INSUFFICIENT_LIQUIDITY",
    int(Code.SLIPPAGE): "EXECUTION_RULE_PRICE_RANGE_EXCEEDED",
}
_TRADE, _CANCELED = int(EventKind.TRADE), int(EventKind.CANCELED)
_REDUCED, _PREVENTED = int(EventKind.REDUCED), int(EventKind.PREVENTED)
NOT_WORKING = -1   # workingTime of an order that waits for its trigger
_BUY, _MARKET = int(Side.BUY), int(OrderType.MARKET)


def order_ack(accepted: Event, instrument: Instrument, unit_ns: int) -> OrderAck:
    """ACK: the order was taken."""
    return OrderAck(
        instrument.symbol, accepted.order_id, NO_LIST, accepted.text.decode("ascii"), accepted.time_ns // unit_ns)


def order_result(events: list[Event], instrument: Instrument, unit_ns: int, with_fills: bool) -> OrderResult:
    """RESULT or FULL: the order after its own command; `events` begin with its ACCEPTED."""
    accepted = events[0]
    own = [event for event in events if event.order_id == accepted.order_id]
    last = own[-1]
    trades = [event for event in own if event.kind == _TRADE]
    executed = sum(trade.qty_lots for trade in trades)
    time = accepted.time_ns // unit_ns
    result = (OrderFull if with_fills else OrderResult)(
        instrument.symbol, accepted.order_id, NO_LIST, accepted.text.decode("ascii"), time,
        instrument.price_text(accepted.price_ticks), instrument.qty_text(accepted.qty_lots or executed),
        instrument.qty_text(executed), _amount_text(accepted.amount, instrument),
        instrument.quote_text(sum(trade.quote_amount for trade in trades)), _status(accepted, last, executed),
        TIMES_IN_FORCE[accepted.time_in_force], ORDER_TYPES[accepted.order_type], SIDES[accepted.side],
        NOT_WORKING if accepted.order_type > _MARKET else time, STP_MODES[accepted.stp],
        _stop_text(accepted.trigger_ticks, instrument),
        *_trailing(accepted.trailing_bps, 0 if accepted.trigger_ticks else accepted.time_ns, unit_ns),
        _iceberg_text(accepted.left_lots if accepted.left_lots < accepted.qty_lots else 0, instrument))
    if last.kind == _CANCELED and last.code in EXPIRY_REASONS:
        result.expiry_reason = EXPIRY_REASONS[last.code]
    _add_prevented(result, own, instrument)
    if isinstance(result, OrderFull):
        received = instrument.base_asset if accepted.side == _BUY else instrument.quote_asset
        result.fills = [
            Fill(instrument.price_text(trade.price_ticks), instrument.qty_text(trade.qty_lots),
                 received.text(trade.taker_fee), received.code, trade.trade_id) for trade in trades]
    return result


def _status(accepted: Event, last: Event, executed: int) -> str:
    """`last` is the order's own last event of the command."""
    if last.kind == _CANCELED:
        return order_store.EXPIRED_IN_MATCH if last.code == Code.STP else order_store.EXPIRED
    by_amount = accepted.order_type == _MARKET and accepted.amount
    if not executed:
        return order_store.EXPIRED_IN_MATCH if by_amount else order_store.NEW
    return order_store.FILLED if by_amount or last.left_lots == 0 else order_store.PARTIALLY_FILLED


def _add_prevented(result: OrderResult, own: list[Event], instrument: Instrument) -> None:
    """What self-trade prevention took off a new order, in the command that placed it."""
    lots, quantity, match = 0, own[0].qty_lots, None
    for event in own:
        if event.kind == _PREVENTED:
            match = event.trade_id
        elif match is not None and event.kind == _REDUCED:
            lots, quantity = lots + quantity - event.qty_lots, event.qty_lots
        elif event.kind == _CANCELED and event.code == Code.STP:
            lots += event.qty_lots
    if match is not None and lots:
        result.prevented_match_id, result.prevented_quantity = match, instrument.qty_text(lots)


def order_canceled(
        order: Order, canceled: Event, cancel_id: str, instrument: Instrument, unit_ns: int) -> OrderCanceled:
    """The order that a cancel took off the book."""
    return OrderCanceled(
        instrument.symbol, order.text, order.id, order.list_id or NO_LIST, cancel_id, canceled.time_ns // unit_ns,
        instrument.price_text(order.price_ticks), instrument.qty_text(order.total_lots),
        instrument.qty_text(order.executed_lots), _amount_text(order.amount, instrument),
        instrument.quote_text(order.quote_filled), order_store.CANCELED, TIMES_IN_FORCE[order.time_in_force],
        ORDER_TYPES[order.order_type], SIDES[order.side], STP_MODES[order.stp],
        _stop_text(order.stop_ticks, instrument), *_trailing(order.trailing_bps, order.trailing_ns, unit_ns),
        _iceberg_text(order.display_lots, instrument), *_prevented(order, instrument))


def order_amended(
        order: Order, reduced: Event, quote_filled: int, instrument: Instrument, unit_ns: int) -> OrderAmended:
    """The order with its new quantity; it keeps its client order id."""
    executed = reduced.qty_lots - reduced.left_lots
    status = order_store.PARTIALLY_FILLED if executed else order_store.NEW
    return OrderAmended(reduced.time_ns // unit_ns, execution_id(reduced, False), AmendedOrder(
        instrument.symbol, order.id, order.list_id or NO_LIST, order.text, order.text,
        instrument.price_text(order.price_ticks),
        instrument.qty_text(reduced.qty_lots + order.decremented_lots), instrument.qty_text(executed),
        instrument.qty_text(order.prevented_lots),
        _amount_text(order.amount, instrument), instrument.quote_text(quote_filled), status,
        TIMES_IN_FORCE[order.time_in_force], ORDER_TYPES[order.order_type], SIDES[order.side],
        _working_time(order, unit_ns), STP_MODES[order.stp]))


def order_state(order: Order, instrument: Instrument, unit_ns: int) -> OrderState:
    """The order as it is now."""
    time = order.time_ns // unit_ns
    return OrderState(
        instrument.symbol, order.id, order.list_id or NO_LIST, order.text, instrument.price_text(order.price_ticks),
        instrument.qty_text(order.total_lots or order.executed_lots), instrument.qty_text(order.executed_lots),
        instrument.quote_text(order.quote_filled), order.status, TIMES_IN_FORCE[order.time_in_force],
        ORDER_TYPES[order.order_type], SIDES[order.side], instrument.price_text(order.stop_ticks),
        instrument.qty_text(order.display_lots), time,
        order.update_ns // unit_ns, order.working_ns != 0, _working_time(order, unit_ns),
        _amount_text(order.amount, instrument), STP_MODES[order.stp], *_prevented(order, instrument),
        *_trailing(order.trailing_bps, order.trailing_ns, unit_ns))


def _stop_text(ticks: int, instrument: Instrument) -> str | UnsetType:
    return instrument.price_text(ticks) if ticks else UNSET


def _iceberg_text(lots: int, instrument: Instrument) -> str | UnsetType:
    return instrument.qty_text(lots) if lots else UNSET


def _trailing(bps: int, since_ns: int, unit_ns: int) -> tuple[int | UnsetType, int | UnsetType]:
    """trailingDelta and trailingTime, of trailing stops only."""
    return (bps, since_ns // unit_ns if since_ns else NOT_WORKING) if bps else (UNSET, UNSET)


def _working_time(order: Order, unit_ns: int) -> int:
    return order.working_ns // unit_ns if order.working_ns else NOT_WORKING


def _prevented(order: Order, instrument: Instrument) -> tuple[int | UnsetType, str | UnsetType]:
    """preventedMatchId and preventedQuantity, only where there is something to say."""
    if order.prevention is None or not order.prevented_lots:
        return UNSET, UNSET
    return order.prevention.trade_id, instrument.qty_text(order.prevented_lots)


def _amount_text(amount: int, instrument: Instrument) -> str:
    return instrument.quote_text(amount) if amount else ZERO
