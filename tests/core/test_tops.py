"""TOP events: at most one per book and command, at its end, and only when the best prices changed."""
from engine.core.batch import Batch
from tests.core.story import ALICE, BOB, Venue, instrument_terms


def tops(story: list[str]) -> list[str]:
    assert all(not line.startswith("top") for line in story[:-1]) or len(tops_only(story)) > 1
    return tops_only(story)


def tops_only(story: list[str]) -> list[str]:
    return [line for line in story if line.startswith("top")]


def test_a_top_event_follows_every_change_of_the_best_prices() -> None:
    venue = Venue(top_events=True)
    assert tops(venue.buy(ALICE, 100, 5)) == ["top 5 @ 100 / 0 @ 0"]
    assert tops(venue.buy(ALICE, 99, 5)) == []
    assert tops(venue.buy(BOB, 100, 2)) == ["top 7 @ 100 / 0 @ 0"]
    assert tops(venue.sell(BOB, 103, 2)) == ["top 7 @ 100 / 2 @ 103"]
    assert tops(venue.sell(ALICE, 99, 9)) == ["top 3 @ 99 / 2 @ 103"]
    assert tops(venue.reduce(BOB, venue.last - 1, 1)) == ["top 3 @ 99 / 1 @ 103"]
    assert tops(venue.sell(ALICE, 0, 9, kind=2)) == ["top 0 @ 0 / 1 @ 103"]
    assert venue.events[-1].update_id == venue.core.update_id(1)


def test_a_refused_order_changes_nothing() -> None:
    venue = Venue(top_events=True)
    assert venue.buy(ALICE, 100, 0) == ["rejected QTY_RANGE"]
    assert venue.configure(taker_fee_ppm=5) == ["configured"]


def test_no_top_events_unless_asked_for() -> None:
    venue = Venue()
    assert len(venue.buy(ALICE, 100, 5)) == 1


def test_cancel_all_over_several_books_tells_each_once() -> None:
    venue = Venue(top_events=True)
    batch = Batch()
    batch.instrument(2, text="SECOND", **instrument_terms())
    venue.apply(batch)
    for book in (1, 2, 1, 2):
        venue.buy(ALICE, 100, 5, book=book)
    story = venue.cancel_all(ALICE)
    assert len(story) == 6
    assert tops_only(story) == ["top 0 @ 0 / 0 @ 0"] * 2
    assert [event.instrument for event in venue.events[4:]] == [1, 2]
