"""bench.growth's flow is accepted command by command; peers fill what the core fills; latency needs a sound flow."""
import numpy as np
import pytest

from bench.flow import make_flow
from bench.growth import cost
from bench.native import load_native
from bench.peers import peers


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
