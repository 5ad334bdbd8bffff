"""Stories of cancel, reduce and cancel all: the right order goes, the others keep their places."""
import pytest

from engine.records import ORDER
from tests.core.story import ALICE, BOB, BUY, CAROL, SELL, Venue, traded


@pytest.fixture(params=[BUY, SELL], ids=["buys", "sells"])
def side(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def queue_of_three(venue: Venue, side: int) -> list[int]:
    orders = []
    for account in (ALICE, BOB, CAROL):
        venue.place(account, side, 100, 5, text=b"mine")
        orders.append(venue.last)
    return orders


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_cancel_takes_one_order_and_leaves_the_queue_in_order(side: int, gone: int) -> None:
    venue = Venue()
    orders = queue_of_three(venue, side)
    assert venue.cancel((ALICE, BOB, CAROL)[gone], orders[gone]) == [f"canceled {orders[gone]}: 5 REQUESTED"]
    assert venue.core.depth(1, side, 5) == [(100, 10)]
    del orders[gone]
    story = venue.place(ALICE, 1 - side, 100, 10)
    assert story[1:] == [traded(5, 100, venue.last, 5, orders[0], 0), traded(5, 100, venue.last, 0, orders[1], 0)]


def test_cancel_by_client_order_id(side: int) -> None:
    venue = Venue()
    orders = queue_of_three(venue, side)
    assert venue.cancel(BOB, text=b"mine") == [f"canceled {orders[1]}: 5 REQUESTED"]
    assert venue.events[0].text == b"mine"
    assert venue.cancel(BOB, text=b"mine") == ["rejected UNKNOWN_ORDER"]
    assert venue.core.find(ALICE, b"mine") == (orders[0], venue.slots[orders[0]])
    assert venue.core.find(BOB, b"mine") == (0, 0)


def test_cancel_takes_off_only_what_is_still_open(side: int) -> None:
    venue = Venue()
    venue.place(ALICE, side, 100, 10)
    maker = venue.last
    venue.place(BOB, 1 - side, 100, 4)
    assert venue.cancel(ALICE, maker) == [f"canceled {maker}: 6 REQUESTED"]


def test_a_filled_order_cannot_be_canceled_nor_can_its_slot_s_next_owner(side: int) -> None:
    venue = Venue()
    venue.place(ALICE, side, 100, 5, text=b"once")
    filled, slot = venue.last, venue.slots[venue.last]
    venue.place(BOB, 1 - side, 100, 5)
    assert venue.cancel(ALICE, filled) == ["rejected UNKNOWN_ORDER"]
    assert venue.cancel(ALICE, text=b"once") == ["rejected UNKNOWN_ORDER"]
    for _ in range(2):  # slots are used again, last freed first
        venue.place(ALICE, side, 90 if side == BUY else 110, 5)
    assert slot in (venue.slots[venue.last], venue.slots[venue.last - 1])
    assert venue.cancel(ALICE, filled, slot=slot) == ["rejected UNKNOWN_ORDER"]


def test_a_client_order_id_is_free_again_after_fill_and_after_cancel(side: int) -> None:
    venue = Venue()
    venue.place(ALICE, side, 100, 5, text=b"again")
    assert venue.place(ALICE, side, 100, 5, text=b"again") == ["rejected DUPLICATE_CLIENT_ID"]
    assert venue.place(BOB, side, 100, 5, text=b"again") == [f"accepted {venue.last}"]
    venue.place(CAROL, 1 - side, 100, 5)
    assert venue.place(ALICE, side, 100, 5, text=b"again") == [f"accepted {venue.last}"]
    venue.cancel(ALICE, text=b"again")
    assert venue.place(ALICE, side, 100, 5, text=b"again") == [f"accepted {venue.last}"]


def test_only_the_owner_at_the_right_instrument_and_slot_may_cancel() -> None:
    venue = Venue()
    venue.buy(ALICE, 100, 5, text=b"mine")
    order = venue.last
    assert venue.cancel(BOB, order) == ["rejected UNKNOWN_ORDER"]
    assert venue.cancel(BOB, text=b"mine") == ["rejected UNKNOWN_ORDER"]
    assert venue.cancel(ALICE, order, slot=0) == ["rejected UNKNOWN_ORDER"]
    assert venue.cancel(ALICE, order, slot=2**32 - 1) == ["rejected UNKNOWN_ORDER"]
    assert venue.cancel(ALICE, order + 1, slot=venue.slots[order]) == ["rejected UNKNOWN_ORDER"]
    assert venue.cancel(ALICE) == ["rejected UNKNOWN_ORDER"]
    assert venue.cancel(ALICE, order, book=7) == ["rejected UNKNOWN_INSTRUMENT"]
    assert venue.cancel(99, order) == ["rejected UNKNOWN_ACCOUNT"]
    assert venue.bids() == [(100, 5)]


def test_reduce_keeps_the_place_in_the_queue(side: int) -> None:
    venue = Venue()
    orders = queue_of_three(venue, side)
    assert venue.reduce(ALICE, orders[0], 2) == [f"reduced {orders[0]} to 2, left 2"]
    story = venue.place(BOB, 1 - side, 100, 3)
    assert story[1:] == [traded(2, 100, venue.last, 1, orders[0], 0), traded(1, 100, venue.last, 0, orders[1], 4)]


def test_reduce_counts_what_is_executed(side: int) -> None:
    venue = Venue()
    venue.place(ALICE, side, 100, 10, text=b"big")
    order = venue.last
    venue.place(BOB, 1 - side, 100, 4)
    assert venue.reduce(ALICE, order, 4) == ["rejected BAD_REDUCE"]
    assert venue.reduce(ALICE, order, 10) == ["rejected BAD_REDUCE"]
    assert venue.reduce(ALICE, 0, 5, text=b"big") == [f"reduced {order} to 5, left 1"]
    assert venue.core.level(1, side, 100) == 1
    assert venue.place(BOB, 1 - side, 100, 1)[1] == traded(1, 100, venue.last, 0, order, 0)


@pytest.mark.parametrize("qty", [0, -1, 5, 6, 2**63 - 1, -(2**63)])
def test_reduce_to_nonsense_is_refused(qty: int) -> None:
    venue = Venue()
    venue.buy(ALICE, 100, 5)
    assert venue.reduce(ALICE, venue.last, qty) == ["rejected BAD_REDUCE"]
    assert venue.bids() == [(100, 5)]


def test_cancel_all_goes_in_order_of_order_id_over_both_sides() -> None:
    venue = Venue()
    orders = []
    for side, price in ((BUY, 99), (SELL, 105), (BUY, 97), (SELL, 103)):
        venue.place(ALICE, side, price, 2)
        orders.append(venue.last)
    venue.buy(BOB, 98, 2)
    assert venue.cancel_all(ALICE) == [f"canceled {order}: 2 MASS_CANCEL" for order in orders]
    assert (venue.bids(), venue.asks()) == ([(98, 2)], [])
    assert venue.cancel_all(ALICE) == ["rejected UNKNOWN_ORDER"]
    assert venue.cancel_all(99) == ["rejected UNKNOWN_ACCOUNT"]
    assert venue.cancel_all(ALICE, 7) == ["rejected UNKNOWN_INSTRUMENT"]


def test_open_orders_are_listed_by_owner_in_order_of_order_id() -> None:
    venue = Venue()
    orders = []
    for price in (99, 101, 98, 100):
        venue.buy(ALICE, price, 1)
        orders.append(venue.last)
        venue.buy(BOB, price, 1)
    venue.cancel(ALICE, orders.pop(1))
    listed = venue.core.open_orders(ALICE)
    assert [int.from_bytes(listed[at:at + 8], "little") for at in range(0, len(listed), ORDER.itemsize)] == orders
    assert venue.core.open_orders(ALICE, 2) == b""
    assert venue.core.open_orders(99) == b""
