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
    make = random.choices((_fees, _tier, _tick, _timer, _mass_cancel, _kill, _protection, _auction, _remember),
                          (2, 2, 9, 3, 1, 2, 2, 12, 2))[0]
    return make(random, orders)


def _tick(*_: object) -> Command:
    return Command(CommandKind.TICK)


def _timer(random: Random, _: list[OpenOrder]) -> Command:
    return Command(CommandKind.TIMER, random.choice(ACCOUNT_IDS), random.choice((0, 0, 1, 2, 9)),
                   session=random.choice((0, 0, 5, 6, 7)),
                   terms={"countdown_ns": random.choice((0, -1, 1, 20 * 10**12, 100 * 10**12, 2**63 - 1))})


def _mass_cancel(random: Random, _: list[OpenOrder]) -> Command:
    account = random.choice((0, *ACCOUNT_IDS))
    return Command(CommandKind.MASS_CANCEL, account, random.choice((0, 0, 1, 2, 3, 9)),
                   session=random.choice((0, 5, 6, 7)), terms={"disconnected": random.random() < 0.5})


def _kill(random: Random, _: list[OpenOrder]) -> Command:
    """Off more often than on, so that trading goes on."""
    on = random.random() < 0.15
    scopes = ((0, 0), (0, 1), (2, 0), (0, 2), (2, 1), (99, 0), (0, 9))
    account, instrument = random.choices(scopes, (1, 1, 4, 2, 1, 1, 1) if on else (9, 9, 4, 4, 1, 1, 1))[0]
    return Command(CommandKind.KILL, account, instrument,
                   terms={"on": on, "cancel": random.random() < (0.5 if on else 0.1)})


def _auction(random: Random, _: list[OpenOrder]) -> Command:
    """Mostly ends one, so that most of the time is continuous trading."""
    step = random.choices((0, 1, 2), (20, 80, 1))[0]
    return Command(CommandKind.AUCTION, instrument=random.choice(INSTRUMENT_IDS), terms={
        "step": step, "status": random.choices((0, 1, 2, 3, 4, 5), (90, 1, 1, 1, 1, 1))[0] if step else 0,
        "reference_ticks": random.choice((0, 0, 99, 10_000, 2**53, -1, 2**60))})


def bust(random: Random, trades: list[bytes]) -> Command:
    """One of these trades, sometimes changed so that it must be refused."""
    event = bytearray(random.choice(trades) if trades else bytes(128))
    if random.random() < 0.3:
        place = random.choice((1, 4, 8, 40, 48, 80, 88, 96, 103, 104, 112, 120))
        event[place] = random.choice((0, 1, 2, 200, 255))
    return Command(CommandKind.BUST, text=bytes(event))


def _protection(random: Random, _: list[OpenOrder]) -> Command:
    return Command(CommandKind.PROTECTION, instrument=random.choice(INSTRUMENT_IDS), terms={
        "slippage_ppm": random.choice((0, 0, 10_000, 10**6, 10**6 + 1)),
        "stops_max": random.choice((0, 0, 0, 1, 2, 5)),
        "day_end_s": random.choice((0, 1, 3600, 86_399, 86_400))})


def _remember(random: Random, _: list[OpenOrder]) -> Command:
    return Command(CommandKind.REMEMBER, terms={"remembered": random.choice((0, 1, 7, 30, 500, 2**22, 2**22 + 1))})


def _fees(random: Random, _: list[OpenOrder]) -> Command:
    ppm = (0, 1, 777, -1, -333, -20_000, 500_000, 10**6, -(10**6), 10**6 + 1, -(10**6) - 1)
    return Command(CommandKind.FEES, instrument=random.choice(INSTRUMENT_IDS), terms={
        "tier": random.choice((0, 1, 2, 2, 15, 16)), "maker_fee_ppm": random.choice(ppm),
        "taker_fee_ppm": random.choice(ppm), "clear": random.random() < 0.3})


def _tier(random: Random, _: list[OpenOrder]) -> Command:
    tier = random.choice((0, 1, 2, 15, 16))
    return Command(CommandKind.ACCOUNT_TIER, random.choice(ACCOUNT_IDS), terms={"tier": tier})
