"""A short part of tests/fuzz without its guide: what clients send, changed at random, breaks nobody who reads it."""
import random

import pytest

from tests.fuzz.plain import LONGEST, changed, grown_bytes, inputs
from tests.fuzz.run import LEAK_BYTES_MAX, SHARES, quoted
from tests.fuzz.seeds import seeds, words
from tests.fuzz.targets import TARGETS, orders_taken

INPUTS = 6000


@pytest.mark.parametrize("name", TARGETS)
def test_changed_inputs(name):
    for data in inputs(5, seeds()[name], words(), INPUTS):
        TARGETS[name](data)


@pytest.mark.parametrize("name", ["requests", "control", "forms"])
def test_memory_does_not_grow(name):
    corpus = list(inputs(6, seeds()[name], words(), 500))
    assert grown_bytes(TARGETS[name], corpus, 8000) < LEAK_BYTES_MAX


def test_growth_is_seen():
    kept: list[bytes] = []
    assert grown_bytes(lambda data: kept.append(bytes(4096)), [b""], 10_000) > LEAK_BYTES_MAX


def test_good_orders_come_through():
    """The seeds are no mere rubbish: the native way takes them."""
    before = orders_taken()
    for data in seeds()["orders"]:
        TARGETS["orders"](data)
    assert orders_taken() - before >= len(seeds()["orders"]) - 2


def test_the_makings():
    choose = random.Random(1)
    assert set(SHARES) == set(TARGETS) == set(seeds())
    assert all(len(changed(choose, bytes(LONGEST), words())) <= LONGEST for _ in range(100))
    assert quoted(b"a\xff") == "\\x61\\xff"
