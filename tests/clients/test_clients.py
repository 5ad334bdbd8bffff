"""A part of `make clients` that needs nothing new: ccxt.pro, a development dependency anyway, for a few seconds."""
import sys

from tests.clients.day import CLIENTS, run_day

SECONDS, RATE = 3.0, 500.0


def test_ccxt_pro_trades_a_day_in_small():
    report, errors = run_day(CLIENTS["ccxt.pro"], SECONDS, RATE, python=sys.executable)
    assert not errors
    assert report["failed"] == 0 and report["steps"] == report["passed"] > 30
    assert report["book"]["compared"] > 0
