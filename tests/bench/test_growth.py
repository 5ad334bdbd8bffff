"""bench.growth's flow is accepted command by command; peers fill what the core fills; latency needs a sound flow; the
bare loop reads all."""
import numpy as np
import pytest

from bench.flow import make_flow
from bench.growth import cost
from bench.native import load_native
from bench.peers import peers
from engine.records import COMMAND, EVENT


@pytest.mark.parametrize(("orders", "instruments"), [(100, 1), (2000, 50)])
def test_growth_flow_is_accepted(orders: int, instruments: int):
    """cost() itself asserts that no command was refused."""
    assert cost(orders, instruments, 1000).command_ns > 0
    assert cost(orders, instruments, 1000, sized=True).pause_us > 0


def test_installed_peers_fill_the_same():
    flow = make_flow("W1", 2000)
    for name, peer in peers(flow.records.tolist()).items():
        if isinstance(peer, str):
            assert "not installed" in peer
        else:
            seconds, volume = peer()
            assert seconds > 0 and volume in (None, flow.totals.volume), name


def test_latency_of_commands_that_do_not_follow_is_refused():
    module = load_native("_latency")
    with pytest.raises(RuntimeError, match="follow"):
        module.latencies_ns(np.zeros(128, np.uint8), np.zeros(256, np.uint8))


def test_the_bare_loop_answers_every_record():
    module, commands = load_native("_bare"), np.zeros(3, COMMAND)
    commands["qty_lots"], events = (5, 6, 7), np.zeros(3 * 128, np.uint8)
    assert module.answer(commands.view(np.uint8), events) == 18
    assert events.view(EVENT)["left_lots"].tolist() == [5, 11, 18]
    with pytest.raises(ValueError, match="128"):
        module.answer(commands.view(np.uint8), events[:128])
