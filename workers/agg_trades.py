"""Aggregated trades of one instrument: what one taker order traded at one price, numbered 1, 2, 3, ... from the first.

Pure: trade events in, in their order; no clock. The numbers are a function of the trades alone, so whoever counts from
the first trade on, or from a known number, gives the same ones. Who knows neither counts from the number of the first
trade it sees, which is beyond every number given before: none comes twice, some never.
"""
from typing import Any

import numpy as np
from msgspec import Struct

from engine.bars import Bar
from engine.core.codes import Side
from engine.core.unpack import Event
from engine.intervals import SECOND_MS

NS_PER_SECOND = 1_000_000 * SECOND_MS
_BUY = int(Side.BUY)
Records = np.ndarray[Any, Any]   # of TRADE events, see engine/records.py


class AggTrade(Struct, gc=False):
    """One or more consecutive trades of the same taker order at the same price."""

    id: int
    order_id: int      # of the taker
    price_ticks: int
    qty_lots: int
    quote_amount: int  # minor units
    first_id: int      # of its trades
    last_id: int
    time_ns: int
    side: int          # of the taker
    seq: int           # of the taker's command
    last_lots: int     # quantity of the last of its trades

    def bar(self) -> Bar:
        """The bar of the second it happened in."""
        buy = self.side == _BUY
        price = self.price_ticks
        return Bar(
            self.time_ns // NS_PER_SECOND * SECOND_MS, price, price, price, price, self.last_lots, self.qty_lots,
            self.quote_amount, self.qty_lots * buy, self.quote_amount * buy, self.first_id, self.last_id, self.id,
            self.seq, self.seq)


class AggTrades:
    """Joins trades as they come."""

    def __init__(self) -> None:
        self.last_id = 0    # number of the last one that began
        self._open: AggTrade | None = None

    def add(self, trade: Event) -> AggTrade | None:
        """Take the next trade; the aggregate before it, if this trade does not belong to it."""
        now = self._open
        if now is not None and now.order_id == trade.order_id and now.price_ticks == trade.price_ticks:
            now.qty_lots += trade.qty_lots
            now.quote_amount += trade.quote_amount
            now.last_id, now.last_lots = trade.trade_id, trade.qty_lots
            return None
        self.last_id = self._before(trade.trade_id) + 1
        self._open = AggTrade(
            self.last_id, trade.order_id, trade.price_ticks, trade.qty_lots, trade.quote_amount, trade.trade_id,
            trade.trade_id, trade.time_ns, trade.side, trade.seq, trade.qty_lots)
        return now

    def add_all(self, trades: Records) -> Bar:
        """The same as adding one by one and flushing, for trades of whole commands at one moment; their bar alone."""
        orders, prices, lots, quotes = (
            trades[name] for name in ("order_id", "price_ticks", "qty_lots", "quote_amount"))
        first_agg = self._before(int(trades["trade_id"][0])) + 1
        self.last_id = first_agg + int(np.count_nonzero((orders[1:] != orders[:-1]) | (prices[1:] != prices[:-1])))
        bought = trades["side"] == _BUY
        first, last = trades[0], trades[-1]
        return Bar(
            int(first["time_ns"]) // NS_PER_SECOND * SECOND_MS, int(prices[0]), int(prices.max()), int(prices.min()),
            int(prices[-1]), int(lots[-1]), _sum(lots), _sum(quotes), _sum(lots[bought]), _sum(quotes[bought]),
            int(first["trade_id"]), int(last["trade_id"]), first_agg, int(first["seq"]), int(last["seq"]))

    def _before(self, trade_id: int) -> int:
        """The number before the one that begins with this trade."""
        return self.last_id or trade_id - 1

    def flush(self) -> AggTrade | None:
        """The aggregate that was open: call it when the taker's command is over."""
        now, self._open = self._open, None
        return now


def _sum(values: Records) -> int:
    """Exact, also beyond 64 bits."""
    return sum(values.tolist())
