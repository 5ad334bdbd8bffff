"""The library that a public judge loads: built here, driven through its C interface, its reports compared with ours."""
import ctypes
import random
import subprocess
import sys
from ctypes import byref, sizeof
from pathlib import Path

import pytest

from bench.flow import make_flow
from bench.referee import drive, to_messages
from referee.build import LIBRARY, ROOT
from referee.functions import EXPORTED
from tests.referee.library import (
    ACK,
    BUY,
    CANCEL_ACK,
    CANCEL_REJECT,
    CAPACITY,
    MODIFY_ACK,
    MODIFY_REJECT,
    SELL,
    TRADE,
    Cancel,
    Modify,
    New,
    Push,
    RawReport,
    Referee,
    Report,
    Transport,
    load,
    plain,
    running,
)
from tests.referee.twin import Twin

EMPTY = (-2**63, 2**63 - 1)
WIDE = 2**63 + 5


@pytest.fixture(scope="module")
def library() -> ctypes.CDLL:
    subprocess.run([sys.executable, "-m", "referee.build"], cwd=ROOT, check=True, capture_output=True, timeout=240)
    return load(LIBRARY)


@pytest.fixture
def referee(library):
    with running(library) as one:
        yield one


def symbols(path: Path) -> list[list[str]]:
    done = subprocess.run(["nm", "-D", str(path)], check=True, capture_output=True, text=True)
    return [line.split() for line in done.stdout.splitlines()]


def test_it_exports_the_interface_and_knows_no_python(library):
    exported = {words[2] for words in symbols(LIBRARY) if len(words) == 3 and words[1] == "T"}
    asked_for = [words[1] for words in symbols(LIBRARY) if len(words) == 2]
    assert exported == set(EXPORTED)
    assert not [name for name in asked_for if "Py" in name], "an interpreter on the way from message to report"


def test_layouts():
    assert [sizeof(struct) for struct in (New, Cancel, Modify, RawReport)] == [32, 16, 32, 64]
    assert (RawReport.qty.offset, RawReport.maker.offset, New.side.offset, New.immediate.offset) == (32, 40, 28, 29)


def test_a_book_from_empty_to_empty(referee):
    assert referee.book() == EMPTY
    referee.new(1, SELL, 10, 101)
    referee.new(2, SELL, 5, 100)
    referee.new(3, BUY, 7, 99)
    assert referee.book() == (99, 100)
    assert (referee.depth(100, SELL), referee.depth(99, BUY), referee.depth(98, BUY)) == (5, 7, 0)
    referee.new(4, BUY, 8, 101)
    assert referee.reports()[3:] == [
        Report(ACK, 4, 4, BUY, 101, 8), Report(TRADE, 4, price=100, qty=5, maker=2, taker=4),
        Report(TRADE, 4, price=101, qty=3, maker=1, taker=4)]
    referee.cancel(1)
    referee.cancel(3)
    assert referee.reports() == [Report(CANCEL_ACK, 5, 1, SELL, 101, 7), Report(CANCEL_ACK, 6, 3, BUY, 99, 7)]
    assert referee.book() == EMPTY


def test_immediate_or_cancel_never_rests(referee):
    referee.new(1, SELL, 10, 100)
    referee.new(2, BUY, 15, 105, immediate=True)
    referee.new(3, SELL, 5, 100, immediate=True)
    assert referee.reports()[1:] == [
        Report(ACK, 2, 2, BUY, 105, 15), Report(TRADE, 2, price=100, qty=10, maker=1, taker=2),
        Report(CANCEL_ACK, 2, 2, BUY, 105, 5), Report(ACK, 3, 3, SELL, 100, 5),
        Report(CANCEL_ACK, 3, 3, SELL, 100, 5)]
    assert referee.book() == EMPTY


def test_what_does_not_rest_is_refused(referee):
    referee.new(1, BUY, 10, 100)
    referee.new(2, SELL, 10, 100)
    for order_id in (1, 2, 77, WIDE):
        referee.cancel(order_id)
        referee.modify(order_id, BUY, 5, 101)
    assert referee.reports()[3:] == [
        Report(kind, sequence, order_id) for sequence, (order_id, kind) in enumerate(
            [(one, kind) for one in (1, 2, 77, WIDE) for kind in (CANCEL_REJECT, MODIFY_REJECT)], 3)]


def test_modify_loses_its_place_and_may_trade(referee):
    referee.new(1, BUY, 10, 100)
    referee.new(2, BUY, 10, 100)
    referee.modify(1, BUY, 20, 100)
    referee.new(3, SELL, 12, 100)
    referee.new(4, SELL, 9, 110)
    referee.modify(4, SELL, 9, 90)
    assert referee.reports()[2:] == [
        Report(MODIFY_ACK, 3, 1, BUY, 100, 20), Report(ACK, 4, 3, SELL, 100, 12),
        Report(TRADE, 4, price=100, qty=10, maker=2, taker=3), Report(TRADE, 4, price=100, qty=2, maker=1, taker=3),
        Report(ACK, 5, 4, SELL, 110, 9), Report(MODIFY_ACK, 6, 4, SELL, 90, 9),
        Report(TRADE, 6, price=100, qty=9, maker=1, taker=4)]


