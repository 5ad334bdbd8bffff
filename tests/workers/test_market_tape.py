"""Stories of one instrument's candles and statistics as its streams tell them; a quiet clock, late trades, silence."""
import json
from typing import Any

from engine.core.codes import EventKind, Side
from engine.core.unpack import Event
from engine.intervals import INTERVAL_BY_NAME
from engine.market_channels import Kind
from tests.workers.market_kit import TAKER, Market, decoded
from workers.market_klines import ENDS_MAX
from workers.market_tape import MarketTape

T0 = 1_700_000_040_000   # a whole minute
DAY = 86_400_000


class Teller:
    """A market whose trades go to a tape; `told` takes what was told since the last call."""

    def __init__(self, live: bool = True) -> None:
        self.market = Market()
        self.entries: list[bytes] = []
        self.tape = MarketTape(self.market.core, self.market.instrument, self.entries)
        if live:
            self.tape.start(T0)

    def trade(self, at_ms: int, price: int = 100, qty: int = 1, taker: Side = Side.BUY) -> "Teller":
        """One fill at this time."""
        self.market._time_ns = (at_ms - 1) * 1_000_000
        maker = Side.SELL if taker is Side.BUY else Side.BUY
        self.hear(self.market.limit(maker, price, qty))
        self.market._time_ns = (at_ms - 1) * 1_000_000
        return self.hear(self.market.limit(taker, price, qty, TAKER))

    def hear(self, events: list[Event]) -> "Teller":
        for event in events:
            if event.kind == EventKind.TRADE:
                self.tape.trade(event)
        self.tape.settle()
        return self

    def told(self, *kinds: Kind, refresh: bool = False) -> list[Any]:
        entries = decoded(self.entries)
        self.entries.clear()
        return [json.loads(entry.payload) for entry in entries if entry.refresh == refresh and entry.kind in kinds]

    def ends(self, kind: Kind) -> list[tuple[int, str, str, int]]:
        """Open time relative to T0, close, volume and trades of the candles told as over."""
        return [(told["k"]["t"] - T0, told["k"]["c"], told["k"]["v"], told["k"]["n"])
                for told in self.told(kind) if told["k"]["x"]]


def test_aggregated_trades_are_told_at_once():
    teller = Teller().trade(T0 + 5, 10_050, 30).trade(T0 + 6, 9_900, 5, Side.SELL)
    first, second = teller.told(Kind.AGG_TRADE)
    assert first == {"e": "aggTrade", "E": T0 + 5, "s": "BTCUSDT", "a": 1, "p": "100.50000000", "q": "0.00300000",
                     "f": 1, "l": 1, "T": T0 + 5, "m": False, "M": True}
    assert (second["a"], second["m"]) == (2, True)


def test_a_candle_is_told_at_its_cadence_when_it_has_changed():
    teller = Teller().trade(T0 + 100, 200, 10).trade(T0 + 300, 100, 30, Side.SELL).trade(T0 + 700, 150, 20)
    teller.tape.slow_tick(T0 + 900, even=True)
    minute = teller.told(Kind.KLINE_1M)[-1]
    assert minute == {"e": "kline", "E": T0 + 700, "s": "BTCUSDT", "k": {
        "t": T0, "T": T0 + 59_999, "s": "BTCUSDT", "i": "1m", "f": 1, "L": 3, "o": "2.00000000", "c": "1.50000000",
        "h": "2.00000000", "l": "1.00000000", "v": "0.00600000", "n": 3, "x": False, "q": "0.00800000",
        "V": "0.00300000", "Q": "0.00500000", "B": "0"}}
    teller.tape.slow_tick(T0 + 950, even=True)
    assert teller.told(Kind.KLINE_1M) == []
    teller.tape.slow_tick(T0 + 950, even=True)
    assert len(teller.told(Kind.KLINE_1M, refresh=True)) == 1
    teller.trade(T0 + 990)
    teller.tape.slow_tick(T0 + 995, even=False)
    assert len(teller.told(Kind.KLINE_1S)) == 1
    teller.tape.slow_tick(T0 + 996, even=False)
    assert teller.told(Kind.KLINE_1M) == []   # its turn comes every second time


