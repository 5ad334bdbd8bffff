"""Every refusal of an order, and that a refused order leaves no trace."""
import pytest

from engine.core.batch import Batch
from tests.core.story import ALICE, BOB, BUY, FOK, GTC, IOC, LIMIT, LIMIT_MAKER, MARKET, SELL, Venue

MAX = 2**63 - 1


def refused(venue: Venue, account: int, side: int, price: int, qty: int, code: str, **more: object) -> None:
    before = (venue.bids(), venue.asks(), venue.core.wallets(), venue.core.update_id(1))
    assert venue.place(account, side, price, qty, **more) == [f"rejected {code}"]  # type: ignore[arg-type]
    assert (venue.bids(), venue.asks(), venue.core.wallets(), venue.core.update_id(1)) == before


@pytest.mark.parametrize("fields", [
    {"side": 2}, {"kind": 3}, {"tif": 5}, {"side": 255}, {"amount": 5}, {"kind": LIMIT_MAKER, "tif": IOC},
    {"kind": LIMIT_MAKER, "tif": FOK}, {"kind": LIMIT_MAKER, "amount": 1}, {"kind": MARKET},
    {"kind": MARKET, "price": 0, "tif": FOK}, {"kind": MARKET, "price": 0, "amount": 5}, {"account": 0},
])
def test_orders_of_impossible_shape(fields: dict[str, int]) -> None:
    order = {"account": ALICE, "side": BUY, "price": 100, "qty": 1, "kind": LIMIT, "tif": GTC, **fields}
    account, side, price, qty = (order.pop(name) for name in ("account", "side", "price", "qty"))
    refused(Venue(), account, side, price, qty, "BAD_COMMAND", **order)


@pytest.mark.parametrize("kind", [0, 7, 9, 17, 255])
def test_unknown_kinds_of_commands(kind: int) -> None:
    venue = Venue()
    batch = Batch()
    batch.place(ALICE, 1, BUY, LIMIT, GTC, 100, 1)
    batch.stamp(venue.core.seq + 1, 0)
    events = bytes(venue.core.apply(bytes([kind]) + bytes(batch)[1:]))
    assert (len(events), events[0], events[124]) == (128, 3, 1)


def test_unknown_parties() -> None:
    venue = Venue()
    refused(venue, 99, BUY, 100, 1, "UNKNOWN_ACCOUNT")
    refused(venue, 2**32 - 1, BUY, 100, 1, "UNKNOWN_ACCOUNT")
    refused(venue, ALICE, BUY, 100, 1, "UNKNOWN_INSTRUMENT", book=2)
    refused(venue, ALICE, BUY, 100, 1, "UNKNOWN_INSTRUMENT", book=0)
    refused(venue, ALICE, BUY, 100, 1, "UNKNOWN_INSTRUMENT", book=2**32 - 1)


def test_a_frozen_account_may_cancel_but_not_place() -> None:
    venue = Venue()
    venue.buy(ALICE, 100, 1)
    order = venue.last
    freeze = Batch()
    freeze.account(ALICE, 1)
    venue.apply(freeze)
    refused(venue, ALICE, BUY, 100, 1, "ACCOUNT_FROZEN")
    assert venue.core.account_status(ALICE) == 1
    assert venue.cancel(ALICE, order) == [f"canceled {order}: 1 REQUESTED"]


@pytest.mark.parametrize("status", [1, 2])
def test_a_closed_market_takes_cancels_but_no_orders(status: int) -> None:
    venue = Venue()
    venue.buy(ALICE, 100, 2)
    order = venue.last
    venue.configure(status=status)
    refused(venue, BOB, SELL, 100, 1, "MARKET_CLOSED")
    assert venue.reduce(ALICE, order, 1) == [f"reduced {order} to 1, left 1"]
    assert venue.cancel(ALICE, order) == [f"canceled {order}: 1 REQUESTED"]
    venue.configure(status=0)
    assert venue.sell(BOB, 100, 1) == [f"accepted {venue.last}"]


def test_price_and_quantity_ranges() -> None:
    venue = Venue(min_lots=5, max_lots=10, max_ticks=1000)
    for price in (0, -1, 1001, MAX, -MAX - 1):
        refused(venue, ALICE, BUY, price, 5, "PRICE_RANGE")
    for qty in (0, -1, 4, 11, MAX, -MAX - 1):
        refused(venue, ALICE, BUY, 100, qty, "QTY_RANGE")
        refused(venue, ALICE, SELL, 0, qty, "QTY_RANGE", kind=MARKET)
    refused(venue, ALICE, BUY, 0, 0, "QTY_RANGE", kind=MARKET, amount=-1)
    assert venue.buy(ALICE, 1000, 10) == [f"accepted {venue.last}"]
    assert venue.buy(ALICE, 1, 5) == [f"accepted {venue.last}"]


