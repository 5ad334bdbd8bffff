"""Stories of one instrument: commands in, the complete list of what is published out."""
import json
import random
from typing import Any

from engine.core.batch import Batch
from engine.core.codes import OrderType, Side, TimeInForce
from engine.core.unpack import Event
from engine.market_channels import Kind
from tests.workers.market_kit import MAKER, TAKER, Market, decoded
from workers.market_data_book import MarketBook

BUY, SELL = Side.BUY, Side.SELL
NOW = 1_700_000_000_500


class Teller:
    """A market whose events go to a MarketBook; `told` takes what it wants to publish since the last call."""

    def __init__(self) -> None:
        self.market = Market()
        self.book = MarketBook(self.market.core, self.market.instrument)

    def hear(self, events: list[Event]) -> "Teller":
        for event in events:
            self.book.event(event)
        return self

    def told(self, *kinds: Kind, refresh: bool = False) -> list[Any]:
        entries = decoded(self.book.entries)
        self.book.entries.clear()
        return [json.loads(entry.payload) for entry in entries
                if entry.refresh == refresh and (not kinds or entry.kind in kinds)]

    def tick(self, *kinds: Kind, slow: bool = False) -> list[Any]:
        self.told()
        self.book.fast_tick(NOW)
        if slow:
            self.book.slow_tick(NOW)
        return self.told(*kinds)


def test_a_fill_is_told_with_its_own_time_and_the_makers_side():
    teller = Teller()
    teller.hear(teller.market.limit(SELL, 10_050, 30))
    teller.hear(teller.market.limit(BUY, 10_060, 20, TAKER))
    teller.hear(teller.market.limit(BUY, 9_900, 5))
    teller.hear(teller.market.limit(SELL, 9_900, 5, TAKER))
    first, second = teller.told(Kind.TRADE)
    ms = first["T"]
    assert first == {"e": "trade", "E": ms, "s": "BTCUSDT", "t": 1, "p": "100.50000000", "q": "0.00200000",
                     "T": ms, "m": False, "M": True}
    assert second == {"e": "trade", "E": ms + 2, "s": "BTCUSDT", "t": 2, "p": "99.00000000", "q": "0.00050000",
                      "T": ms + 2, "m": True, "M": True}
    assert 1_700_000_000_000 < ms < 1_700_000_001_000


def test_every_fill_of_a_sweep_is_told_and_one_ticker_per_command():
    teller = Teller()
    for price in (101, 102, 103):
        teller.hear(teller.market.limit(SELL, price, 10))
    assert [ticker["u"] for ticker in teller.told(Kind.BOOK_TICKER)] == [1]
    teller.hear(teller.market.limit(BUY, 103, 25, TAKER, time_in_force=TimeInForce.IOC))
    told = teller.told()
    assert [(trade["t"], trade["p"]) for trade in told[:3]] == [
        (1, "1.01000000"), (2, "1.02000000"), (3, "1.03000000")]
    assert told[3:] == [{"u": 6, "s": "BTCUSDT", "b": "0.00000000", "B": "0.00000000", "a": "1.03000000",
                         "A": "0.00050000"}]


def test_a_difference_holds_final_quantities_best_first_and_continues_the_one_before():
    teller = Teller()
    for side, price, qty in ((BUY, 99, 5), (BUY, 98, 6), (SELL, 101, 7), (SELL, 102, 8)):
        teller.hear(teller.market.limit(side, price, qty, text=b"%d" % price))
    assert teller.tick(Kind.DEPTH_100) == [
        {"e": "depthUpdate", "E": NOW, "s": "BTCUSDT", "U": 1, "u": 4,
         "b": [["0.99000000", "0.00050000"], ["0.98000000", "0.00060000"]],
         "a": [["1.01000000", "0.00070000"], ["1.02000000", "0.00080000"]]}]
    teller.hear(teller.market.cancel(b"98")).hear(teller.market.reduce(b"102", 3))
    teller.hear(teller.market.limit(BUY, 101, 2, TAKER))
    assert teller.tick(Kind.DEPTH_100) == [
        {"e": "depthUpdate", "E": NOW, "s": "BTCUSDT", "U": 5, "u": 7,
         "b": [["0.98000000", "0.00000000"]], "a": [["1.01000000", "0.00050000"], ["1.02000000", "0.00030000"]]}]