def test_the_end_is_told_once_by_the_next_trade_or_by_the_clock():
    teller = Teller().trade(T0 + 100, 200, 10).trade(T0 + 1_100, 210, 20)
    assert teller.ends(Kind.KLINE_1S) == [(0, "2.00000000", "0.00100000", 1)]
    teller.tape.fast_tick(T0 + 1_999, T0 + 2_999)
    assert teller.ends(Kind.KLINE_1S) == []
    teller.tape.fast_tick(T0 + 2_000, T0 + 3_000)
    assert teller.ends(Kind.KLINE_1S) == [(1000, "2.10000000", "0.00200000", 1)]
    teller.tape.fast_tick(T0 + 2_000, T0 + 3_100)
    teller.trade(T0 + 2_500, 220, 1)
    assert teller.ends(Kind.KLINE_1S) == []


def test_seconds_without_a_trade_are_flat_and_told():
    teller = Teller().trade(T0 + 100, 200, 10).trade(T0 + 3_100, 300, 5)
    assert teller.ends(Kind.KLINE_1S) == [
        (0, "2.00000000", "0.00100000", 1), (1000, "2.00000000", "0.00000000", 0),
        (2000, "2.00000000", "0.00000000", 0)]
    flat = Teller().trade(T0 + 100, 200, 10)
    flat.tape.fast_tick(T0 + 2_000, T0 + 2_000)
    candle = flat.told(Kind.KLINE_1S)[-1]["k"]
    assert (candle["t"], candle["o"], candle["h"], candle["l"], candle["f"], candle["L"], candle["x"]) == (
        T0 + 2_000, "2.00000000", "2.00000000", "2.00000000", -1, -1, False)


def test_every_interval_ends():
    teller = Teller().trade(T0 + 100, 200, 10)
    teller.told()
    month = INTERVAL_BY_NAME["1M"]
    teller.trade(month.next_ms(month.open_ms(T0)), 300, 5)
    told = decoded(teller.entries)
    for kind in Kind:
        if kind.name.startswith("KLINE"):
            candles = [json.loads(entry.payload)["k"] for entry in told if entry.kind is kind]
            ends = [candle for candle in candles if candle["x"]]
            assert (ends[0]["n"], ends[0]["c"], ends[0]["V"]) == (1, "2.00000000", "0.00100000"), kind
            assert not candles[-1]["x"] and candles[-1]["t"] <= month.next_ms(month.open_ms(T0)) <= candles[-1]["T"]
            assert len({candle["t"] for candle in ends}) == len(ends) <= ENDS_MAX


def test_a_late_trade_is_in_the_candle_but_its_end_is_not_told_again():
    teller = Teller().trade(T0 + 100, 200, 10)
    teller.tape.fast_tick(T0 + 2_000, T0 + 3_000)
    teller.told()
    teller.tape.candles.take()
    teller.trade(T0 + 900, 250, 7)
    teller.tape.fast_tick(T0 + 2_100, T0 + 3_100)
    assert teller.ends(Kind.KLINE_1S) == []
    kept = teller.tape.candles.take()[1, T0]
    assert (kept.close, kept.lots, kept.last_id) == (250, 17, 2)
    teller.tape.slow_tick(T0 + 3_100, even=True)
    assert teller.told(Kind.KLINE_1M)[-1]["k"]["n"] == 2


def test_a_day_of_eight_hours_east_begins_at_its_midnight_and_is_whole_after_a_start():
    utc = INTERVAL_BY_NAME["1d"].open_ms(T0)
    midnight = utc + 16 * 3_600_000   # of UTC+8
    history = Teller(live=False).trade(midnight - 60_000, 150).trade(midnight, 200, 10).trade(midnight + 60_000, 300, 5)
    history.tape.start(midnight + 90_000)
    day, east = history.told(Kind.KLINE_1D, Kind.KLINE_1D_EAST)
    assert [day["k"][name] for name in "tTin"] == [utc, utc + DAY - 1, "1d", 3]
    assert [east["k"][name] for name in "tTinfLohclvx"] == [
        midnight, midnight + DAY - 1, "1d", 2, 2, 3, "2.00000000", "3.00000000", "3.00000000", "2.00000000",
        "0.00150000", False]
    history.trade(utc + DAY + 5, 250)
    day, east = history.told(Kind.KLINE_1D)[0]["k"], history.tape.candles
    assert (day["x"], day["n"]) == (True, 3) and {key[0] for key in east.take()} <= set(range(1, 17))
    history.tape.fast_tick(midnight + DAY, midnight + DAY + 1)
    ended = [said["k"] for said in history.told(Kind.KLINE_1D_EAST) if said["k"]["x"]]
    assert [(end["t"], end["n"], end["c"]) for end in ended] == [(midnight, 3, "2.50000000")]


