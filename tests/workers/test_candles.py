"""Candles of random trades, compared with candles summed up from all trades of each interval."""
import random

import pytest

from engine.intervals import ALL_INTERVALS, DAY_MS, EAST_INTERVALS, INTERVALS, Interval
from tests.workers.trades_kit import FakeTrade, aggregated, bar_of, random_trades
from workers.candles import Candles, Key


def twin(trades: list[FakeTrade], agg_of: dict[int, int], intervals: tuple[Interval, ...]) -> dict[Key, object]:
    spans: dict[Key, list[FakeTrade]] = {}
    for interval in intervals:
        for trade in trades:
            spans.setdefault((interval.number, interval.open_ms(trade.ms)), []).append(trade)
    return {key: bar_of(key[1], inside, agg_of) for key, inside in spans.items()}


def test_a_candle_whose_beginning_was_not_seen_is_not_taken():
    trades = random_trades(random.Random(5), 300, (0, 400, 70_000))
    aggs = aggregated(trades)
    agg_of = {number: agg.id for agg in aggs for number in range(agg.first_id, agg.last_id + 1)}
    whole = twin(trades, agg_of, INTERVALS)
    for place in (0, 1, 40, len(aggs) - 1):
        candles, kept = Candles(), {}
        for agg in aggs[place:]:
            candles.add(agg.bar())
            kept.update(candles.take())
        assert kept == {key: bar for key, bar in whole.items() if not place or bar.first_agg > place + 1}
        assert {candle.last_id for candle in candles.now} == {trades[-1].trade_id}


@pytest.mark.parametrize("pauses_ms", [(0, 3, 400), (2000, 70_000), (3_000_000,), (DAY_MS, 10)])
def test_candles_are_the_sums_of_their_trades_however_they_are_cut(pauses_ms):
    for seed in range(4):
        chance = random.Random(seed)
        trades = random_trades(chance, 400, pauses_ms)
        aggs = aggregated(trades)
        agg_of = {number: agg.id for agg in aggs for number in range(agg.first_id, agg.last_id + 1)}
        candles, kept, piece = Candles(), {}, None
        for agg in aggs:
            bar = agg.bar()
            if piece is not None and (piece.open_ms != bar.open_ms or chance.random() < 0.3):
                candles.add(piece)
                piece = None
                if chance.random() < 0.2:
                    kept.update(candles.take())
            if piece is None:
                piece = bar
            else:
                piece.extend(bar)
        candles.add(piece)
        kept.update(candles.take())
        assert kept == twin(trades, agg_of, INTERVALS)
        east = twin(trades, agg_of, EAST_INTERVALS)
        for interval, candle in zip(EAST_INTERVALS, candles.now[len(INTERVALS):], strict=True):
            assert candle == east[interval.number, interval.open_ms(trades[-1].ms)]
        assert candles.take() == {}
        assert [candle.close for candle in candles.now] == [trades[-1].price_ticks] * len(ALL_INTERVALS)
