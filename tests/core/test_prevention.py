"""Stories of self-trade prevention: what each mode does, to whom, and what the money does."""
import pytest

from engine.core.batch import Batch
from engine.core.codes import SelfTrade
from tests.core.story import ALICE, BOB, BUY, CAROL, FOK, IOC, MARKET, SELL, Venue, prevented, traded

EXPIRE_TAKER, EXPIRE_MAKER, EXPIRE_BOTH, DECREMENT = list(SelfTrade)[1:]
FREE = ((1_000_000, 0), (1_000_000, 0))


@pytest.fixture(params=[BUY, SELL], ids=["maker buys", "maker sells"])
def side(request: pytest.FixtureRequest) -> int:
    """Every story is told for both sides: there must be no difference."""
    return int(request.param)


def stand(side: int, *makers: tuple[int, int]) -> tuple[Venue, list[int]]:
    """Makers (account, lots) at 100, in this order."""
    venue, orders = Venue(), []
    for account, lots in makers:
        venue.place(account, side, 100, lots)
        orders.append(venue.last)
    return venue, orders


def group(venue: Venue, *accounts: int, trade_group: int = 7) -> None:
    batch = Batch()
    for account in accounts:
        batch.account(account, trade_group=trade_group)
    venue.apply(batch)


def test_without_a_mode_an_account_trades_with_itself(side: int) -> None:
    venue, (maker,) = stand(side, (ALICE, 5))
    assert venue.place(ALICE, 1 - side, 100, 5)[1:] == [traded(5, 100, venue.last, 0, maker, 0)]


def test_expire_taker(side: int) -> None:
    venue, (bob, alice) = stand(side, (BOB, 2), (ALICE, 5))
    story = venue.place(ALICE, 1 - side, 100, 9, stp=EXPIRE_TAKER)
    taker = venue.last
    assert story == [f"accepted {taker}", traded(2, 100, taker, 7, bob, 0), prevented(5, 100, taker, 0, alice, 5),
                     f"canceled {taker}: 7 STP"]
    assert venue.core.depth(1, side, 9) == [(100, 5)]
    assert venue.core.depth(1, 1 - side, 9) == []


def test_expire_maker_goes_on_with_the_next(side: int) -> None:
    venue, (alice, bob) = stand(side, (ALICE, 5), (BOB, 2))
    story = venue.place(ALICE, 1 - side, 100, 9, stp=EXPIRE_MAKER)
    taker = venue.last
    assert story == [f"accepted {taker}", prevented(5, 100, taker, 9, alice, 0), f"canceled {alice}: 5 STP",
                     traded(2, 100, taker, 7, bob, 0)]
    assert venue.core.depth(1, 1 - side, 9) == [(100, 7)]


def test_expire_both(side: int) -> None:
    venue, (alice, _) = stand(side, (ALICE, 5), (BOB, 2))
    story = venue.place(ALICE, 1 - side, 100, 9, stp=EXPIRE_BOTH)
    taker = venue.last
    assert story == [f"accepted {taker}", prevented(5, 100, taker, 0, alice, 0), f"canceled {alice}: 5 STP",
                     f"canceled {taker}: 9 STP"]
    assert venue.core.depth(1, side, 9) == [(100, 2)]
    assert venue.money(ALICE) == FREE


@pytest.mark.parametrize(("lots", "ends"), [(3, "taker"), (5, "both"), (9, "maker")])
def test_decrement_takes_the_overlap_off_both(side: int, lots: int, ends: str) -> None:
    venue, (alice,) = stand(side, (ALICE, 5))
    story = venue.place(ALICE, 1 - side, 100, lots, stp=DECREMENT)
    taker = venue.last
    assert story[1:] == {
        "taker": [prevented(3, 100, taker, 0, alice, 2), f"reduced {alice} to 2, left 2", f"canceled {taker}: 3 STP"],
        "both": [prevented(5, 100, taker, 0, alice, 0), f"canceled {alice}: 5 STP", f"canceled {taker}: 5 STP"],
        "maker": [prevented(5, 100, taker, 4, alice, 0), f"canceled {alice}: 5 STP",
                  f"reduced {taker} to 4, left 4"],
    }[ends]
    assert venue.core.depth(1, side, 9) == ([(100, 2)] if ends == "taker" else [])
    assert venue.core.depth(1, 1 - side, 9) == ([(100, 4)] if ends == "maker" else [])


def test_what_a_decremented_order_has_executed_still_counts(side: int) -> None:
    venue, _ = stand(side, (BOB, 3), (ALICE, 5))
    venue.place(ALICE, 1 - side, 100, 10, stp=DECREMENT)
    taker = venue.last
    assert venue.events[-1].qty_lots == 5  # 3 traded, 5 prevented, 2 left
    assert venue.reduce(ALICE, taker, 3) == ["rejected BAD_REDUCE"]
    assert venue.reduce(ALICE, taker, 4) == [f"reduced {taker} to 4, left 1"]
    assert venue.cancel(ALICE, taker) == [f"canceled {taker}: 1 REQUESTED"]