def test_history_is_silent_and_counts():
    teller = Teller(live=False).trade(T0 - 5_000, 200, 10).trade(T0 + 100, 210, 5)
    assert teller.entries == []
    teller.tape.start(T0 + 900)
    minute = teller.told(Kind.KLINE_1M)[-1]["k"]
    assert (minute["t"], minute["n"], minute["f"]) == (T0, 1, 2)
    teller.trade(T0 + 1_000, 220, 1)
    assert teller.ends(Kind.KLINE_1S) == [(0, "2.10000000", "0.00050000", 1)]
    assert teller.tape.slow_tick(T0 + 1_500, even=True).keys() >= {Kind.MINI_TICKER, Kind.TICKER}
    assert teller.told(Kind.MINI_TICKER)[0]["v"] == "0.00160000"


def test_tickers():
    teller = Teller().trade(T0 - 90_000_000 + 500, 50, 1).trade(T0 - DAY + 2_500, 100, 10)
    teller.trade(T0 - 100, 300, 20, Side.SELL).hear(teller.market.limit(Side.BUY, 90, 7))
    teller.tape.slow_tick(T0, even=True)
    day = teller.told(Kind.TICKER)[0]
    assert day == {
        "e": "24hrTicker", "E": T0, "s": "BTCUSDT", "p": "2.00000000", "P": "200.000", "w": "2.33333333",
        "x": "0.50000000", "c": "3.00000000", "Q": "0.00200000", "b": "0.90000000", "B": "0.00070000",
        "a": "0.00000000", "A": "0.00000000", "o": "1.00000000", "h": "3.00000000", "l": "1.00000000",
        "v": "0.00300000", "q": "0.00700000", "O": T0 - DAY, "C": T0, "F": 2, "L": 3, "n": 2}
    assert teller.tape.slow_tick(T0 + 1_000, even=True) == {}
    teller.entries.clear()
    changed = teller.tape.slow_tick(T0 + 3_000, even=True)   # the first trade has left
    assert json.loads(changed[Kind.MINI_TICKER]) == {
        "e": "24hrMiniTicker", "E": T0 + 3_000, "s": "BTCUSDT", "c": "3.00000000", "o": "3.00000000",
        "h": "3.00000000", "l": "3.00000000", "v": "0.00200000", "q": "0.00600000"}
    assert json.loads(changed[Kind.TICKER])["x"] == "1.00000000"
    assert teller.told(Kind.TICKER_1H, refresh=True)[0] == {
        "e": "1hTicker", "E": T0, "s": "BTCUSDT", "p": "0.00000000", "P": "0.000", "w": "3.00000000",
        "c": "3.00000000", "o": "3.00000000", "h": "3.00000000", "l": "3.00000000", "v": "0.00200000",
        "q": "0.00600000", "O": T0 - 3_600_000, "C": T0, "F": 3, "L": 3, "n": 1}


def test_average_price_falls_back_to_the_last_price():
    teller = Teller().trade(T0 + 100, 100, 30).trade(T0 + 200, 200, 10)
    teller.tape.slow_tick(T0 + 1_000, even=True)
    assert teller.told(Kind.AVG_PRICE) == [
        {"e": "avgPrice", "E": T0 + 1_000, "s": "BTCUSDT", "i": "5m", "w": "1.25000000", "T": T0 + 200}]
    teller.tape.slow_tick(T0 + 301_000, even=True)
    assert teller.told(Kind.AVG_PRICE)[0]["w"] == "2.00000000"


def test_nothing_ever_traded():
    teller = Teller()
    changed = teller.tape.slow_tick(T0, even=True)
    assert json.loads(changed[Kind.TICKER])["c"] == "0.00000000"
    assert json.loads(changed[Kind.TICKER_1D])["F"] == -1
    teller.tape.fast_tick(T0 + 5_000, T0 + 5_000)
    assert teller.told(Kind.KLINE_1S) == []
