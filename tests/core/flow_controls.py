"""Random commands of the venue itself for the comparison: fee schedules, tiers and what is neither order nor money.

Every kind sometimes carries what must be refused.
"""
from random import Random

from engine.core.codes import CommandKind
from tests.core.command import Command, OpenOrder

ACCOUNT_IDS = (2, 3, 4, 5, 6, 7, 0, 1, 8, 2**24 - 1)
INSTRUMENT_IDS = (1, 1, 1, 2, 3, 0, 9)


def control(random: Random, orders: list[OpenOrder]) -> Command:
    """One command; `orders` are the open ones."""
    return random.choice((_fees, _tier))(random, orders)


def _fees(random: Random, _: list[OpenOrder]) -> Command:
    ppm = (0, 1, 777, -1, -333, -20_000, 500_000, 10**6, -(10**6), 10**6 + 1, -(10**6) - 1)
    return Command(CommandKind.FEES, instrument=random.choice(INSTRUMENT_IDS), terms={
        "tier": random.choice((0, 1, 2, 2, 15, 16)), "maker_fee_ppm": random.choice(ppm),
        "taker_fee_ppm": random.choice(ppm), "clear": random.random() < 0.3})


def _tier(random: Random, _: list[OpenOrder]) -> Command:
    tier = random.choice((0, 1, 2, 15, 16))
    return Command(CommandKind.ACCOUNT_TIER, random.choice(ACCOUNT_IDS), terms={"tier": tier})
