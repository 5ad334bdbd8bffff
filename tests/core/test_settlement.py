"""Stories of money: held on acceptance, paid per trade, released at once; fees from what is received."""
import pytest

from engine.core.batch import Batch
from tests.core.story import ALICE, BASE, BOB, BUY, CAROL, FOK, FUNDS, IOC, MARKET, QUOTE, SELL, Venue

FEES = 1
INT64_MAX = 2**63 - 1


def test_a_resting_order_holds_what_it_may_pay() -> None:
    venue = Venue(lot_value=3, tick_value=7)
    venue.buy(ALICE, 100, 5)
    venue.sell(BOB, 101, 5)
    assert venue.money(ALICE) == ((FUNDS, 0), (FUNDS - 3500, 3500))
    assert venue.money(BOB) == ((FUNDS - 15, 15), (FUNDS, 0))


def test_a_trade_pays_both_and_takes_both_fees() -> None:
    venue = Venue(lot_value=10, tick_value=10, maker_fee_ppm=10_000, taker_fee_ppm=30_000)
    venue.sell(ALICE, 100, 10)
    venue.buy(BOB, 100, 10)
    assert venue.money(ALICE) == ((FUNDS - 100, 0), (FUNDS + 10_000 - 100, 0))
    assert venue.money(BOB) == ((FUNDS + 100 - 3, 0), (FUNDS - 10_000, 0))
    assert venue.money(FEES) == ((3, 0), (100, 0))
    trade = venue.events[1]
    assert (trade.quote_amount, trade.taker_fee, trade.maker_fee, trade.maker_account) == (10_000, 3, 100, ALICE)


def test_fees_are_rounded_down_per_trade() -> None:
    venue = Venue(taker_fee_ppm=333_333, maker_fee_ppm=999_999)
    venue.buy(ALICE, 1, 2)
    venue.buy(ALICE, 1, 1)
    venue.sell(BOB, 1, 3)
    assert [(event.taker_fee, event.maker_fee) for event in venue.events[1:]] == [(0, 1), (0, 0)]


@pytest.mark.parametrize("received", [1, 999_999, 10**6, 10**12 + 7, 2**62])
@pytest.mark.parametrize("ppm", [0, 1, 999, 999_999, 10**6])
def test_fees_are_exact_at_any_size(received: int, ppm: int) -> None:
    venue = Venue(funds=0, lot_value=received, taker_fee_ppm=ppm)
    fund(venue, ALICE, BASE, received)
    fund(venue, BOB, QUOTE, 1)
    venue.sell(ALICE, 1, 1)
    venue.buy(BOB, 1, 1)
    assert venue.events[1].taker_fee == received * ppm // 10**6


def test_fees_follow_the_schedule_at_the_time_of_the_trade() -> None:
    venue = Venue(maker_fee_ppm=0)
    venue.sell(ALICE, 100, 10)
    venue.configure(maker_fee_ppm=100_000)
    venue.buy(BOB, 100, 10)
    assert venue.events[1].maker_fee == 100


def test_a_better_price_is_released_at_once() -> None:
    venue = Venue()
    venue.sell(ALICE, 90, 5)
    venue.buy(BOB, 100, 8)
    assert venue.money(BOB)[1] == (FUNDS - 450 - 300, 300)


@pytest.mark.parametrize("tif", [IOC, FOK])
def test_what_ioc_and_fok_leave_is_released_at_once(tif: int) -> None:
    venue = Venue()
    venue.sell(ALICE, 90, 5)
    venue.buy(BOB, 100, 8, tif=tif)
    assert venue.money(BOB)[1] == ((FUNDS - 450, 0) if tif == IOC else (FUNDS, 0))


@pytest.mark.parametrize("side", [BUY, SELL])
def test_cancel_and_reduce_release_exactly_what_they_take_off(side: int) -> None:
    venue = Venue(lot_value=3, tick_value=7)
    venue.place(ALICE, side, 100, 10)
    order = venue.last
    venue.place(BOB, 1 - side, 100, 4)
    venue.reduce(ALICE, order, 7)
    per_lot = 700 if side == BUY else 3
    asset = 1 if side == BUY else 0
    assert venue.money(ALICE)[asset] == (FUNDS - 7 * per_lot, 3 * per_lot)
    venue.cancel(ALICE, order)
    assert venue.money(ALICE)[asset] == (FUNDS - 4 * per_lot, 0)


def test_self_trade_at_the_edge_of_int64_wraps_nothing() -> None:
    venue = Venue(funds=0, max_lots=INT64_MAX)
    fund(venue, ALICE, QUOTE, INT64_MAX)
    fund(venue, ALICE, BASE, INT64_MAX)
    venue.sell(ALICE, 1, INT64_MAX)
    venue.buy(ALICE, 1, INT64_MAX)
    assert venue.events[1].quote_amount == INT64_MAX
    assert venue.money(ALICE) == ((INT64_MAX, 0), (INT64_MAX, 0))


def test_received_money_can_be_spent_by_the_next_command() -> None:
    venue = Venue(funds=0)
    fund(venue, ALICE, BASE, 10)
    fund(venue, BOB, QUOTE, 1000)
    venue.sell(ALICE, 100, 10)
    venue.buy(BOB, 100, 10)
    assert venue.buy(ALICE, 50, 20) == [f"accepted {venue.last}"]
    assert venue.sell(BOB, 0, 10, kind=MARKET)[1].startswith("trade 10 @ 50")


def test_every_wallet_and_the_outside_world_sum_to_zero() -> None:
    venue = Venue(maker_fee_ppm=1234, taker_fee_ppm=4321)
    for step in range(20):
        venue.place((ALICE, BOB, CAROL)[step % 3], step % 2, 100 + step % 5, 7 + step)
    for asset in (BASE, QUOTE):
        total = sum(sum(venue.core.balance(account, asset)) for account in range(5))
        assert total == 0
    fees = venue.core.account_wallets(FEES)
    assert fees == [(asset, *venue.core.balance(FEES, asset)) for asset in (BASE, QUOTE)]


def fund(venue: Venue, account: int, asset: int, amount: int) -> None:
    batch = Batch()
    batch.credit(account, asset, amount)
    assert venue.apply(batch) == [f"money {amount} of {asset} for {account}"]
