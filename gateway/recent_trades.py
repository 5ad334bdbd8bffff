"""The latest trades of each instrument, for trades.recent: a ring of TRADES_MAX, filled again by the replay."""
from collections import deque

from engine.core.codes import EventKind, Side
from engine.core.unpack import Event
from engine.event_kinds import events_of_kind
from engine.instruments import Instrument
from gateway.protocol import PublicTrade

TRADES_MAX = 1000
_TRADE, _SELL = int(EventKind.TRADE), int(Side.SELL)


class RecentTrades:
    """Older trades than TRADES_MAX per instrument are forgotten; the ledger has them all."""

    def __init__(self) -> None:
        self._rings: dict[int, deque[Event]] = {}

    def apply(self, events: list[Event]) -> None:
        """Take the trades out of a frame's events."""
        for trade in events_of_kind(events, _TRADE):
            instrument = trade.instrument
            ring = self._rings.get(instrument)
            if ring is None:
                ring = self._rings[instrument] = deque(maxlen=TRADES_MAX)
            ring.append(trade)

    def latest(self, instrument: Instrument, limit: int, unit_ns: int) -> list[PublicTrade]:
        """The last `limit` trades, oldest first."""
        trades = list(self._rings.get(instrument.id, ()))[-limit:]
        return [
            PublicTrade(trade.trade_id, instrument.price_text(trade.price_ticks), instrument.qty_text(trade.qty_lots),
                        instrument.quote_text(trade.quote_amount), trade.time_ns // unit_ns,
                        trade.side == _SELL, True) for trade in trades]
