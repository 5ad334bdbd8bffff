"""Rolling statistics of random trades at random moments, compared with sums over all trades of the span."""
import random

import pytest

from engine.intervals import DAY_MS, HOUR_MS, MINUTE_MS
from tests.workers.trades_kit import START_MS, FakeTrade, aggregated, random_trades, statistics
from workers.rolling import Rolling, Span


def spans() -> Rolling:
    return Rolling(Span(DAY_MS, fine=True), Span(5 * MINUTE_MS, fine=True), Span(HOUR_MS), Span(DAY_MS))


def twin(trades: list[FakeTrade], now_ms: int) -> list[object]:
    second, minute = now_ms // 1000 * 1000, now_ms // MINUTE_MS * MINUTE_MS
    starts = second - DAY_MS, second - 5 * MINUTE_MS, minute - HOUR_MS, minute - DAY_MS
    return [statistics(trades, start) for start in starts]


def test_nothing_ever():
    assert [(span.last, span.count, span.first_id) for span in spans().at(START_MS)] == [(0, 0, -1)] * 4


@pytest.mark.parametrize("pauses_ms", [(0, 50), (900, 40_000), (0, 200_000), (HOUR_MS, 5), (DAY_MS, MINUTE_MS)])
def test_statistics_are_the_sums_of_the_trades_of_the_span(pauses_ms):
    for seed in range(3):
        chance = random.Random(seed)
        trades = random_trades(chance, 500, pauses_ms)
        rolling, now_ms = spans(), START_MS
        for agg in aggregated(trades):
            ms = agg.time_ns // 1_000_000
            if chance.random() < 0.3:
                now_ms = chance.randint(now_ms, max(now_ms, ms))
                seen = [trade for trade in trades if trade.trade_id < agg.first_id]
                assert rolling.at(now_ms) == twin(seen, now_ms)
            rolling.add(agg.bar())
            now_ms = max(now_ms, ms)
        for _ in range(200):
            now_ms += chance.randint(0, chance.choice((1000, MINUTE_MS, HOUR_MS)))
            assert rolling.at(now_ms) == twin(trades, now_ms)


def test_memory_is_bounded_by_the_span_also_when_nobody_looks():
    span = Span(5 * MINUTE_MS)
    rolling = Rolling(span)
    for agg in aggregated(random_trades(random.Random(1), 3000, (MINUTE_MS,))):
        rolling.add(agg.bar())
    assert len(span._minutes) <= 7


def test_a_minute_whose_last_trades_come_late_is_counted_once():
    trades = random_trades(random.Random(3), 50, (1000,))
    rolling, aggs = spans(), aggregated(trades)
    for place, agg in enumerate(aggs):
        rolling.add(agg.bar())
        if place == 20:
            rolling.at(aggs[-1].time_ns // 1_000_000 + MINUTE_MS)   # a clock that runs ahead of the trades
    end = trades[-1].ms + 2 * MINUTE_MS
    assert rolling.at(end) == twin(trades, end)
    end += DAY_MS - 2 * MINUTE_MS - 15_000
    assert rolling.at(end) == twin(trades, end)
