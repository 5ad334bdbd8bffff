"""Order by order: what is told builds the core's own queues, with icebergs, stops, lists, prevention and auctions."""
import json
import random
from typing import Any

import pytest

from engine.core.batch import Batch
from engine.core.codes import AuctionStep, InstrumentStatus, ListType, OrderType, SelfTrade, Side, TimeInForce
from engine.market_channels import Kind
from tests.support.orders_book import OrdersBook
from tests.workers.market_kit import MAKER, TAKER, Market, decoded
from workers.market_data_book import MarketBook

BUY, SELL, GTC = Side.BUY, Side.SELL, TimeInForce.GTC
NOW = 1_700_000_000_500


class Teller:
    """A market, its book's entries, and a client who builds the queues from them."""

    def __init__(self) -> None:
        self.market = Market()
        self.book = MarketBook(self.market.core, self.market.instrument, tells_orders=True)
        self.client = OrdersBook()
        self.client.snapshot({"lastUpdateId": 0, "bids": [], "asks": []})

    def frame(self, batch: Batch) -> list[Any]:
        """One frame of commands; what was told of orders."""
        for event in self.market.apply(batch):
            self.book.event(event)
        self.book.settle(NOW)
        told = [json.loads(entry.payload) for entry in decoded(self.book.entries) if entry.kind == Kind.L3]
        self.book.entries.clear()
        for message in told:
            self.client.message(message)
        assert self.client.sides == self.truth()
        return [change for message in told for change in message["o"]]

    def truth(self) -> list[list[tuple[str, str, int]]]:
        terms = self.market.instrument
        return [[(terms.price_text(price), terms.qty_text(lots), order_id)
                 for price, lots, order_id in self.market.core.queue(1, side, 10**6)] for side in Side]


def test_an_order_is_added_executed_modified_and_deleted():
    teller, batch = Teller(), Batch()
    batch.place(MAKER, 1, SELL, OrderType.LIMIT, GTC, 101, 10, text=b"a")
    batch.place(MAKER, 1, SELL, OrderType.LIMIT, GTC, 101, 5, text=b"b")
    added = teller.frame(batch)
    first, second = added[0][1], added[1][1]
    assert added == [["a", first, "S", "1.01000000", "0.00100000"], ["a", second, "S", "1.01000000", "0.00050000"]]
    batch = Batch()
    batch.place(TAKER, 1, BUY, OrderType.LIMIT, GTC, 101, 4)
    batch.reduce(MAKER, 1, 3, text=b"b")
    batch.cancel(MAKER, 1, text=b"a")
    assert teller.frame(batch) == [["e", first, "0.00040000", "0.00060000", 1], ["m", second, "0.00030000"],
                                   ["d", first]]


def test_of_an_iceberg_only_the_part_shown_is_told_and_the_next_comes_behind_all_others():
    teller, batch = Teller(), Batch()
    batch.place(MAKER, 1, SELL, OrderType.LIMIT, GTC, 101, 25, display_lots=10)
    batch.place(MAKER, 1, SELL, OrderType.LIMIT, GTC, 101, 5)
    iceberg = teller.frame(batch)[0][1]
    batch = Batch()
    batch.place(TAKER, 1, BUY, OrderType.LIMIT, TimeInForce.IOC, 101, 10)
    assert teller.frame(batch) == [["e", iceberg, "0.00100000", "0.00000000", 1],
                                   ["a", iceberg, "S", "1.01000000", "0.00100000"]]
    assert [order[2] == iceberg for order in teller.client.sides[SELL]] == [False, True]


def test_a_stop_is_told_when_it_rests_and_not_before_nor_when_it_is_canceled_waiting():
    teller, batch = Teller(), Batch()
    batch.place(MAKER, 1, BUY, OrderType.LIMIT, GTC, 100, 5)
    batch.place(MAKER, 1, SELL, OrderType.STOP_LOSS_LIMIT, GTC, 102, 7, trigger_ticks=100, text=b"stop")
    batch.place(MAKER, 1, SELL, OrderType.STOP_LOSS_LIMIT, GTC, 90, 7, trigger_ticks=80, text=b"deep")
    assert [change[0] for change in teller.frame(batch)] == ["a"]
    batch = Batch()
    batch.cancel(MAKER, 1, text=b"deep")
    assert teller.frame(batch) == []
    batch.place(TAKER, 1, SELL, OrderType.LIMIT, GTC, 100, 2)
    assert [change[0] for change in teller.frame(batch)] == ["e", "a"]


