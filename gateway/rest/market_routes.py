"""The table of routes of public market data that is made of trades; see routes.py for the columns.

Where the answers come from: the ledger's trades and the market-data worker's candles, both in Postgres. REST processes
hold no state, both tables survive restarts of everything and can be made again from the journal, and Redis, which may
be lost, is not asked. The reasons stand in candle_reader.py and public_trades.py.
"""
from collections.abc import Mapping

from gateway.protocol import PublicTrade
from gateway.rest.market_shapes import AggTradeRow, AveragePrice, DayTicker, KlineRow, MiniTicker, WindowTicker
from gateway.rest.routes import Route

_KLINES = "symbol! interval! startTime endTime timeZone limit"
_WINDOW_SYMBOL_WEIGHT, _WINDOW_WEIGHT_MAX = 4, 200


def _day_weight(params: Mapping[str, str]) -> int:
    """By the number of symbols asked for; all of them weigh most."""
    if "symbol" in params:
        return 2
    count = _count(params)
    return 80 if count == 0 or count > 100 else 40 if count > 20 else 2


def _window_weight(params: Mapping[str, str]) -> int:
    return min(max(1, _count(params)) * _WINDOW_SYMBOL_WEIGHT, _WINDOW_WEIGHT_MAX)


def _count(params: Mapping[str, str]) -> int:
    """Names in the list `symbols`, which is looked at properly later."""
    return params.get("symbols", "").count('"') // 2


def _get(path: str, call: str, weight: int, parameters: str, result: object, summary: str, **more: object) -> Route:
    return Route("GET", f"/api/v3/{path}", call, weight, parameters, result, summary, **more)  # type: ignore[arg-type]


MARKET_ROUTES = (
    _get("historicalTrades", "trades.historical", 25, "symbol! limit fromId", list[PublicTrade], "Older trades"),
    _get("aggTrades", "trades.aggregate", 4, "symbol! fromId startTime endTime limit", list[AggTradeRow],
         "Trades joined by taker order and price"),
    _get("klines", "klines", 2, _KLINES, list[KlineRow], "Candles"),
    _get("uiKlines", "uiKlines", 2, _KLINES, list[KlineRow], "Candles for charts: the same"),
    _get("avgPrice", "avgPrice", 2, "symbol!", AveragePrice, "Average price of five minutes"),
    _get("ticker/24hr", "ticker.24hr", 2, "symbol symbols type",
         list[DayTicker] | DayTicker | MiniTicker | list[MiniTicker], "Statistics of 24 hours", weigh=_day_weight),
    _get("ticker", "ticker", 4, "symbol symbols windowSize type",
         list[WindowTicker] | WindowTicker | MiniTicker | list[MiniTicker], "Statistics of a rolling window",
         weigh=_window_weight),
    _get("ticker/tradingDay", "ticker.tradingDay", 4, "symbol symbols timeZone type",
         list[WindowTicker] | WindowTicker | MiniTicker | list[MiniTicker], "Statistics of the day",
         weigh=_window_weight),
)