def test_without_raw_streams_the_others_are_the_same():
    told, quiet = Teller(), Teller()
    quiet.book = MarketBook(quiet.market.core, quiet.market.instrument, tells_raw=False)
    for teller in (told, quiet):
        teller.hear(teller.market.limit(SELL, 101, 7)).hear(teller.market.limit(BUY, 101, 3, TAKER))
    everything = told.tick(slow=True)
    kept = [said for said in everything if said.get("e") != "depthCrc"][1:]   # the raw difference comes first
    assert quiet.tick(slow=True) == kept and len(kept) == len(everything) - 2


def test_nothing_changed_nothing_told():
    teller = Teller()
    teller.hear(teller.market.limit(SELL, 101, 7))
    assert len(teller.tick(slow=True)) == 7   # three differences, a checksum, three partial depths
    refused = teller.market.limit(SELL, 101, 7, account=77)
    gone = teller.market.limit(BUY, 100, 7, TAKER, time_in_force=TimeInForce.IOC)
    killed = teller.market.limit(BUY, 101, 8, TAKER, time_in_force=TimeInForce.FOK)
    crossing = teller.market.limit(BUY, 101, 8, TAKER, order_type=OrderType.LIMIT_MAKER)
    for events in (refused, gone, killed, crossing):
        teller.hear(events)
    assert teller.told() == []
    assert teller.tick(slow=True) == []


def test_the_slow_difference_spans_the_fast_ones():
    teller = Teller()
    for price in (99, 98, 97):
        teller.hear(teller.market.limit(BUY, price, 1))
        assert [(diff["U"], diff["u"]) for diff in teller.tick(Kind.DEPTH_100, Kind.DEPTH_1000)] == [(100 - price,) * 2]
    slow = teller.tick(Kind.DEPTH_1000, slow=True)
    assert [(diff["U"], diff["u"], len(diff["b"])) for diff in slow] == [(1, 3, 3)]
    teller.hear(teller.market.limit(BUY, 96, 1))
    assert [(diff["U"], diff["u"]) for diff in teller.tick(Kind.DEPTH_1000, slow=True)] == [(4, 4)]


def test_levels_that_came_and_went_within_a_tick_are_removed_and_filled_takers_leave_no_level():
    teller = Teller()
    teller.hear(teller.market.limit(BUY, 90, 4, text=b"x")).hear(teller.market.cancel(b"x"))
    teller.hear(teller.market.limit(SELL, 101, 4))
    teller.hear(teller.market.limit(BUY, 105, 4, TAKER))      # filled whole: no bid at 105
    teller.hear(teller.market.limit(SELL, 95, 3, text=b"y"))
    teller.hear(teller.market.limit(BUY, 96, 5, TAKER))       # fills 3, rests with 2 at 96
    diff, = teller.tick(Kind.DEPTH_100)
    assert diff["b"] == [["0.96000000", "0.00020000"], ["0.90000000", "0.00000000"]]
    assert diff["a"] == [["0.95000000", "0.00000000"], ["1.01000000", "0.00000000"]]


def test_a_level_touched_before_stays_in_the_difference_when_a_taker_at_its_price_is_filled():
    teller = Teller()
    teller.hear(teller.market.limit(BUY, 100, 4, text=b"x"))
    teller.tick()
    teller.hear(teller.market.cancel(b"x")).hear(teller.market.limit(SELL, 99, 4))
    teller.hear(teller.market.limit(BUY, 100, 4, TAKER))
    diff, = teller.tick(Kind.DEPTH_100)
    assert diff["b"] == [["1.00000000", "0.00000000"]]


def test_a_mass_cancel_is_in_the_difference():
    teller = Teller()
    for price in (90, 91, 92):
        teller.hear(teller.market.limit(BUY, price, 1))
    teller.tick()
    teller.hear(teller.market.cancel_all())
    diff, = teller.tick(Kind.DEPTH_100)
    assert diff["b"] == [[f"0.{price}000000", "0.00000000"] for price in (92, 91, 90)]


