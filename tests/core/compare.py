"""Applies the same random commands to engine.core and to the reference and stops at the first difference.

For long runs: python -m tests.core.compare --commands 1000000 --seed 1. Capacities start at 4.
"""
import argparse
from collections.abc import Callable
from random import Random

from engine.core.batch import Batch
from engine.core.codes import CommandKind, EventKind
from engine.core.exchange import Exchange
from tests.core.command import Command, EventTuple, OpenOrder, read_events, read_slots
from tests.core.flow import ACCOUNTS, ASSETS, SYMBOLS, TIME_STEP_NS, Flow, deep, opening, tight, wide
from tests.core.reference_whole import ReferenceWhole

TINY = {"orders": 4, "wallets": 4, "accounts": 4, "leaves": 4, "events": 4}
LIMITS = ("max_notional", "reference_ticks", "band_up_ppm", "band_down_ppm", "orders_max")
PROTECTION = ("slippage_ppm", "stops_max", "day_end_s")
FULL_EVERY = 101      # commands between two comparisons of everything
REOPEN_EVERY = 1000   # commands between two resets of what random settings broke
SNAPSHOT_EVERY = 97   # commands after which the core is replaced by a copy loaded from its own snapshot


class Twins:
    """One core and one reference, always given the same commands."""

    def __init__(self, *, orders_max: int = 2**26, check_every: int = FULL_EVERY) -> None:
        self.orders_max = orders_max
        self.core = Exchange(**TINY, top_events=True, orders_max=orders_max)
        self.reference = ReferenceWhole(top_events=True, orders_max=orders_max)
        self.slots: dict[int, int] = {}
        self.places: dict[int, int] = {}
        self.journal = bytearray()
        self.trades: list[bytes] = []    # the last ones
        self.batch = Batch(1)
        self.check_every = check_every

    def apply(self, command: Command) -> list[EventTuple]:
        seq = self.core.seq + 1
        self.batch.clear()
        command.write(self.batch)
        self.batch.stamp(seq, seq * TIME_STEP_NS)
        self.journal += memoryview(self.batch)
        buffer = self.core.apply(self.batch)
        self.slots.update(read_slots(buffer))
        self.places.update(read_slots(buffer, EventKind.LIST))
        trades = [bytes(buffer[at:at + 128]) for at in range(0, len(buffer), 128) if buffer[at] == EventKind.TRADE]
        self.trades = (self.trades + trades)[-20:]
        events, expected = read_events(buffer), self.reference.apply(command, seq * TIME_STEP_NS)
        assert events == expected, f"command {seq}: {command}\ncore      {events}\nreference {expected}"
        if seq % self.check_every == 0:
            self.compare_state()
        return events

    def open_orders(self) -> list[OpenOrder]:
        return [OpenOrder(order.order_id, self.slots[order.order_id], order.account, order.instrument, order.text)
                for order in self.reference.open.values()]

    def open_lists(self) -> list[OpenOrder]:
        return [OpenOrder(group.list_id, self.places[group.list_id], group.account, group.instrument, group.text)
                for group in self.reference.lists.values()]

    def compare_state(self) -> None:
        """Everything that can be asked; and the core's own invariants."""
        core, reference = self.core, self.reference
        for account, asset in reference.available:
            assert core.balance(account, asset) == reference.balance(account, asset), (account, asset)
        for asset in ASSETS:
            assert sum(sum(reference.balance(*key)) for key in reference.available if key[1] == asset) == 0
        for key, book in reference.books.items():
            assert core.depth(key, 0, 10**6) == book.depth(0)
            assert core.depth(key, 1, 10**6) == book.depth(1)
            assert core.top(key) == book.best(0) + book.best(1)
            assert (core.update_id(key), core.last_trade_id(key)) == (book.update_id, book.trade_id)
            assert core.last_price(key) == book.last_ticks
            assert [core.fees(key, tier) for tier in range(16)] == [reference.rates(key, tier) for tier in range(16)]
            assert core.indicative(key) == reference.crossing(book)
            assert core.protection(key) == tuple(book.protection.get(name, 0) for name in PROTECTION)
            assert core.limits(key) == tuple(book.limits.get(name, 0) for name in LIMITS)
        assert core.next_deadline_ns == next((end[0] for end in reference.deadlines()), 0)
        assert core.killed() == reference.killed
        for account in ACCOUNTS:
            mine = [(key[1], key[2], end[0]) for key, end in sorted(reference.timers.items()) if key[0] == account]
            assert core.timers(account) == mine
            assert core.killed(account) == (account in reference.killed_accounts)
        assert core.remembered_max == reference.remembered_max
        assert core.remembered_count == len(reference.remembered)
        core.check()

    def reload(self) -> None:
        """Go on with a core loaded from the snapshot of this one: whatever is forgotten shows sooner or later."""
        copy = Exchange(**TINY, top_events=True, orders_max=self.orders_max)
        sections = self.core.dump()
        copy.load(sections)
        assert copy.dump() == sections
        assert copy.state_hash() == self.core.state_hash()
        self.core = copy

    def replay(self, random: Random) -> Exchange:
        """The same commands in batches of random size, through an exchange with other capacities."""
        copy = Exchange(orders=64, events=2, orders_max=self.orders_max)
        position = 0
        while position < len(self.journal):
            size = random.randint(1, 300) * 128
            copy.apply(bytes(self.journal[position:position + size]))
            position += size
        return copy


def compare(seed: int, commands: int, price: Callable[[Random, int], int], *, orders_max: int = 2**26,
            check_every: int = FULL_EVERY) -> int:
    """Raises AssertionError at a difference; returns the number of trades made on the way."""
    random = Random(seed)
    twins = Twins(orders_max=orders_max, check_every=check_every)
    flow = Flow(random, price)
    settings = opening(rich=price is not tight)
    for command in settings:
        twins.apply(command)
    for count in range(commands):
        orders = twins.open_orders()
        flow.lists = twins.open_lists()
        flow.trades = twins.trades
        twins.apply(flow.next(orders))
        flow.dead = orders[-5:] if orders else flow.dead
        if count % SNAPSHOT_EVERY == SNAPSHOT_EVERY - 1:
            twins.reload()
        if count % REOPEN_EVERY == REOPEN_EVERY - 1:
            for command in settings:
                if command.kind != CommandKind.CREDIT:
                    twins.apply(command)
    twins.compare_state()
    copy = twins.replay(random)
    assert copy.state_hash() == twins.core.state_hash()
    assert copy.wallets() == twins.core.wallets()
    assert [copy.open_orders(account) for account in ACCOUNTS] == [twins.core.open_orders(a) for a in ACCOUNTS]
    return sum(twins.core.last_trade_id(key) for key in SYMBOLS)


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare the core with the reference model on random commands.")
    parser.add_argument("--commands", type=int, default=1_000_000, help="in total, over three kinds of prices")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    for name, price in (("tight", tight), ("wide", wide), ("deep", deep)):
        count = arguments.commands // 3 + 1
        trades = compare(arguments.seed, count, price)
        print(f"{name}: {count:,} commands, {trades:,} trades, no difference", flush=True)


if __name__ == "__main__":
    main()
