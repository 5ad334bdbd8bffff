"""Orders that end become rows: the same as the gateway's order store, an own computation, makes of the same events."""
import numpy as np
import pytest

from engine.core.batch import Batch
from engine.core.codes import EventKind, ListType, OrderType, SelfTrade, Side, TimeInForce
from engine.core.exchange import Exchange
from engine.core.unpack import unpack_events
from engine.records import EVENT
from gateway.order_store import Order, OrderStore
from tests.support.flow import COIN, COIN_USD, USD, Flow
from workers.ledger_errors import LedgerMismatch
from workers.open_orders import TERMS, OpenOrders, open_orders


class Both:
    """One core, told to both."""

    def __init__(self) -> None:
        self.core, self.rows, self.store = Exchange(), OpenOrders(), OrderStore(10**6)
        self.closed: list[tuple[int | str, ...]] = []

    def apply(self, batch: Batch) -> None:
        batch.stamp(self.core.seq + 1, self.core.time_ns + 7)
        events = bytes(self.core.apply(batch))
        self.store.apply(unpack_events(memoryview(events)))
        self.closed += [shown(row) for row in self.rows.advance(np.frombuffer(events, EVENT))]


def shown(row: np.void) -> tuple[int | str, ...]:
    return (*(int(row[name]) for name in (
        "order_id", "account", "instrument", "side", "order_type", "time_in_force", "price_ticks", "qty_lots", "amount",
        "executed_lots", "quote_filled", "time_ns", "update_ns", "list_id", "stop_ticks", "display_lots",
        "trailing_bps", "stp", "code")), row["client_id"].decode())


def stored(order: Order) -> tuple[int | str, ...]:
    return (order.id, order.account, order.instrument, order.side, order.order_type, order.time_in_force,
            order.price_ticks, order.qty_lots, order.amount, order.executed_lots, order.quote_filled, order.time_ns,
            order.update_ns, order.list_id, order.stop_ticks, order.display_lots, order.trailing_bps, order.stp,
            order.code, order.text)


def test_random_flow_ends_as_the_gateway_says():
    both, flow = Both(), Flow(31)
    both.apply(flow.setup())
    for _ in range(150):
        both.apply(flow.commands(40))
    assert sorted(both.closed) == sorted(map(stored, both.store.closed.values())) and len(both.closed) > 2000
    assert {row[-2] for row in both.closed} > {0}                      # some were filled, some were not
    assert both.rows.rows["order_id"].tolist() == sorted(both.store.open)
    assert open_orders(both.core).rows.tolist() == [
        (*row[:1], 0, *row[2:]) for row in both.rows.rows.tolist()], "a start from the core's orders"


def market() -> Both:
    """An instrument and two rich accounts."""
    both, setup = Both(), Batch()
    setup.asset(USD, 2, "USD")
    setup.asset(COIN, 8, "COIN")
    setup.instrument(COIN_USD, text="COINUSD", base_asset=COIN, quote_asset=USD, lot_value=1000, tick_value=3,
                     max_lots=100, max_ticks=1000)
    for account in (2, 3):
        setup.account(account)
        setup.credit(account, COIN, 10**6)
        setup.credit(account, USD, 10**6)
    both.apply(setup)
    return both


def test_a_market_order_by_amount_and_an_amended_one():
    both, orders = market(), Batch()
    orders.place(2, COIN_USD, Side.SELL, OrderType.LIMIT, TimeInForce.GTC, 20, 10, text="rests")
    orders.place(3, COIN_USD, Side.BUY, OrderType.MARKET, TimeInForce.GTC, 0, 0, amount=200, text="by amount")
    orders.reduce(2, COIN_USD, 5, text="rests")
    orders.place(3, COIN_USD, Side.BUY, OrderType.LIMIT, TimeInForce.IOC, 20, 2, text="rest of it")
    both.apply(orders)
    assert [row[-1] for row in both.closed] == ["rests", "by amount", "rest of it"]
    assert [row[7:11] for row in both.closed] == [(5, 0, 5, 300), (0, 200, 3, 180), (2, 0, 2, 120)]
    assert sorted(both.closed) == sorted(map(stored, both.store.closed.values()))


def test_stops_icebergs_lists_and_the_mode_of_self_trade_prevention():
    """What an order was placed with is known when it ends, also by who began in the middle, from the core."""
    both, orders, sell, stop_limit, gtc = market(), Batch(), Side.SELL, OrderType.STOP_LOSS_LIMIT, TimeInForce.GTC
    orders.place(2, COIN_USD, sell, OrderType.LIMIT, gtc, 20, 10, text="mode", stp=SelfTrade.EXPIRE_MAKER)
    orders.place(3, COIN_USD, Side.BUY, OrderType.LIMIT, gtc, 20, 1, text="trades")
    orders.place(2, COIN_USD, sell, stop_limit, gtc, 9, 4, text="stop", trigger_ticks=10)
    orders.place(2, COIN_USD, Side.BUY, stop_limit, gtc, 40, 1, text="trails", trailing_bps=500)
    orders.place(2, COIN_USD, sell, OrderType.LIMIT, gtc, 25, 30, text="iceberg", display_lots=5)
    orders.place_list(3, COIN_USD, ListType.OCO, text="pair")
    orders.place(3, COIN_USD, sell, OrderType.LIMIT_MAKER, gtc, 30, 2, text="above")
    orders.place(3, COIN_USD, sell, stop_limit, gtc, 5, 2, text="below", trigger_ticks=6)
    both.apply(orders)
    assert len(both.rows.rows) == 6
    begun = open_orders(both.core).rows
    for name in TERMS[:-1]:
        assert begun[name].tolist() == both.rows.rows[name].tolist(), name
    ends = Batch()
    for account in (2, 3):
        ends.cancel_all(account)
    both.apply(ends)
    assert sorted(both.closed) == sorted(map(stored, both.store.closed.values())) and len(both.closed) == 7
    terms = {row[-1]: row[13:18] for row in both.closed}
    assert terms["mode"] == (0, 0, 0, 0, SelfTrade.EXPIRE_MAKER)
    assert terms["stop"] == (0, 10, 0, 0, 0) and terms["trails"][3] == 500 and terms["iceberg"] == (0, 0, 5, 0, 0)
    assert terms["below"][1] == 6 and terms["below"][0] == terms["above"][0] > 0 and terms["above"][1] == 0


def test_a_trade_of_an_order_nobody_placed_is_refused():
    event = np.zeros(1, EVENT)
    event["kind"], event["order_id"], event["maker_order_id"], event["seq"] = EventKind.TRADE, 7, 5, 9
    with pytest.raises(LedgerMismatch, match="command 9 trades order 7"):
        OpenOrders().advance(event)


def test_what_has_ended_leaves_no_memory_behind():
    both, flow = Both(), Flow(5)
    both.apply(flow.setup())
    for _ in range(100):
        both.apply(flow.commands(100))
        kill = Batch()
        for account in {int(row["account"]) for row in both.rows.rows}:
            kill.cancel_all(account)
        if len(kill):
            both.apply(kill)
    assert len(both.closed) > 4000 and len(both.rows.rows) == 0
    assert len(both.rows._rows) < 4096