def test_partial_depth_is_told_when_its_own_levels_change():
    teller = Teller()
    for price in range(80, 100):
        teller.hear(teller.market.limit(BUY, price, 1))
    five, ten, twenty = teller.tick(Kind.PARTIAL_5, Kind.PARTIAL_10, Kind.PARTIAL_20)
    assert five == {"lastUpdateId": 20, "asks": [], "bids": [[f"0.{price}000000", "0.00010000"]
                                                             for price in range(99, 94, -1)]}
    assert len(ten["bids"]) == 10 and len(twenty["bids"]) == 20
    teller.hear(teller.market.limit(BUY, 88, 1))   # twelfth level
    changed, = teller.tick(Kind.PARTIAL_5, Kind.PARTIAL_10, Kind.PARTIAL_20)
    assert len(changed["bids"]) == 20 and changed["lastUpdateId"] == 21
    teller.hear(teller.market.limit(BUY, 70, 1))   # beyond the twentieth
    assert teller.tick(Kind.PARTIAL_5, Kind.PARTIAL_10, Kind.PARTIAL_20) == []
    teller.book.refresh()
    assert [state["lastUpdateId"] for state in teller.told(Kind.PARTIAL_5, refresh=True)] == [22]


def test_a_refresh_tells_the_last_states_without_being_an_event():
    teller = Teller()
    teller.hear(teller.market.limit(BUY, 99, 5))
    ticker, = teller.told()
    teller.tick(slow=True)
    teller.book.slow_tick(NOW)
    assert teller.book.entries and teller.told() == []
    teller.book.slow_tick(NOW)
    refreshed = teller.told(refresh=True)
    assert len(refreshed) == 4 and ticker in refreshed


def test_after_a_restart_streams_go_on_from_the_present_book():
    teller = Teller()
    teller.hear(teller.market.limit(BUY, 99, 5))
    teller.market.limit(BUY, 98, 5)   # history: not heard
    teller.book.restart()
    assert teller.tick(slow=True) == []
    teller.hear(teller.market.limit(BUY, 97, 5))
    diff, = teller.tick(Kind.DEPTH_100)
    assert (diff["U"], diff["u"], len(diff["b"])) == (3, 3, 1)
    teller.book.refresh()
    states = {tuple(state): state for state in teller.told(refresh=True)}
    assert states["u", "s", "b", "B", "a", "A"]["b"] == "0.99000000"


def test_a_book_built_from_the_differences_is_the_cores_whatever_stops_icebergs_and_prevention_do():
    """4,000 random orders of all types and modes, a difference after every few: no level is missed, none is at 0."""
    choose, teller = random.Random(3), Teller()
    terms, built = teller.market.instrument, ({}, {})
    for number in range(4000):
        kind, batch = choose.choice((0, 0, 1, 2, 3, 4, 5, 6)), Batch()
        if not number % 10:
            batch.place_list(MAKER, 1, 1, f"l{number}")   # one triggers another
            for side, price in ((BUY, choose.randint(95, 100)), (SELL, choose.randint(100, 106))):
                batch.place(MAKER, 1, side, 0, 0, price, 3, text=f"{side}-{number}")
        priced = kind in (0, 1, 4, 6)
        batch.place(
            choose.choice((MAKER, TAKER)), 1, choose.choice((BUY, SELL)), kind,
            choose.choice((0, 0, 1)) if kind in (0, 4, 6) else 0, choose.randint(95, 105) if priced else 0,
            choose.randint(1, 9), 0, str(number), choose.randint(0, 4),
            trigger_ticks=choose.randint(95, 105) if kind > OrderType.MARKET else 0,
            trailing_bps=choose.choice((0, 0, 0, 200)) if kind > OrderType.MARKET else 0,
            display_lots=choose.choice((0, 0, 1, 2)) if priced else 0)
        teller.hear(teller.market.apply(batch))
        if number % 3:
            continue
        for diff in teller.tick(Kind.DEPTH_100):
            for side, rows in ((BUY, diff["b"]), (SELL, diff["a"])):
                built[side].update(dict(rows))
        for side in (BUY, SELL):
            levels = teller.market.core.depth(1, side, 50)
            core = {terms.price_text(ticks): terms.qty_text(lots) for ticks, lots in levels}
            assert {price: qty for price, qty in built[side].items() if float(qty)} == core
            assert terms.price_text(0) not in built[side]
    assert teller.market.core.last_price(1) and built[BUY] and built[SELL]
