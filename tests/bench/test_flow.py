"""The seeded flows, their plain Python judge, and the core on the same records: all three must fill the same."""
import numpy as np
import pytest

from bench import plain
from bench.core import Run, chunks
from bench.flow import HEADER, RECORD, Flow, Totals, file_sum, make_flow, to_commands, write
from engine.core.codes import CommandKind
from engine.records import COMMAND


@pytest.mark.parametrize(("commands", "fills", "volume"), [(20_000, 4_891, 126_109), (200_000, 48_789, 1_251_012)])
def test_the_flow_fills_what_others_measured(commands: int, fills: int, volume: int):
    totals = make_flow("W1", commands).totals
    assert (totals.fills, totals.volume) == (fills, volume)


@pytest.mark.parametrize("name", ["W1", "W2", "W3"])
def test_whole_flows_equal_their_published_sums(name: str):
    """make_flow itself compares SHA-256, fills, volume and notional, and raises."""
    assert len(make_flow(name).records) == 2_000_000


@pytest.mark.parametrize("name", ["W1", "W2", "W3"])
def test_core_and_plain_matcher_agree(name: str):
    flow = make_flow(name, 30_000)
    assert plain.run(flow.records.tolist(), flow.symbols) == flow.totals
    run = Run(flow)     # applies with cancels by client id and asserts what was filled
    for commands in (run.by_id, run.by_text):
        exchange = run.exchange()
        for chunk in chunks(commands, 1000):
            exchange.apply(chunk)
        run.check(exchange)
        exchange.check()


def test_a_wrong_flow_is_found_out():
    flow = make_flow("W1", 2000)
    with pytest.raises(AssertionError, match="filled"):
        Run(Flow(flow.records, flow.symbols, Totals(1, 2, 3)))


def test_every_cancel_names_a_resting_order():
    records = make_flow("W3", 50_000).records
    resting: set[int] = set()
    for cancel, _, _, _, _, _, order_id, _, _ in records.tolist():
        if cancel:
            assert order_id in resting
            resting.discard(order_id)
        else:
            resting.add(order_id)


def test_the_file_is_a_header_and_records(tmp_path):
    records = make_flow("W1", 1000).records
    path = tmp_path / "w1.bin"
    write(records, path)
    data = path.read_bytes()
    assert len(data) == HEADER.itemsize + 1000 * RECORD.itemsize == 16 + 40 * 1000
    assert np.frombuffer(data, HEADER, 1)["count"] == 1000
    assert (np.frombuffer(data, RECORD, offset=HEADER.itemsize) == records).all()
    assert len(file_sum(records)) == 64


def test_commands_say_what_the_records_say():
    records = make_flow("W3", 5000).records
    commands = to_commands(records)
    assert commands.dtype == COMMAND
    cancels = records["cancel"] == 1
    assert (commands["kind"][cancels] == CommandKind.CANCEL).all()
    assert (commands["kind"][~cancels] == CommandKind.PLACE).all()
    assert (commands["text"].astype(np.int64) == records["id"]).all()
    assert (to_commands(records, with_text=False)["text"] == b"").all()
    assert commands["account"].min() >= 2
