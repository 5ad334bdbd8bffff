"""What the venue says about an order: replies built from the events of the command that caused them.

A reply to order.place or to an amendment shows the order right after that command, even if a later command of the same
frame has changed it since. `unit_ns` is the connection's unit of time: 1_000_000 for milliseconds, 1000 for micro.
"""
from engine.core.codes import Code, EventKind, OrderType, Side
from engine.core.unpack import Event
from engine.instruments import Instrument
from gateway import order_store
from gateway.order_store import Order, execution_id
from gateway.protocol import (
    NO_LIST,
    NO_STP,
    ORDER_TYPES,
    SIDES,
    TIMES_IN_FORCE,
    ZERO,
    AmendedOrder,
    Fill,
    OrderAck,
    OrderAmended,
    OrderCanceled,
    OrderFull,
    OrderResult,
    OrderState,
)

EXPIRY_REASONS = {
    int(Code.IOC_REMAINDER): "UNFILLED_IOC_QUANTITY_EXPIRED",
    int(Code.FOK_UNFILLED): "UNFILLED_FOK_ORDER_EXPIRED",
    int(Code.NO_LIQUIDITY): "INSUFFICIENT_LIQUIDITY",
}
_TRADE, _CANCELED = int(EventKind.TRADE), int(EventKind.CANCELED)
_BUY, _MARKET = int(Side.BUY), int(OrderType.MARKET)


def order_ack(accepted: Event, instrument: Instrument, unit_ns: int) -> OrderAck:
    """ACK: the order was taken."""
    return OrderAck(
        instrument.symbol, accepted.order_id, NO_LIST, accepted.text.decode("ascii"), accepted.time_ns // unit_ns)


def order_result(events: list[Event], instrument: Instrument, unit_ns: int, with_fills: bool) -> OrderResult:
    """RESULT or FULL: the order after its own command; `events` begin with its ACCEPTED."""
    accepted, last = events[0], events[-1]
    trades = [event for event in events if event.kind == _TRADE]
    executed = sum(trade.qty_lots for trade in trades)
    time = accepted.time_ns // unit_ns
    result = (OrderFull if with_fills else OrderResult)(
        instrument.symbol, accepted.order_id, NO_LIST, accepted.text.decode("ascii"), time,
        instrument.price_text(accepted.price_ticks), instrument.qty_text(accepted.qty_lots or executed),
        instrument.qty_text(executed), _amount_text(accepted.amount, instrument),
        instrument.quote_text(sum(trade.quote_amount for trade in trades)), _status(accepted, last),
        TIMES_IN_FORCE[accepted.time_in_force], ORDER_TYPES[accepted.order_type], SIDES[accepted.side], time, NO_STP)
    if last.kind == _CANCELED:
        result.expiry_reason = EXPIRY_REASONS[last.code]
    if isinstance(result, OrderFull):
        received = instrument.base_asset if accepted.side == _BUY else instrument.quote_asset
        result.fills = [
            Fill(instrument.price_text(trade.price_ticks), instrument.qty_text(trade.qty_lots),
                 received.text(trade.taker_fee), received.code, trade.trade_id) for trade in trades]
    return result


def _status(accepted: Event, last: Event) -> str:
    if last.kind == _CANCELED:
        return order_store.EXPIRED
    if last.kind != _TRADE:
        return order_store.NEW
    by_amount = accepted.order_type == _MARKET and accepted.amount
    return order_store.FILLED if by_amount or last.left_lots == 0 else order_store.PARTIALLY_FILLED


def order_canceled(
        order: Order, canceled: Event, cancel_id: str, instrument: Instrument, unit_ns: int) -> OrderCanceled:
    """The order that a cancel took off the book."""
    return OrderCanceled(
        instrument.symbol, order.text, order.id, NO_LIST, cancel_id, canceled.time_ns // unit_ns,
        instrument.price_text(order.price_ticks), instrument.qty_text(order.qty_lots),
        instrument.qty_text(order.executed_lots), _amount_text(order.amount, instrument),
        instrument.quote_text(order.quote_filled), order_store.CANCELED, TIMES_IN_FORCE[order.time_in_force],
        ORDER_TYPES[order.order_type], SIDES[order.side], NO_STP)


def order_amended(
        order: Order, reduced: Event, quote_filled: int, instrument: Instrument, unit_ns: int) -> OrderAmended:
    """The order with its new quantity; it keeps its client order id."""
    executed = reduced.qty_lots - reduced.left_lots
    status = order_store.PARTIALLY_FILLED if executed else order_store.NEW
    return OrderAmended(reduced.time_ns // unit_ns, execution_id(reduced, False), AmendedOrder(
        instrument.symbol, order.id, NO_LIST, order.text, order.text, instrument.price_text(order.price_ticks),
        instrument.qty_text(reduced.qty_lots), instrument.qty_text(executed), ZERO,
        _amount_text(order.amount, instrument), instrument.quote_text(quote_filled), status,
        TIMES_IN_FORCE[order.time_in_force], ORDER_TYPES[order.order_type], SIDES[order.side],
        order.time_ns // unit_ns, NO_STP))


def order_state(order: Order, instrument: Instrument, unit_ns: int) -> OrderState:
    """The order as it is now."""
    time = order.time_ns // unit_ns
    return OrderState(
        instrument.symbol, order.id, NO_LIST, order.text, instrument.price_text(order.price_ticks),
        instrument.qty_text(order.qty_lots or order.executed_lots), instrument.qty_text(order.executed_lots),
        instrument.quote_text(order.quote_filled), order.status, TIMES_IN_FORCE[order.time_in_force],
        ORDER_TYPES[order.order_type], SIDES[order.side], ZERO, ZERO, time, order.update_ns // unit_ns, True, time,
        _amount_text(order.amount, instrument), NO_STP)


def _amount_text(amount: int, instrument: Instrument) -> str:
    return instrument.quote_text(amount) if amount else ZERO