@pytest.mark.parametrize("seed", range(6))
def test_a_random_flow_of_everything_builds_the_cores_queues(seed: int):
    teller, chance = Teller(), random.Random(seed)
    setup = Batch()
    for account in range(4, 9):
        setup.account(account)
        setup.credit(account, 1, 10**13)
        setup.credit(account, 2, 10**13)
    teller.frame(setup)
    changes: set[str] = set()
    for number in range(250):
        batch = Batch()
        for place in range(chance.randint(1, 6)):
            _command(batch, chance, b"%d-%d" % (number, place), number)
        changes.update(change[0] for change in teller.frame(batch))
        if number % 50 == 49:    # a start anew in the midst of it
            teller.book.restart()
        if number % 40 == 39:
            _auction(teller, chance, number)
    assert changes == {"a", "e", "m", "d"}
    assert teller.market.core.unseen(1) and teller.market.core.last_trade_id(1) > 100


def _command(batch: Batch, chance: random.Random, text: bytes, number: int) -> None:
    account, side = _owner(text), chance.choice(list(Side))
    sign = 1 if side is BUY else -1
    price, qty, stp = 1000 + sign * chance.randint(-12, 5), chance.randint(1, 40), chance.choice(list(SelfTrade))
    old = b"%d-%d" % (chance.randint(max(0, number - 30), number), chance.randint(0, 5))
    match chance.randint(0, 11):
        case 0 | 1 | 2:
            batch.place(account, 1, side, OrderType.LIMIT, GTC, price, qty, text=text, stp=stp)
        case 3 | 4:
            batch.place(account, 1, side, OrderType.LIMIT, GTC, price, qty + 10, text=text, stp=stp,
                        display_lots=chance.randint(2, 9))
        case 5:
            tif = chance.choice((TimeInForce.IOC, TimeInForce.FOK))
            batch.place(account, 1, side, OrderType.LIMIT, tif, price + 5 * sign, qty, text=text, stp=stp)
        case 6:
            batch.place(account, 1, side, OrderType.MARKET, GTC, 0, qty, text=text, stp=stp)
        case 7:
            batch.place(account, 1, side, OrderType.STOP_LOSS_LIMIT, GTC, price, qty + 9, text=text, stp=stp,
                        trigger_ticks=1000 + sign * chance.randint(1, 9), display_lots=chance.choice((0, 5)))
        case 8:
            _list(batch, chance, account, side, text)
        case 9:
            batch.reduce(_owner(old), 1, chance.randint(1, 30), text=old)
        case 10:
            batch.replace(_owner(old), 1, side, OrderType.LIMIT, GTC, price, qty, text=old)
        case _:
            batch.cancel(_owner(old), 1, text=old)


def _owner(text: bytes) -> int:
    return 4 + sum(text) % 5


def _list(batch: Batch, chance: random.Random, account: int, side: Side, text: bytes) -> None:
    sign, kind = (1 if side is BUY else -1), chance.choice(list(ListType))
    batch.place_list(account, 1, kind, text=b"L" + text)
    if kind != ListType.OCO:
        batch.place(account, 1, side, OrderType.LIMIT, GTC, 1000 + sign * chance.randint(-9, 3), 12, text=b"w" + text,
                    display_lots=chance.choice((0, 5)))
    if kind == ListType.OTO:
        batch.place(account, 1, Side(1 - side), OrderType.LIMIT, GTC, 1000 + sign * chance.randint(-3, 9), 12,
                    text=text, display_lots=chance.choice((0, 4)))
        return
    out, sign = (side, sign) if kind == ListType.OCO else (Side(1 - side), -sign)
    legs = [(OrderType.LIMIT_MAKER, 1000 - sign * 9, 0), (OrderType.STOP_LOSS_LIMIT, 1000 + sign * 9, 1000 + sign * 7)]
    chance.shuffle(legs)
    for place, (order_type, price, trigger) in enumerate(legs):
        batch.place(account, 1, out, order_type, GTC, price, 12, text=b"%d" % place + text, trigger_ticks=trigger)


def _auction(teller: Teller, chance: random.Random, number: int) -> None:
    """Orders are collected, cross each other, and trade at one price."""
    batch = Batch()
    batch.auction(1, AuctionStep.START)
    for place in range(12):
        side = chance.choice(list(Side))
        batch.place(chance.randint(4, 8), 1, side, OrderType.LIMIT, GTC, 1000 + chance.randint(-6, 6), 15,
                    text=b"u%d-%d" % (number, place), display_lots=chance.choice((0, 6)))
    teller.frame(batch)
    batch = Batch()
    batch.auction(1, AuctionStep.UNCROSS, status=InstrumentStatus.TRADING)
    teller.frame(batch)
