"""The facade: what apply() takes and gives, determinism over batch sizes and capacities, hash and queries."""
from typing import Any

import numpy as np
import pytest

from engine.core.batch import Batch
from engine.core.exchange import Exchange
from engine.core.unpack import unpack_events
from engine.records import COMMAND, EVENT, ORDER, WALLET
from tests.core.story import ALICE, BOB, BUY, SELL, TINY, Venue, instrument_terms


def opened() -> Batch:
    batch = Batch()
    batch.asset(1, 8, "A")
    batch.asset(2, 8, "B")
    batch.instrument(1, text="AB", **instrument_terms())
    batch.account(2)
    batch.credit(2, 1, 10**6)
    batch.credit(2, 2, 10**6)
    batch.stamp(1, 100)
    return batch


def test_commands_may_come_in_any_contiguous_buffer() -> None:
    data = bytes(opened())
    hashes = set()
    shifted = memoryview(b"x" + data)[1:]
    for commands in (data, bytearray(data), memoryview(data), np.frombuffer(data, COMMAND), opened(), shifted):
        core = Exchange(**TINY)
        events = core.apply(commands)
        assert len(events) == 6 * 128
        assert [event.kind for event in unpack_events(events)] == [1, 1, 1, 1, 2, 2]
        hashes.add(core.state_hash())
    assert len(hashes) == 1


@pytest.mark.parametrize("shift", range(8))
def test_a_long_batch_may_start_at_any_address(shift: int) -> None:
    batch = opened()
    for step in range(100):
        batch.place(2, 1, step % 2, 0, 0, 100 + step % 2, 1 + step, text=f"order-{step}")
    batch.stamp(1, 100)
    straight, shifted = Exchange(**TINY), Exchange(**TINY)
    events = bytes(straight.apply(batch))
    assert bytes(shifted.apply(memoryview(bytes(shift) + bytes(batch))[shift:])) == events
    assert shifted.state_hash() == straight.state_hash()


def test_one_command_a_call_is_the_same() -> None:
    data = bytes(opened())
    batch, single = Exchange(**TINY), Exchange(**TINY)
    expected = bytes(batch.apply(data))
    seen = b""
    for start in range(0, len(data), 128):
        assert single.apply_one(data[start:start + 128]) == 1
        seen += bytes(single.events())
    assert seen == expected
    assert single.state_hash() == batch.state_hash()
    with pytest.raises(ValueError, match="expected 7"):
        single.apply_one(data[:128])
    with pytest.raises(ValueError, match="multiple of 128"):
        single.apply_one(data[:100])


def test_bad_buffers_are_refused() -> None:
    core = Exchange(**TINY)
    data = bytes(opened())
    with pytest.raises(ValueError, match="multiple of 128"):
        core.apply(data[:-1])
    with pytest.raises(ValueError, match="contiguous"):
        core.apply(np.frombuffer(data, COMMAND)[::2])
    with pytest.raises(TypeError):
        core.apply("text")  # type: ignore[arg-type]
    assert core.seq == 0
    assert len(core.apply(b"")) == 0


def test_a_gap_in_seq_stops_before_the_command_and_keeps_those_before_it() -> None:
    core = Exchange(**TINY)
    commands = np.frombuffer(bytes(opened()), COMMAND).copy()
    commands["seq"][3] = 9
    shifted = memoryview(b"x" + commands.tobytes())[1:]
    with pytest.raises(ValueError, match="seq 9, expected 4"):
        Exchange(**TINY).apply(shifted)
    with pytest.raises(ValueError, match="seq 9, expected 4"):
        core.apply(commands)
    assert core.seq == 3
    commands["seq"][3] = 4
    core.apply(commands[3:])
    with pytest.raises(ValueError, match="seq 6, expected 7"):
        core.apply(commands[5:])
    assert (core.seq, core.time_ns) == (6, 100)


def test_events_are_read_only_and_reused() -> None:
    core = Exchange(orders=4, events=64)
    first = core.apply(opened())
    assert first.readonly
    copy = bytes(first)
    batch = Batch()
    batch.cancel_all(2)
    batch.stamp(7, 0)
    second = core.apply(batch)
    assert len(second) == 128
    assert bytes(first[:128]) == bytes(second)
    assert bytes(first[128:]) == copy[128:]


def test_a_view_of_events_outlives_the_growth_of_the_buffer_and_the_exchange() -> None:
    core = Exchange(**TINY)
    batch = opened()
    data = bytes(batch)
    views = []
    expected = []
    for position in range(6):
        view = core.apply(data[position * 128:(position + 1) * 128])
        views.append(np.frombuffer(view, EVENT))
        expected.append(bytes(view))
    big = Batch()
    for _ in range(50):
        big.place(2, 1, BUY, 0, 0, 10, 1)
    big.stamp(7, 0)
    views.append(np.frombuffer(core.apply(big), EVENT))
    assert len(views[-1]) == 50
    del core
    assert views[-1]["order_id"].tolist() == list(range(7, 57))
    assert all(len(view) == 1 for view in views[:6])


def test_the_state_does_not_depend_on_batches_or_capacities() -> None:
    venue = Venue()
    journal = Batch()
    for step in range(200):
        journal.place(2 + step % 3, 1, step % 2, 0, 0, 95 + step * 7 % 11, 1 + step % 13, text=f"{step}")
    journal.stamp(venue.core.seq + 1, 5)
    data = bytes(journal)
    hashes = set()
    for size, capacity in ((1, 4), (7, 64), (200, 4096)):
        core = Exchange(orders=capacity, wallets=capacity, events=capacity, leaves=capacity)
        setup = opened_like(venue)
        core.apply(setup)
        for at in range(0, len(data), size * 128):
            core.apply(data[at:at + size * 128])
        core.check()
        hashes.add(core.state_hash())
    assert len(hashes) == 1