def test_a_trade_group_is_one_trader(side: int) -> None:
    venue, (maker,) = stand(side, (ALICE, 5))
    group(venue, ALICE, BOB)
    assert venue.core.trade_group(BOB) == 7
    story = venue.place(BOB, 1 - side, 100, 5, stp=EXPIRE_TAKER)
    assert story[1:] == [prevented(5, 100, venue.last, 0, maker, 5), f"canceled {venue.last}: 5 STP"]
    assert venue.place(CAROL, 1 - side, 100, 1, stp=EXPIRE_TAKER)[1:] == [traded(1, 100, venue.last, 0, maker, 4)]
    group(venue, BOB, trade_group=0)
    assert venue.place(BOB, 1 - side, 100, 1, stp=EXPIRE_TAKER)[1:] == [traded(1, 100, venue.last, 0, maker, 3)]


def test_the_makers_mode_does_not_matter(side: int) -> None:
    venue = Venue()
    venue.place(ALICE, side, 100, 5, stp=EXPIRE_BOTH)
    maker = venue.last
    assert venue.place(ALICE, 1 - side, 100, 5)[1:] == [traded(5, 100, venue.last, 0, maker, 0)]


@pytest.mark.parametrize(("mode", "lots", "fills"), [
    (EXPIRE_TAKER, 2, True), (EXPIRE_TAKER, 3, False), (EXPIRE_BOTH, 3, False), (DECREMENT, 2, True),
    (DECREMENT, 3, False), (EXPIRE_MAKER, 4, True), (EXPIRE_MAKER, 5, False)])
def test_fill_or_kill_counts_only_what_its_mode_lets_it_trade(side: int, mode: int, lots: int, fills: bool) -> None:
    venue, (_, alice, _) = stand(side, (BOB, 2), (ALICE, 5), (CAROL, 2))
    story = venue.place(ALICE, 1 - side, 100, lots, tif=FOK, stp=mode)
    if fills:
        assert [line.split()[0] for line in story if "trade" in line][-1] == "trade"
        assert not any("FOK" in line for line in story)
        assert (f"canceled {alice}: 5 STP" in story) == (mode == EXPIRE_MAKER)
    else:
        assert story[1:] == [f"canceled {venue.last}: {lots} FOK_UNFILLED"]
        assert venue.core.depth(1, side, 9) == [(100, 9)]


def test_ioc_after_prevention_cancels_its_rest_as_ever(side: int) -> None:
    venue, _ = stand(side, (ALICE, 5), (BOB, 2))
    story = venue.place(ALICE, 1 - side, 100, 4, tif=IOC, stp=EXPIRE_MAKER)
    assert story[-1] == f"canceled {venue.last}: 2 IOC_REMAINDER"
    assert venue.bids() == venue.asks() == []


def test_a_market_buy_pays_for_what_it_trades_behind_its_own_order() -> None:
    venue = Venue(funds=0)
    batch = Batch()
    for account, asset, amount in ((ALICE, 1, 5), (ALICE, 2, 600), (BOB, 1, 9)):
        batch.credit(account, asset, amount)
    venue.apply(batch)
    venue.sell(ALICE, 100, 5)
    venue.sell(BOB, 200, 9)
    assert venue.buy(ALICE, 0, 4, kind=MARKET, stp=EXPIRE_MAKER) == ["rejected INSUFFICIENT_BALANCE"]
    story = venue.buy(ALICE, 0, 3, kind=MARKET, stp=EXPIRE_MAKER)
    assert [line.split()[0] for line in story] == ["accepted", "prevented", "canceled", "trade"]
    assert venue.money(ALICE) == ((8, 0), (0, 0))


@pytest.mark.parametrize(("mode", "amount", "told", "left"), [
    (EXPIRE_TAKER, 500, ["accepted", "trade", "prevented", "canceled"], 300),
    (EXPIRE_TAKER, 250, ["accepted", "trade"], 0),
    (EXPIRE_MAKER, 500, ["accepted", "trade", "prevented", "canceled", "trade"], 0),
    (DECREMENT, 950, ["accepted", "trade", "prevented", "canceled", "trade"], 0),
    (EXPIRE_BOTH, 500, ["accepted", "trade", "prevented", "canceled", "canceled"], 300)])
def test_market_by_amount(side: int, mode: int, amount: int, told: list[str], left: int) -> None:
    """By amount, the quantity met is what the rest of the amount would give; DECREMENT takes its quote off the rest."""
    venue, _ = stand(side, (BOB, 2), (ALICE, 5), (CAROL, 20))
    if told == ["accepted", "trade"]:
        amount = 299  # one lot less than would reach the own order
    story = venue.place(ALICE, 1 - side, 0, 0, kind=MARKET, amount=amount, stp=mode)
    assert [line.split()[0] for line in story] == told
    assert venue.events[-1].amount == left
    assert venue.events[-1].left_lots == 0


def test_prevented_matches_are_counted_and_part_of_the_state(side: int) -> None:
    venue, _ = stand(side, (ALICE, 5))
    before = venue.core.state_hash()
    for number in (1, 2):
        venue.place(ALICE, 1 - side, 100, 1, stp=EXPIRE_TAKER)
        assert (venue.events[1].trade_id, venue.events[1].fill_id, venue.events[1].flags) == (number, 0, EXPIRE_TAKER)
    assert venue.core.last_trade_id(1) == 0
    assert venue.core.state_hash() != before
    assert venue.events[0].stp == EXPIRE_TAKER


def test_an_unknown_mode_is_a_bad_command() -> None:
    assert Venue().buy(ALICE, 100, 1, stp=5) == ["rejected BAD_COMMAND"]
