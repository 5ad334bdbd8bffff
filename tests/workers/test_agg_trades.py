"""One row per taker order and price, numbered without a gap."""
import random
from itertools import groupby

import numpy as np

from engine.core.batch import Batch
from engine.core.codes import EventKind, Side
from engine.core.unpack import unpack_events
from engine.records import EVENT
from tests.workers.market_kit import MAKER, TAKER, Market
from tests.workers.trades_kit import aggregated, random_trades
from workers.agg_trades import AggTrades


def test_a_sweep_is_one_aggregate_per_price():
    market, joiner = Market(), AggTrades()
    for price, qty in ((100, 1), (100, 2), (101, 3)):
        market.limit(Side.SELL, price, qty)
    trades = [event for event in market.limit(Side.BUY, 101, 6, TAKER) if event.kind == EventKind.TRADE]
    done = [joiner.add(trade) for trade in trades]
    assert done[:2] == [None, None]
    first, second = done[2], joiner.flush()
    assert joiner.flush() is None
    assert first is not None and second is not None
    assert (first.id, first.price_ticks, first.qty_lots, first.first_id, first.last_id, first.last_lots) == (
        1, 100, 3, 1, 2, 2)
    assert (second.id, second.price_ticks, second.qty_lots, second.first_id, second.last_id) == (2, 101, 3, 3, 3)
    assert (first.side, first.seq, first.quote_amount) == (Side.BUY, trades[0].seq, 100 * 3 * 100)


def test_two_orders_at_one_price_are_two_aggregates():
    market, joiner = Market(), AggTrades()
    market.limit(Side.SELL, 100, 5)
    events = [*market.limit(Side.BUY, 100, 1, TAKER), *market.limit(Side.BUY, 100, 1, TAKER)]
    done = [joiner.add(event) for event in events if event.kind == EventKind.TRADE]
    assert [agg.id for agg in [*done, joiner.flush()] if agg] == [1, 2]


def test_many_at_once_are_the_same_as_one_by_one():
    market, one_by_one, at_once = Market(), AggTrades(), AggTrades()
    chance, whole = random.Random(5), []
    for _ in range(60):
        batch = Batch()
        for _ in range(20):
            batch.place(chance.choice((MAKER, TAKER)), 1, chance.choice(list(Side)), 0, 0, 100 + chance.randint(-3, 3),
                        chance.randint(1, 9))
        batch.stamp(market.core.seq + 1, 10**18 + len(whole))
        events = np.frombuffer(bytes(market.core.apply(batch)), EVENT)
        trades = events[events["kind"] == EventKind.TRADE]
        aggs = [agg for trade in unpack_events(trades.tobytes()) if (agg := one_by_one.add(trade))]
        bars = [agg.bar() for agg in [*aggs, one_by_one.flush()] if agg]
        for bar in bars[1:]:
            bars[0].extend(bar)
        assert at_once.add_all(trades) == bars[0]
        whole += bars
    assert whole[-1].first_agg > 100


def test_random_trades_are_grouped_as_the_definition_says():
    for seed in range(20):
        trades = random_trades(random.Random(seed), 300, (0, 5))
        groups = [list(group) for _, group in groupby(trades, lambda trade: (trade.order_id, trade.price_ticks))]
        found = [(agg.id, agg.first_id, agg.last_id, agg.qty_lots, agg.quote_amount, agg.last_lots)
                 for agg in aggregated(trades)]
        assert found == [
            (number, group[0].trade_id, group[-1].trade_id, sum(trade.qty_lots for trade in group),
             sum(trade.quote_amount for trade in group), group[-1].qty_lots) for number, group in enumerate(groups, 1)]
