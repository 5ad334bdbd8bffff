"""The core against the slow twin: 100,000 random commands, event by event, with starting capacities of 4.

Longer runs: python -m tests.core.compare --commands 1000000 --seed 2.
"""
from collections.abc import Callable
from random import Random

import pytest

from tests.core.compare import compare
from tests.core.flow import deep, tight, wide


@pytest.mark.parametrize(("price", "commands"), [(tight, 40_000), (wide, 40_000), (deep, 15_000)])
def test_random_commands(price: Callable[[Random, int], int], commands: int) -> None:
    assert compare(20_240_601, commands, price) > 1000


@pytest.mark.parametrize("price", [tight, wide, deep])
def test_random_commands_with_every_invariant_checked_after_each(price: Callable[[Random, int], int]) -> None:
    assert compare(11, 2_000, price, check_every=1) > 100


def test_random_commands_at_the_limit_of_open_orders() -> None:
    assert compare(12, 10_000, deep, orders_max=7) > 50