@pytest.mark.parametrize(("lot_value", "tick_value", "price", "qty"), [
    (1, 1, 2**53, 2**10), (1, 2**10, 2**53, 1), (1, 2**62, 1, 2), (2**62, 1, 1, 2), (1, 2**31, 2**31, 2),
    (1, 1, 2**53, MAX)])
def test_products_beyond_int64_are_refused(lot_value: int, tick_value: int, price: int, qty: int) -> None:
    venue = Venue(lot_value=lot_value, tick_value=tick_value, max_lots=MAX)
    for side in (BUY, SELL):
        refused(venue, ALICE, side, price, qty, "OVERFLOW")


def test_market_quantity_beyond_int64_of_base_is_refused() -> None:
    refused(Venue(lot_value=2**40, max_lots=MAX), ALICE, SELL, 0, 2**40, "OVERFLOW", kind=MARKET)


def test_minimum_notional_counts_for_limit_orders() -> None:
    venue = Venue(min_notional=500, tick_value=2)
    refused(venue, ALICE, BUY, 100, 2, "MIN_NOTIONAL")
    refused(venue, ALICE, SELL, 100, 2, "MIN_NOTIONAL")
    assert venue.buy(ALICE, 125, 2) == [f"accepted {venue.last}"]
    assert venue.sell(BOB, 0, 1, kind=MARKET)[1].startswith("trade 1")


def test_orders_beyond_the_balance() -> None:
    venue = Venue(funds=1000)
    refused(venue, ALICE, BUY, 100, 11, "INSUFFICIENT_BALANCE")
    refused(venue, ALICE, SELL, 1, 1001, "INSUFFICIENT_BALANCE")
    refused(venue, ALICE, SELL, 0, 1001, "INSUFFICIENT_BALANCE", kind=MARKET)
    refused(venue, ALICE, BUY, 0, 0, "INSUFFICIENT_BALANCE", kind=MARKET, amount=1001)
    assert venue.buy(ALICE, 100, 10) == [f"accepted {venue.last}"]
    refused(venue, ALICE, BUY, 1, 1, "INSUFFICIENT_BALANCE")


def test_a_market_buy_needs_exactly_the_cost_of_its_sweep() -> None:
    venue = Venue(funds=1000)
    venue.sell(BOB, 100, 5)
    venue.sell(BOB, 101, 5)
    refused(venue, ALICE, BUY, 0, 10, "INSUFFICIENT_BALANCE", kind=MARKET)
    assert len(venue.buy(ALICE, 0, 9, kind=MARKET)) == 3
    assert venue.money(ALICE)[1] == (1000 - 5 * 100 - 4 * 101, 0)


def test_a_market_buy_whose_cost_no_int64_holds() -> None:
    venue = Venue(funds=2**61, tick_value=2**9, max_lots=MAX)
    venue.sell(ALICE, 2**53, 1)
    venue.sell(BOB, 2**53, 1)
    refused(venue, ALICE, BUY, 0, 2, "INSUFFICIENT_BALANCE", kind=MARKET)


def test_a_market_sell_by_amount_needs_the_base_it_would_sell() -> None:
    venue = Venue(funds=1000)
    venue.buy(BOB, 1, 1000)
    venue.sell(ALICE, 500, 998)
    refused(venue, ALICE, SELL, 0, 0, "INSUFFICIENT_BALANCE", kind=MARKET, amount=3)
    assert venue.sell(ALICE, 0, 0, kind=MARKET, amount=2)[1].startswith("trade 2 @ 1")


def test_the_limit_of_open_orders() -> None:
    venue = Venue(orders_max=2)
    venue.buy(ALICE, 100, 1)
    venue.buy(BOB, 100, 1)
    refused(venue, ALICE, BUY, 100, 1, "CAPACITY")
    assert venue.sell(BOB, 0, 1, kind=MARKET)[1].startswith("trade 1 @ 100")
    assert venue.buy(ALICE, 100, 1) == [f"accepted {venue.last}"]


def test_a_refusal_repeats_what_was_asked() -> None:
    venue = Venue()
    venue.place(ALICE, SELL, 100, 0, text=b"my-order", tif=IOC)
    event = venue.events[0]
    assert (event.account, event.instrument, event.side, event.time_in_force) == (ALICE, 1, SELL, IOC)
    assert (event.price_ticks, event.qty_lots, event.text, event.order_id, event.slot) == (100, 0, b"my-order", 0, 0)