def opened_like(venue: Venue) -> Batch:
    """The commands Venue starts with."""
    batch = Batch()
    batch.asset(1, 8, "BASE")
    batch.asset(2, 8, "QUOTE")
    batch.instrument(1, text="BASEQUOTE", **instrument_terms())
    for account in (2, 3, 4):
        batch.account(account)
        batch.credit(account, 1, 10**6)
        batch.credit(account, 2, 10**6)
    batch.stamp(1, 1)
    assert len(batch) == venue.core.seq
    return batch


@pytest.mark.parametrize("change", ["money", "order", "fee", "time", "client id", "account", "queue"])
def test_the_hash_sees_every_part_of_the_state(change: str) -> None:
    def after(price: int = 100, text: bytes = b"a", order: tuple[int, int] = (ALICE, BOB)) -> Venue:
        venue = Venue()
        venue.buy(order[0], price, 1, text=text)
        venue.buy(order[1], price, 1, text=text)
        return venue

    venue = after()
    assert venue.core.state_hash() == after().core.state_hash()
    last = Batch()
    match change:
        case "money":
            last.credit(ALICE, 1, 1)
        case "fee":
            last.instrument(1, text="BASEQUOTE", **instrument_terms(maker_fee_ppm=1))
        case "account":
            last.account(ALICE, 1)
        case _:
            last.cancel_all(99)
    arguments: dict[str, Any] = {
        "order": {"price": 101}, "client id": {"text": b"b"}, "queue": {"order": (BOB, ALICE)}}.get(change, {})
    other = after(**arguments)
    same = Batch()
    same.cancel_all(99)
    same.stamp(venue.core.seq + 1, 7)
    last.stamp(venue.core.seq + 1, 8 if change == "time" else 7)
    venue.core.apply(same)
    other.core.apply(last)
    assert venue.core.state_hash() != other.core.state_hash()


def test_order_records() -> None:
    venue = Venue()
    venue.sell(ALICE, 100, 9, text=b"mine")
    order, slot = venue.last, venue.slots[venue.last]
    venue.buy(BOB, 100, 4)
    record = np.frombuffer(venue.core.order(order, slot) or b"", ORDER)[0]
    assert (record["order_id"], record["slot"], record["account"], record["instrument"]) == (order, slot, ALICE, 1)
    assert (record["side"], record["price_ticks"], record["qty_lots"], record["left_lots"]) == (SELL, 100, 9, 5)
    assert (record["quote_filled"], record["time_ns"], record["update_ns"]) == (400, order, order + 1)
    assert record["text"] == b"mine"
    assert venue.core.order(order + 1, slot) is None
    assert venue.core.order(order, slot + 1) is None
    assert venue.core.order(order, 2**32 - 1) is None
    assert venue.core.order(0, 0) is None
    assert venue.core.open_orders(ALICE) == venue.core.order(order, slot)


def test_wallet_records_are_sorted() -> None:
    wallets = np.frombuffer(Venue(funds=5).core.wallets(), WALLET)
    assert [(row["account"], row["asset"]) for row in wallets] == sorted((a, b) for a in range(5) for b in (1, 2))
    assert wallets["available"].tolist() == [-15, -15, 0, 0, 5, 5, 5, 5, 5, 5]


def test_questions_about_what_does_not_exist() -> None:
    core = Exchange(**TINY)
    assert core.depth(1, 0, 5) == core.depth(2**32 - 1, 1, 5) == []
    assert (core.top(7), core.update_id(7), core.last_trade_id(7)) == ((0, 0, 0, 0), 0, 0)
    assert (core.level(7, 0, 1), core.balance(7, 7), core.find(7, b"x")) == (0, (0, 0), (0, 0))
    assert (core.assets(), core.instruments(), core.account_wallets(7)) == ([], b"", [])
    venue = Venue()
    assert [venue.core.level(1, 0, price) for price in (0, -1, 5, 2**53, 2**53 + 1)] == [0] * 5
    assert venue.core.find(ALICE, b"") == venue.core.find(ALICE, b"x" * 37) == (0, 0)
    with pytest.raises(ValueError, match="side 2"):
        venue.core.depth(1, 2, 5)


def test_depth_returns_no_more_than_asked() -> None:
    venue = Venue()
    for price in range(90, 100):
        venue.buy(ALICE, price, 1)
    assert venue.core.depth(1, BUY, 3) == [(99, 1), (98, 1), (97, 1)]
    assert venue.core.depth(1, BUY, 0) == venue.core.depth(1, BUY, -1) == []


def test_update_id_counts_changes_of_levels() -> None:
    venue = Venue()
    seen = [venue.core.update_id(1)]
    for act in (lambda: venue.buy(ALICE, 100, 5), lambda: venue.buy(ALICE, 99, 5), lambda: venue.sell(BOB, 99, 7),
                lambda: venue.reduce(ALICE, venue.last - 1, 2), lambda: venue.cancel_all(ALICE)):
        act()
        seen.append(venue.core.update_id(1))
    assert seen == [0, 1, 2, 4, 4, 5]


def test_capacities_beyond_memory_are_refused() -> None:
    with pytest.raises(MemoryError):
        Exchange(orders=2**31)
    with pytest.raises(MemoryError):
        Exchange(orders=2**30, wallets=2**30, leaves=2**30)