def test_ids_may_be_used_again_and_be_as_long_as_64_bits(referee):
    for order_id in (1, WIDE):
        referee.new(order_id, BUY, 10, 100)
        referee.cancel(order_id)
        referee.new(order_id, SELL, 10, 200)
        referee.new(2, BUY, 10, 200, immediate=True)
        assert [(one.kind, one.order_id, one.maker) for one in referee.reports()] == [
            (ACK, order_id, 0), (CANCEL_ACK, order_id, 0), (ACK, order_id, 0), (ACK, 2, 0), (TRADE, 0, order_id)]


def test_a_refused_order_gets_no_report_and_leaves_nothing(referee):
    referee.new(1, BUY, 10, 0)
    referee.new(2, SELL, 10, -5)
    referee.new(3, BUY, 2**32 - 1, 2**53)
    assert referee.reports() == []
    assert referee.book() == EMPTY


def test_reports_become_visible_in_batches_and_at_flush(referee):
    for order_id in range(1, 64):
        referee.new(order_id, BUY, 1, order_id)
    assert referee.visible() == []
    referee.new(64, BUY, 1, 64)
    assert len(referee.visible()) == 64
    referee.new(65, BUY, 1, 65)
    assert referee.visible() == []
    assert len(referee.reports()) == 1


def test_a_full_ring_refuses_and_goes_round(library):
    transport = library.engine_get_transport().contents
    queue = transport.create(CAPACITY)
    raw, out = RawReport(), (RawReport * CAPACITY)()
    for turn in range(5):
        for number in range(CAPACITY):
            raw.sequence = turn * CAPACITY + number
            assert transport.push(queue, byref(raw)) == 1
        assert transport.push(queue, byref(raw)) == 0
        assert transport.drain(queue, out, CAPACITY) == CAPACITY
        assert [one.sequence for one in out] == list(range(turn * CAPACITY, (turn + 1) * CAPACITY))
    transport.destroy(queue)


def test_another_queue_that_is_often_full(library):
    found: list[Report] = []
    refusals = iter([0, 1, 1, 0, 0, 1, 1] * 10)

    @Push
    def push(_queue, raw):
        taken = next(refusals)
        if taken:
            found.append(plain(raw.contents))
        return taken

    transport = Transport(push=push)
    library.engine_init(1, byref(transport), None)
    referee = Referee(library, transport, None)
    referee.new(1, SELL, 5, 100)
    referee.new(2, BUY, 5, 100)
    referee.cancel(1)
    library.engine_shutdown()
    assert [one.kind for one in found] == [ACK, ACK, TRADE, CANCEL_REJECT]


def test_the_driver_counts_what_the_flow_fills(library):
    flow = make_flow("W1", 20_000)
    messages = to_messages(flow.records)
    first, again = drive(LIBRARY, messages), drive(LIBRARY, messages)
    assert first.fills == flow.totals.fills == 4_891
    assert first.answers() == again.answers()
    messages["qty_lots"][0] += 1
    assert drive(LIBRARY, messages).answers() != first.answers()


def test_the_driver_names_what_it_cannot_load(tmp_path):
    with pytest.raises(OSError, match="cannot be loaded"):
        drive(tmp_path / "nothing.so", to_messages(make_flow("W1", 20_000).records))


@pytest.mark.parametrize("seed", range(4))
def test_random_messages_agree_with_the_twin(referee, seed):
    chance, twin, last, found = random.Random(seed), Twin(), 0, []
    ticks_apart = 1 if seed else 50
    for turn in range(3000):
        draw, side = chance.random(), chance.randrange(2)
        price, qty = 1000 + chance.randrange(-12, 13) * ticks_apart, chance.randrange(1, 30)
        if draw < 0.55 or not last:
            last += 1
            message = ("new", last + (WIDE if last % 7 == 0 else 0), side, qty, price, chance.random() < 0.2)
        else:
            order_id = chance.randrange(max(1, last - 40), last + 2)
            order_id += WIDE if order_id % 7 == 0 else 0
            resting = next((one for one in twin.orders if one.order_id == order_id), None)
            side = resting.side if resting else side
            message = ("cancel", order_id) if draw < 0.85 else ("modify", order_id, side, qty, price)
        for one in (twin, referee):
            getattr(one, message[0])(*message[1:])
        if turn % 20 == 0:
            found += referee.reports()
            assert referee.book() == twin.book()
            assert referee.depth(price, side) == twin.depth(price, side)
    assert found + referee.reports() == twin.reports
