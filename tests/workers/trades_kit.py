"""Trades for tests of what is made of them: made up, and a slow, obvious way to sum them."""
import random
from typing import Any

from msgspec import Struct

from engine.bars import Bar, Statistics
from workers.agg_trades import AggTrade, AggTrades

START_MS = 1_767_225_590_000   # ten seconds before 2026


class FakeTrade(Struct):
    """What an event of a trade tells."""

    trade_id: int
    order_id: int
    price_ticks: int
    qty_lots: int
    quote_amount: int
    time_ns: int
    side: int
    seq: int

    @property
    def ms(self) -> int:
        return self.time_ns // 1_000_000


def random_trades(chance: random.Random, count: int, pauses_ms: tuple[int, ...]) -> list[FakeTrade]:
    """Orders that trade at one price or several, then a pause of up to one of these."""
    trades: list[FakeTrade] = []
    time_ns, seq, price = START_MS * 1_000_000, 0, 1000
    while len(trades) < count:
        seq += chance.randint(1, 5)
        time_ns += chance.randint(0, chance.choice(pauses_ms)) * 1_000_000
        side = chance.randint(0, 1)
        for _ in range(chance.randint(1, 6)):
            if chance.random() < 0.4:
                price = max(1, price + chance.randint(-20, 20))
            qty = chance.randint(1, 50)
            trades.append(FakeTrade(len(trades) + 1, seq, price, qty, price * qty * 100, time_ns, side, seq))
    return trades


def aggregated(trades: list[FakeTrade]) -> list[AggTrade]:
    """Through AggTrades, as the worker does."""
    joiner: Any = AggTrades()
    done = [joiner.add(trade) for trade in trades] + [joiner.flush()]
    return [agg for agg in done if agg is not None]


def bar_of(open_ms: int, trades: list[FakeTrade], agg_of: dict[int, int]) -> Bar:
    """Sum them up the slow way; `agg_of` numbers aggregates by trade."""
    bought = [trade for trade in trades if trade.side == 0]
    prices = [trade.price_ticks for trade in trades]
    return Bar(
        open_ms, prices[0], max(prices), min(prices), prices[-1], trades[-1].qty_lots,
        sum(trade.qty_lots for trade in trades), sum(trade.quote_amount for trade in trades),
        sum(trade.qty_lots for trade in bought), sum(trade.quote_amount for trade in bought), trades[0].trade_id,
        trades[-1].trade_id, agg_of[trades[0].trade_id], trades[0].seq, trades[-1].seq)


def statistics(trades: list[FakeTrade], start_ms: int) -> Statistics:
    """Of the trades from start_ms on, the slow way."""
    inside = [trade for trade in trades if trade.ms >= start_ms]
    earlier = [trade for trade in trades if trade.ms < start_ms]
    before, before_lots = (earlier[-1].price_ticks, earlier[-1].qty_lots) if earlier else (0, 0)
    if not inside:
        return Statistics(start_ms, last=before, last_lots=before_lots, before=before)
    prices = [trade.price_ticks for trade in inside]
    return Statistics(
        start_ms, prices[0], max(prices), min(prices), prices[-1], inside[-1].qty_lots,
        sum(trade.qty_lots for trade in inside), sum(trade.quote_amount for trade in inside), inside[0].trade_id,
        inside[-1].trade_id, before)
