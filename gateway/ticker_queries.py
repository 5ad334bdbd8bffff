"""Tickers that the exchange answers itself: best prices from the live book, last prices from the latest trades.

Both have the shape (params, unit_ns) -> JSON, one row for `symbol`, else a list, and raise Refusal. Statistics of a
window are made elsewhere: the exchange process keeps none.
"""
import msgspec

from engine.core.exchange import Exchange
from engine.instruments import Catalog, Instrument
from gateway.order_terms import Params
from gateway.protocol import BookTicker, PriceTicker, encode
from gateway.refusals import BAD_COMBINATION, DUPLICATE_SYMBOLS, INVALID_JSON_PARAMETER, INVALID_SYMBOL, Refusal


class TickerQueries:
    """Reads only."""

    def __init__(self, core: Exchange, catalog: Catalog) -> None:
        self._core, self._catalog = core, catalog

    def book(self, params: Params, unit_ns: int) -> bytes:
        """ticker.book"""
        rows = [self._book(instrument) for instrument in self._asked(params)]
        return encode(rows[0] if "symbol" in params else rows)

    def price(self, params: Params, unit_ns: int) -> bytes:
        """ticker.price; an instrument that never traded has the price 0."""
        rows = [PriceTicker(instrument.symbol, instrument.price_text(self._core.last_price(instrument.id)))
                for instrument in self._asked(params)]
        return encode(rows[0] if "symbol" in params else rows)

    def _book(self, instrument: Instrument) -> BookTicker:
        bid_ticks, bid_lots, ask_ticks, ask_lots = self._core.top(instrument.id)
        price, qty = instrument.price_text, instrument.qty_text
        return BookTicker(instrument.symbol, price(bid_ticks), qty(bid_lots), price(ask_ticks), qty(ask_lots))

    def _asked(self, params: Params) -> list[Instrument]:
        by_symbol = self._catalog.by_symbol
        if "symbol" in params and "symbols" in params:
            raise Refusal(BAD_COMBINATION)
        if "symbol" in params:
            names = [params["symbol"]]
        elif "symbols" in params:
            names = _names(params["symbols"])
        else:
            return [self._catalog.by_id[number] for number in sorted(self._catalog.by_id)]
        if any(name not in by_symbol for name in names):
            raise Refusal(INVALID_SYMBOL)
        return [by_symbol[name] for name in names]


def _names(text: str) -> list[str]:
    try:
        names = msgspec.json.decode(text, type=list[str])
    except msgspec.DecodeError:
        raise Refusal(INVALID_JSON_PARAMETER, "symbols") from None
    if len(set(names)) != len(names):
        raise Refusal(DUPLICATE_SYMBOLS)
    return names
