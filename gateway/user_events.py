"""Private events of accounts: executionReport, outboundAccountPosition and balanceUpdate for those who subscribed.

One report per change of an order and per fill, for taker and maker, in engine order; then one position per account with
the assets that may have changed. They are collected while a frame is applied and leave at the end of that loop pass,
after the replies to the requests that caused them. Balances are those of the durable state at that moment.

Never conflated and never dropped: a subscriber that does not read is cut by its connection's write limit, and may go
on where it was on another one (resume_log.py).
"""
import asyncio
from pathlib import Path
from typing import Protocol

from msgspec import UNSET, Struct

from engine.config import Limits
from engine.core.codes import Code, EventKind, Side, TimeInForce
from engine.core.exchange import Exchange
from engine.core.unpack import Event
from engine.instruments import Catalog, Instrument
from gateway import order_store
from gateway.list_protocol import ListStatus
from gateway.order_replies import EXPIRY_REASONS, NOT_WORKING
from gateway.order_store import TRIGGERED_FROM, Order, begin_id, begins, execution_id
from gateway.protocol import (
    NO_GROUP,
    NO_LIST,
    ORDER_TYPES,
    SIDES,
    STP_MODES,
    TIMES_IN_FORCE,
    ZERO,
    AccountPosition,
    BalanceUpdate,
    ExecutionReport,
    PositionBalance,
    encode,
)
from gateway.reports import Report, ReportWriter
from gateway.resume_log import ResumeLogs

NS_PER_US = 1000
_ACCEPTED, _TRADE, _CANCELED = int(EventKind.ACCEPTED), int(EventKind.TRADE), int(EventKind.CANCELED)
_REDUCED, _PREVENTED, _STP = int(EventKind.REDUCED), int(EventKind.PREVENTED), int(Code.STP)
_BUY, _AT_ONCE = int(Side.BUY), (int(TimeInForce.IOC), int(TimeInForce.FOK))
_TRIGGERED = int(EventKind.TRIGGERED)
REJECT_REASONS = {   # of an order that was refused when it was set off
    int(Code.INSUFFICIENT_BALANCE): "INSUFFICIENT_BALANCES", int(Code.WOULD_MATCH): "WOULD_MATCH_IMMEDIATELY"}
_ON_BOOK = frozenset((order_store.NEW, order_store.PARTIALLY_FILLED))


class Subscriber(Protocol):
    """Who receives an account's events."""

    microseconds: bool

    def user_event(self, account: int, event: bytes) -> None:
        """One event as JSON."""


class OrderList(Protocol):
    """What of an order list is told."""

    @property
    def id(self) -> int: ...
    @property
    def account(self) -> int: ...
    @property
    def instrument(self) -> int: ...
    @property
    def contingency(self) -> str: ...
    @property
    def done(self) -> bool: ...
    @property
    def text(self) -> str: ...


class _Due(Struct, gc=False):
    account: int
    seq: int
    event: Report | ExecutionReport | BalanceUpdate | ListStatus


