"""LOBSTER files become steps: by hand for each rule, and as a whole through the core, where everything must line up."""
import gzip
from pathlib import Path

import numpy as np
import pytest

from buttonwood.lobster import Action, LobsterError, Message, Step, read_messages, read_states, to_steps, trader_of
from buttonwood.replay_score import Fill, Span, Top, count_aligned, is_exact, states_of
from engine.core.batch import Batch
from engine.core.codes import EventKind, OrderType, Side, TimeInForce
from engine.core.exchange import Exchange
from engine.records import EVENT
from tests.support.lobster_files import write_files

TRADERS = 100
NEW, REDUCED, DELETED, EXECUTED, HIDDEN = 1, 2, 3, 4, 5


def steps_of(*messages: Message) -> list[Step]:
    """What is asked of the venue, without the marks."""
    return [step for step in to_steps(list(messages), TRADERS) if step.action not in (Action.OPEN, Action.CLOSE)]


def new(order_id: int, size: int = 10, price: int = 5_850_000, buy: bool = True) -> Message:
    return Message(NEW, order_id, size, price, buy)


def test_each_type_has_its_step():
    steps = steps_of(new(501), Message(REDUCED, 501, 4, 5_850_000, True), Message(EXECUTED, 501, 2, 5_850_000, True),
                     Message(HIDDEN, 0, 7, 5_850_050, True), Message(DELETED, 501, 4, 5_850_000, True))
    assert steps[0] == Step(Action.PLACE, 1, "501", 1, True, 58500, 10)
    assert steps[1] == Step(Action.REDUCE, 2, "501", 1, qty_lots=6)
    taker = steps[2]
    assert (taker.action, taker.event, taker.client_id, taker.maker) == (Action.TAKE, 3, "x3", "501")
    assert (taker.buy, taker.price_ticks, taker.qty_lots) == (False, 58500, 2)
    assert steps[3:] == [Step(Action.CANCEL, 5, "501", 1)]


def test_reductions_state_the_new_total():
    steps = steps_of(new(1, size=10), *[Message(REDUCED, 1, 3, 5_850_000, True)] * 2)
    assert [step.qty_lots for step in steps] == [10, 7, 4]


def test_orders_that_rested_before_come_first_in_order_of_id():
    steps = steps_of(new(100), Message(EXECUTED, 9, 5, 5_851_000, False), Message(DELETED, 3, 8, 5_849_000, True),
                     Message(REDUCED, 9, 1, 5_851_000, False), Message(DELETED, 9, 2, 5_851_000, False))
    assert [(step.event, step.client_id, step.buy, step.qty_lots) for step in steps[:3]] == [
        (0, "3", True, 8), (0, "9", False, 5 + 1 + 2), (1, "100", True, 10)]


def test_later_unshown_orders_are_placed_just_before_their_first_event():
    messages = [new(100), new(101), Message(EXECUTED, 150, 5, 5_851_000, False), new(151),
                Message(DELETED, 150, 2, 5_851_000, False)]
    steps = to_steps(messages, TRADERS)
    assert [(step.action.value, step.event, step.client_id) for step in steps] == [
        ("open", 0, ""), ("place", 1, "100"), ("close", 1, ""), ("place", 2, "101"),
        ("open", 3, ""), ("place", 3, "150"), ("take", 3, "x3"), ("close", 3, ""),
        ("place", 4, "151"), ("cancel", 5, "150"), ("open", 5, "")]
    assert steps[5].qty_lots == 7


@pytest.mark.parametrize("traders", [2, 3, 100])
def test_nobody_trades_with_himself(traders: int):
    messages = [new(number) for number in range(1, 40)]
    messages += [Message(EXECUTED, number, 10, 5_850_000, True) for number in range(1, 40)]
    for step in to_steps(messages, traders):
        assert 0 <= step.trader < traders
        assert step.action is not Action.TAKE or step.trader != trader_of(int(step.maker), traders)


@pytest.mark.parametrize(("row", "problem"), [
    ("34200.1,1,5,10,5850000", "6 columns"), ("34200.1,1,five,10,5850000,1", "numbers"),
    ("34200.1,9,5,10,5850000,1", "type 9"), ("34200.1,1,5,0,5850000,1", "size above 0"),
    ("34200.1,1,5,10,5850050,1", "whole cents"), ("34200.1,1,5,10,5850000,2", "direction"), ("", "no events")])
def test_a_wrong_file_is_refused_with_its_line(tmp_path: Path, row: str, problem: str):
    path = tmp_path / "message.csv"
    path.write_text(row + "\n")
    with pytest.raises(LobsterError, match=problem) as caught:
        read_messages(path)
    assert str(path) in str(caught.value)


def test_unreadable_files_are_refused(tmp_path: Path):
    torn = tmp_path / "torn.csv.gz"
    torn.write_bytes(gzip.compress(b"34200.1,1,5,10,5850000,1\n" * 1000)[:40])
    for path in (torn, tmp_path / "absent.csv"):
        with pytest.raises(LobsterError, match="cannot be read"):
            read_messages(path)


