"""The JSON texts of aggregated trades, candles and statistics, by formatting, as in market_data_json.py.

Sums of quantity are in the base asset, sums of money in the quote asset, both as texts with 8 decimal places.
"""
from engine.bars import Bar, Statistics, average_text, percent_text
from engine.core.codes import Side
from engine.instruments import Instrument
from engine.intervals import Interval
from engine.market_channels import NS_PER_MS
from workers.agg_trades import AggTrade
from workers.market_data_json import Level

AVERAGE_MINUTES = 5
_SELL = int(Side.SELL)


def agg_trade_json(instrument: Instrument, agg: AggTrade) -> bytes:
    """What one taker order traded at one price; `m` tells whether the buyer was the maker."""
    ms = agg.time_ns // NS_PER_MS
    return (f'{{"e":"aggTrade","E":{ms},"s":"{instrument.symbol}","a":{agg.id},'
            f'"p":"{instrument.price_text(agg.price_ticks)}","q":"{instrument.qty_text(agg.qty_lots)}",'
            f'"f":{agg.first_id},"l":{agg.last_id},"T":{ms},'
            f'"m":{"true" if agg.side == _SELL else "false"},"M":true}}').encode()


def kline_json(instrument: Instrument, interval: Interval, now_ms: int, candle: Bar, closed: bool) -> bytes:
    """A candle as it is now, `closed` when it will not change."""
    price, qty, quote = instrument.price_text, instrument.qty_text, instrument.quote_text
    count = candle.last_id - candle.first_id + 1 if candle.first_id >= 0 else 0
    return (f'{{"e":"kline","E":{now_ms},"s":"{instrument.symbol}","k":{{"t":{candle.open_ms},'
            f'"T":{interval.next_ms(candle.open_ms) - 1},"s":"{instrument.symbol}","i":"{interval.name}",'
            f'"f":{candle.first_id},"L":{candle.last_id},"o":"{price(candle.open)}","c":"{price(candle.close)}",'
            f'"h":"{price(candle.high)}","l":"{price(candle.low)}","v":"{qty(candle.lots)}","n":{count},'
            f'"x":{"true" if closed else "false"},"q":"{quote(candle.quote)}","V":"{qty(candle.buy_lots)}",'
            f'"Q":"{quote(candle.buy_quote)}","B":"0"}}}}').encode()


def mini_ticker_json(instrument: Instrument, now_ms: int, day: Statistics) -> bytes:
    """24 hours in short."""
    price = instrument.price_text
    return (f'{{"e":"24hrMiniTicker","E":{now_ms},"s":"{instrument.symbol}","c":"{price(day.last)}",'
            f'"o":"{price(day.open)}","h":"{price(day.high)}","l":"{price(day.low)}",'
            f'"v":"{instrument.qty_text(day.lots)}","q":"{instrument.quote_text(day.quote)}"}}').encode()


def day_ticker_json(instrument: Instrument, now_ms: int, day: Statistics, bid: Level, ask: Level) -> bytes:
    """24 hours in full, with the best prices; `x` is the last price before them."""
    price, qty = instrument.price_text, instrument.qty_text
    return (f'{{"e":"24hrTicker","E":{now_ms},"s":"{instrument.symbol}",{_change(instrument, day)},'
            f'"x":"{price(day.before)}","c":"{price(day.last)}","Q":"{qty(day.last_lots)}",'
            f'"b":"{price(bid[0])}","B":"{qty(bid[1])}","a":"{price(ask[0])}","A":"{qty(ask[1])}",'
            f'"o":"{price(day.open)}",{_rest(instrument, now_ms, day)}}}').encode()


def window_ticker_json(instrument: Instrument, now_ms: int, name: str, span: Statistics) -> bytes:
    """1h, 4h or 1d."""
    price = instrument.price_text
    return (f'{{"e":"{name}Ticker","E":{now_ms},"s":"{instrument.symbol}",{_change(instrument, span)},'
            f'"c":"{price(span.last)}","o":"{price(span.open)}",{_rest(instrument, now_ms, span)}}}').encode()


def average_json(instrument: Instrument, now_ms: int, span: Statistics, traded_ms: int) -> bytes:
    """Average price of the last minutes; when nothing was traded in them, the last price."""
    text = average_text(instrument, span.quote, span.lots) if span.lots else instrument.price_text(span.last)
    return (f'{{"e":"avgPrice","E":{now_ms},"s":"{instrument.symbol}","i":"{AVERAGE_MINUTES}m","w":"{text}",'
            f'"T":{traded_ms}}}').encode()


def _change(instrument: Instrument, span: Statistics) -> str:
    return (f'"p":"{instrument.price_text(span.change)}","P":"{percent_text(span.change, span.open)}",'
            f'"w":"{average_text(instrument, span.quote, span.lots)}"')


def _rest(instrument: Instrument, now_ms: int, span: Statistics) -> str:
    price = instrument.price_text
    return (f'"h":"{price(span.high)}","l":"{price(span.low)}","v":"{instrument.qty_text(span.lots)}",'
            f'"q":"{instrument.quote_text(span.quote)}","O":{span.open_ms},"C":{now_ms},'
            f'"F":{span.first_id},"L":{span.last_id},"n":{span.count}')