class UserStreams:
    """Who subscribed to what, and the events that wait for the end of the loop pass."""

    def __init__(self, limits: Limits | None = None, accounts: Path | None = None) -> None:
        self.subscribers: dict[int, list[Subscriber]] = {}        # account: who listens; the order store watches these
        self.logs = ResumeLogs(limits or Limits(), self._log_ended, accounts)
        self._due: list[_Due] = []
        self._changed: dict[int, dict[int, int]] = {}             # account: asset: time of its last change
        self._cancel_ids: dict[int, str] = {}                     # seq of a cancel: its own client order id
        self._flush_waits = False

    def attach(self, core: Exchange, catalog: Catalog) -> None:
        """Name the state to read balances and texts from; before that nobody may subscribe."""
        self._core, self._catalog, self._reports = core, catalog, ReportWriter(catalog)

    def restore(self) -> None:
        """Before a replay: what it tells goes to the logs that there were, as if their subscribers had just left."""
        for account in self.logs.restore():
            self.subscribers[account] = []

    def restored(self) -> None:
        """The replay is over, nothing of it is due any more: from now on time runs for those logs."""
        self.flush()
        for account, others in self.subscribers.items():
            if not others:
                self.logs.left(account)

    def subscribe(self, account: int, subscriber: Subscriber) -> None:
        """Begin with the next frame."""
        self.subscribers.setdefault(account, []).append(subscriber)
        self.logs.joined(account)

    def subscribe_from(self, account: int, subscriber: Subscriber, execution_id: int) -> list[bytes] | None:
        """Begin with what was told after this execution, which the caller sends; None: not known, with the next frame.

        What is told from now on is kept for the next time.
        """
        log = self.logs.get(account)
        missed = log.since(execution_id, subscriber.microseconds) if log else None
        self.logs.begin(account, subscriber.microseconds)
        self.subscribe(account, subscriber)
        return missed

    def unsubscribe(self, account: int, subscriber: Subscriber) -> None:
        """Stop at once."""
        others = self.subscribers[account]
        others.remove(subscriber)
        if not others and not self.logs.left(account):
            del self.subscribers[account]

    def _log_ended(self, account: int) -> None:
        del self.subscribers[account]

    def name_cancel(self, account: int, seq: int, text: str) -> None:
        """The cancel with this seq calls itself `text`; known only to the connection that asked for it."""
        if account in self.subscribers:
            self._cancel_ids[seq] = text

    def order_changed(self, order: Order, event: Event, is_maker: bool) -> None:
        """Called by the order store for subscribed accounts, after it has taken the event."""
        instrument = self._catalog.by_id[order.instrument]
        report = self._reports.write(order, event, is_maker) or self._report(order, event, is_maker, instrument)
        if event.kind == _TRADE:
            self._add(order.account, event, report, instrument.base_asset.id, instrument.quote_asset.id)
        else:
            held = instrument.quote_asset if order.side == _BUY else instrument.base_asset
            self._add(order.account, event, report, held.id)

    def _report(self, order: Order, event: Event, is_maker: bool, instrument: Instrument) -> ExecutionReport:
        """The general way."""
        report = _report(order, event, is_maker, instrument)
        if begins(order, event):
            report.execution_type, report.execution_id = "NEW", begin_id(order)
        elif event.kind == _TRADE:
            _add_trade(report, order, event, is_maker, instrument)
        elif order.prevention is not None and _is_prevention(order, event):
            _add_prevention(report, order, event, instrument, self._core.trade_group(order.account))
        elif event.kind == _REDUCED and event.seq == order.triggered_seq:
            report.execution_id = TRIGGERED_FROM + 2 * order.id + 1   # its money did not pay all of it
        return report

    def money_changed(self, event: Event) -> None:
        """A deposit, withdrawal or correction."""
        if event.account in self.subscribers:
            asset = self._catalog.assets[event.instrument]
            time_us = event.time_ns // NS_PER_US
            update = BalanceUpdate(
                event_time=time_us, asset=asset.code, change=asset.text(event.amount), clear_time=time_us)
            self._add(event.account, event, update, asset.id)

    def list_changed(self, found: OrderList, event: Event, orders: list[Order]) -> None:
        """An order list began or is done."""
        if found.account in self.subscribers:
            symbol, time_us = self._catalog.by_id[found.instrument].symbol, event.time_ns // NS_PER_US
            self._add(found.account, event, ListStatus(
                event_time=time_us, symbol=symbol, order_list_id=found.id, contingency_type=found.contingency,
                list_status_type="ALL_DONE" if found.done else "EXEC_STARTED",
                list_order_status="ALL_DONE" if found.done else "EXECUTING", list_client_order_id=found.text,
                transaction_time=time_us, orders=[{"s": symbol, "i": order.id, "c": order.text} for order in orders]))

    def _add(self, account: int, event: Event, wire: Report | ExecutionReport | BalanceUpdate | ListStatus,
             *assets: int) -> None:
        self._due.append(_Due(account, event.seq, wire))
        changed = self._changed.setdefault(account, {})
        for asset in assets:
            changed[asset] = event.time_ns
        if not self._flush_waits:
            self._flush_waits = True
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Send what waits: all reports in engine order, then the positions."""
        self._flush_waits = False
        due, self._due = self._due, []
        changed, self._changed = self._changed, {}
        for item in due:
            if isinstance(item.event, ExecutionReport) and item.event.orig_client_order_id:
                item.event.client_order_id = self._cancel_ids.get(item.seq) or f"cancel-{item.seq}"
            if isinstance(item.event, Report):
                exact = item.event.exact if self._wants_exact(item.account) else b""
                self._deliver(item.account, item.event.execution_id, item.event.usual(), exact)
            else:
                self._send(item.account, item.event)
        self._cancel_ids.clear()
        for account, assets in changed.items():
            self._send(account, self._position(account, assets))

    def _position(self, account: int, assets: dict[int, int]) -> AccountPosition:
        balances = []
        for asset_id in assets:
            asset = self._catalog.assets[asset_id]
            available, held = self._core.balance(account, asset_id)
            balances.append(PositionBalance(asset.code, asset.text(available), asset.text(held)))
        time_us = max(assets.values()) // NS_PER_US
        return AccountPosition(event_time=time_us, update_time=time_us, balances=balances)

    def _send(self, account: int, event: ExecutionReport | BalanceUpdate | AccountPosition | ListStatus) -> None:
        exact = encode(event) if self._wants_exact(account) else b""
        _to_milliseconds(event)
        self._deliver(account, event.execution_id if isinstance(event, ExecutionReport) else 0, encode(event), exact)

    def _wants_exact(self, account: int) -> bool:
        log = self.logs.get(account)
        return (log is not None and log.microseconds) or any(
            subscriber.microseconds for subscriber in self.subscribers.get(account, ()))

    def _deliver(self, account: int, execution_id: int, usual: bytes, exact: bytes) -> None:
        log = self.logs.get(account)
        if log is not None:
            log.add(execution_id, usual, exact)
        for subscriber in tuple(self.subscribers.get(account, ())):
            subscriber.user_event(account, exact if subscriber.microseconds else usual)


def _report(order: Order, event: Event, is_maker: bool, instrument: Instrument) -> ExecutionReport:
    time_us = event.time_ns // NS_PER_US
    order_time_us = order.time_ns // NS_PER_US
    canceled = event.kind == _CANCELED and order.status == order_store.CANCELED
    report = ExecutionReport(
        event_time=time_us, symbol=instrument.symbol, client_order_id=order.text, side=SIDES[order.side],
        order_type=ORDER_TYPES[order.order_type], time_in_force=TIMES_IN_FORCE[order.time_in_force],
        qty=instrument.qty_text(order.total_lots or order.executed_lots),
        price=instrument.price_text(order.price_ticks),
        order_list_id=order.list_id or NO_LIST, orig_client_order_id=order.text if canceled else "",
        execution_type=_execution_type(order, event),
        status=order.status, order_id=order.id, executed_qty=instrument.qty_text(order.executed_lots),
        transaction_time=time_us, execution_id=execution_id(event, is_maker),
        on_book=(order.status in _ON_BOOK and order.price_ticks != 0 and order.time_in_force not in _AT_ONCE
                 and order.working_ns != 0),
        stop_price=instrument.price_text(order.stop_ticks), iceberg_qty=instrument.qty_text(order.display_lots),
        reject_reason=REJECT_REASONS.get(order.refusal, "NONE"),
        is_maker=is_maker, order_time=order_time_us,
        quote_filled=instrument.quote_text(order.quote_filled),
        working_time=order.working_ns // NS_PER_US if order.working_ns else NOT_WORKING,
        quote_order_qty=instrument.quote_text(order.amount) if order.amount else ZERO,
        self_trade_prevention=STP_MODES[order.stp],
        expiry_reason=EXPIRY_REASONS.get(order.code, UNSET))
    if order.trailing_bps:
        report.trailing_delta = order.trailing_bps
        report.trailing_time = order.trailing_ns // NS_PER_US if order.trailing_ns else NOT_WORKING
    return report


def _execution_type(order: Order, event: Event) -> str:
    if event.kind in (_ACCEPTED, _TRIGGERED):
        return "NEW"
    if event.kind == _TRADE:
        return "TRADE"
    if _is_prevention(order, event):
        return "TRADE_PREVENTION"
    return order.status if event.kind == _CANCELED else "REPLACED"


def _is_prevention(order: Order, event: Event) -> bool:
    """Whether self-trade prevention caused this change."""
    if event.kind == _CANCELED:
        return event.code == _STP
    return event.kind == _PREVENTED or (
        event.kind == _REDUCED and order.prevention is not None and order.prevention.seq == event.seq)


def _add_prevention(report: ExecutionReport, order: Order, event: Event, instrument: Instrument, group: int) -> None:
    """The match that did not happen, and what this order lost by it."""
    match = order.prevention
    assert match is not None, "the store saw the match before what follows from it"
    is_maker = order.id == match.maker_order_id
    if event.kind != _CANCELED:
        report.execution_id = execution_id(match, is_maker)
    lost = event.qty_lots if event.kind == _CANCELED else match.qty_lots if event.kind == _REDUCED else 0
    report.prevented_match_id = match.trade_id
    report.prevented_qty = instrument.qty_text(order.prevented_lots)
    report.last_prevented_qty = instrument.qty_text(lost)
    report.trade_group_id = group or NO_GROUP
    report.counter_order_id = match.order_id if is_maker else match.maker_order_id
    report.counter_symbol = instrument.symbol
    report.prevented_execution_qty = instrument.qty_text(match.qty_lots)
    report.prevented_execution_price = instrument.price_text(match.price_ticks)
    report.prevented_execution_quote = instrument.quote_text(match.quote_amount)


def _add_trade(report: ExecutionReport, order: Order, event: Event, is_maker: bool, instrument: Instrument) -> None:
    report.last_qty = instrument.qty_text(event.qty_lots)
    report.last_price = instrument.price_text(event.price_ticks)
    report.last_quote = instrument.quote_text(event.quote_amount)
    report.trade_id = event.trade_id
    fee = event.maker_fee if is_maker else event.taker_fee
    received = instrument.base_asset if order.side == _BUY else instrument.quote_asset
    report.commission, report.commission_asset = received.text(fee), received.code


def _to_milliseconds(event: ExecutionReport | BalanceUpdate | AccountPosition | ListStatus) -> None:
    event.event_time //= 1000
    if isinstance(event, ExecutionReport):
        event.transaction_time //= 1000
        event.order_time //= 1000
        event.working_time //= 1000   # of one that does not work this makes -1 as well
        if event.trailing_time is not UNSET:
            event.trailing_time //= 1000
    elif isinstance(event, ListStatus):
        event.transaction_time //= 1000
    elif isinstance(event, BalanceUpdate):
        event.clear_time //= 1000
    else:
        event.update_time //= 1000