def test_packed_files_read_like_plain_ones(tmp_path: Path):
    messages, truth = write_files(tmp_path, events=100)
    packed = tmp_path / "message.csv.gz"
    packed.write_bytes(gzip.compress(messages.read_bytes()))
    assert read_messages(packed) == read_messages(messages)
    assert len(read_states(truth)) > 10


class Venue:
    """The core alone, with the replay's steps applied one by one."""

    def __init__(self) -> None:
        self.core = Exchange()
        self.batch = Batch()
        self.makers: dict[int, str] = {}
        self.text_of: dict[int, str] = {}
        self.tops: list[Top] = []
        self.spans: list[Span] = []
        batch = self.batch
        batch.asset(1, 8, "USD")
        batch.asset(2, 8, "STOCK")
        batch.instrument(1, text="STOCKUSD", base_asset=2, quote_asset=1, lot_value=10**8, tick_value=10**6)
        for account in range(2, 2 + TRADERS):
            batch.account(account)
            batch.credit(account, 1, 10**16)
            batch.credit(account, 2, 10**15)
        self.apply()

    def apply(self) -> np.ndarray:
        self.batch.stamp(self.core.seq + 1, 1)
        events = np.frombuffer(self.core.apply(self.batch), EVENT).copy()
        self.batch.clear()
        return events

    def carry_out(self, step: Step) -> list[Fill]:
        """The fills of one step."""
        account, text = 2 + step.trader, step.client_id
        if step.action is Action.OPEN:
            self.span_from = self.core.update_id(1)
            return []
        if step.action is Action.CLOSE:
            self.spans.append((self.span_from, self.core.update_id(1)))
            return []
        if step.action is Action.CANCEL:
            self.batch.cancel(account, 1, text=text)
        elif step.action is Action.REDUCE:
            self.batch.reduce(account, 1, step.qty_lots, text=text)
        else:
            force = TimeInForce.IOC if step.action is Action.TAKE else TimeInForce.GTC
            self.text_of[self.core.seq + 1] = text
            side = Side.BUY if step.buy else Side.SELL
            self.batch.place(account, 1, side, OrderType.LIMIT, force, step.price_ticks, step.qty_lots, text=text)
        return self.read(self.apply())

    def read(self, events: np.ndarray) -> list[Fill]:
        assert not (events["kind"] == EventKind.REJECTED).any()
        trades = events[events["kind"] == EventKind.TRADE]
        for trade in trades:
            self.makers[int(trade["trade_id"])] = self.text_of[int(trade["maker_order_id"])]
        bid_ticks, bid_lots, ask_ticks, ask_lots = self.core.top(1)
        self.tops.append((self.core.update_id(1), (
            ask_ticks * 100 if ask_ticks else 9_999_999_999, ask_lots, bid_ticks * 100 if bid_ticks else -9_999_999_999,
            bid_lots)))
        return [(int(trade["trade_id"]), int(trade["price_ticks"]), int(trade["qty_lots"])) for trade in trades]


@pytest.mark.parametrize("seed", range(5))
def test_a_whole_file_lines_up_with_its_truth(tmp_path: Path, seed: int):
    messages, truth = write_files(tmp_path, seed)
    venue, takes, exact = Venue(), 0, 0
    for step in to_steps(read_messages(messages), TRADERS):
        fills = venue.carry_out(step)
        takes += step.action is Action.TAKE
        exact += step.action is Action.TAKE and is_exact(step, fills, venue.makers)
    venue.core.check()
    assert takes > 200
    assert exact == takes
    assert len(venue.spans) > 5
    assert states_of(venue.tops, venue.spans) == read_states(truth)


def test_an_execution_is_exact_only_against_the_recorded_order():
    step = Step(Action.TAKE, 1, "x1", 0, False, 58500, 10, "77")
    assert is_exact(step, [(5, 58500, 10)], {5: "77"})
    for fills, makers in [([], {}), ([(5, 58500, 10)], {5: "78"}), ([(5, 58500, 10)], {}),
                          ([(5, 58501, 10)], {5: "77"}), ([(5, 58500, 9)], {5: "77"}),
                          ([(5, 58500, 4), (6, 58500, 6)], {5: "77", 6: "77"})]:
        assert not is_exact(step, fills, makers)


def test_inside_a_span_only_the_last_state_counts():
    states = [(price, 1, 1, 1) for price in range(10)]
    tops = [(update, states[update]) for update in (1, 2, 4, 5, 6, 8)]
    assert states_of(tops, []) == [states[update] for update in (1, 2, 4, 5, 6, 8)]
    assert states_of(tops, [(-1, 2), (3, 5), (6, 7)]) == [states[update] for update in (2, 5, 6, 8)]
    assert states_of([(1, states[1]), (2, states[2]), (3, states[1])], [(1, 3)]) == [states[1]]


def test_states_align_in_order_and_within_reach():
    truth = [(price, 1, 1, 1) for price in range(1000)]
    assert count_aligned([truth[3], truth[5]], truth) == 2
    assert count_aligned([truth[5], truth[3]], truth) == 1
    assert count_aligned([truth[199]], truth) == 1
    assert count_aligned([truth[200]], truth) == 0
    assert count_aligned([truth[3], truth[3]], truth) == 1
