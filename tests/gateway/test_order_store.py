"""What is remembered of orders, fed by the real core: agreement with it, and the bound on closed orders."""
import gc
import random

import numpy as np

from engine.core.batch import Batch
from engine.core.exchange import Exchange
from engine.core.unpack import Event, unpack_events
from engine.records import ORDER
from gateway.order_store import Order, OrderStore

BUY, SELL, LIMIT, MARKET, GTC, IOC, FOK = 0, 1, 0, 2, 0, 1, 2
ACCOUNTS = range(2, 6)


class Bench:
    """A core with one instrument, and a store that hears of everything it does."""

    def __init__(self, closed_orders_max: int = 1000, watched: tuple[int, ...] = ()) -> None:
        self.core, self.batch = Exchange(orders=4, events=4), Batch(4)
        self.seen: list[tuple[int, int, bool, str]] = []
        self.store = OrderStore(closed_orders_max, watched, self._see)
        self.batch.asset(1, 2, "ABC")
        self.batch.asset(2, 2, "USD")
        self.batch.instrument(1, text="ABCUSD", base_asset=1, quote_asset=2, lot_value=1, tick_value=1)
        for account in ACCOUNTS:
            self.batch.account(account)
            self.batch.credit(account, 1, 10**6)
            self.batch.credit(account, 2, 10**8)
        self.apply()

    def apply(self) -> list[Event]:
        """One frame of what is in the batch."""
        self.batch.stamp(self.core.seq + 1, self.core.seq + 1)
        events = unpack_events(self.core.apply(self.batch))
        self.batch.clear()
        self.store.apply(events)
        return events

    def place(self, account: int, side: int, price: int, qty: int, text: bytes = b"", order_type: int = LIMIT,
              time_in_force: int = GTC, amount: int = 0) -> int:
        """One order in a frame of its own; its id."""
        self.batch.place(account, 1, side, order_type, time_in_force, price, qty, amount, text)
        return self.apply()[0].seq

    def _see(self, order: Order, event: Event, is_maker: bool) -> None:
        self.seen.append((order.id, event.kind, is_maker, order.status))


def test_the_collector_does_not_walk_the_orders():
    """There may be millions, and none can be part of a cycle."""
    bench = Bench()
    number = bench.place(2, BUY, 100, 1)
    assert not gc.is_tracked(bench.store.open[number])


def test_open_orders_agree_with_the_core():
    """After each of 3,000 random commands the open orders are the core's, number by number."""
    choose = random.Random(5)
    bench = Bench()
    for number in range(3000):
        account = choose.choice(ACCOUNTS)
        action = choose.random()
        if action < 0.6:
            bench.place(account, choose.randint(0, 1), choose.randint(95, 105), choose.randint(1, 20),
                        str(number).encode(), time_in_force=choose.choice((GTC, GTC, IOC, FOK)))
        elif action < 0.7:
            bench.place(account, choose.randint(0, 1), 0, 0, order_type=MARKET, amount=choose.randint(1, 5000))
        elif bench.store.open and action < 0.95:
            order = choose.choice(list(bench.store.open.values()))
            if action < 0.85:
                bench.batch.cancel(order.account, 1, order.id, order.slot)
            else:
                bench.batch.reduce(order.account, 1, choose.randint(1, 20), order.id, order.slot)
            bench.apply()
        else:
            bench.batch.cancel_all(account)
            bench.apply()
        compare(bench)
    statuses = {order.status for order in bench.store.closed.values()}
    assert statuses == {"FILLED", "CANCELED", "EXPIRED"}


def compare(bench: Bench) -> None:
    records = np.concatenate([np.frombuffer(bench.core.open_orders(account), ORDER) for account in ACCOUNTS])
    core = {int(record["order_id"]): record for record in records}
    assert set(core) == set(bench.store.open)
    for order in bench.store.open.values():
        record = core[order.id]
        assert (order.slot, order.account, order.side, order.price_ticks, order.qty_lots) == tuple(
            int(record[name]) for name in ("slot", "account", "side", "price_ticks", "qty_lots"))
        assert order.executed_lots == order.qty_lots - int(record["left_lots"])
        assert order.quote_filled == int(record["quote_filled"])
        assert order.status == ("PARTIALLY_FILLED" if order.executed_lots else "NEW")
        assert order.text.encode() == bytes(record["text"])


def test_closed_orders_are_bounded_and_forgotten_oldest_first():
    bench = Bench(closed_orders_max=2)
    ids = [bench.place(2, BUY, 100, 1, text) for text in (b"a", b"b", b"a1", b"c")]
    for order_id in ids:
        order = bench.store.open[order_id]
        bench.batch.cancel(2, 1, order.id, order.slot)
    bench.apply()
    assert all(bench.store.get(2, order_id) is not None for order_id in ids), "all stay known until the next frame"
    bench.place(3, BUY, 99, 1)
    assert [bench.store.get(2, order_id) is not None for order_id in ids] == [False, False, True, True]
    assert bench.store.last_closed(2, "a") is None and bench.store.last_closed(2, "c") is not None
    assert len(bench.store.closed) == 2


def test_the_latest_order_of_a_name_is_found():
    bench = Bench(closed_orders_max=2)
    for _ in range(3):
        order_id = bench.place(2, BUY, 100, 1, b"again", time_in_force=IOC)
        bench.place(3, BUY, 100, 1, b"again", time_in_force=IOC)
        found = bench.store.last_closed(2, "again")
        assert found is not None and found.id == order_id
    assert bench.store.get(3, order_id) is None, "other accounts' orders are nobody's business"
    assert bench.store.last_closed(4, "again") is None


def test_market_orders_by_amount_end_filled():
    bench = Bench()
    for price in (100, 110):
        bench.place(2, SELL, price, 5)
    order_id = bench.place(3, BUY, 0, 0, order_type=MARKET, amount=1000)
    order = bench.store.get(3, order_id)
    assert order is not None
    assert (order.status, order.executed_lots, order.quote_filled) == ("FILLED", 9, 940)
    nothing = bench.place(4, BUY, 0, 0, order_type=MARKET, amount=50)
    order = bench.store.get(4, nothing)
    assert order is not None and (order.status, order.executed_lots) == ("EXPIRED", 0)


def test_only_watched_accounts_are_told_of():
    bench = Bench(watched=(2,))
    maker = bench.place(2, SELL, 100, 5)
    taker = bench.place(3, BUY, 100, 5)
    assert bench.seen == [(maker, 4, False, "NEW"), (maker, 5, True, "FILLED")]
    assert bench.store.changed_ns[2] == bench.store.changed_ns[3] == taker
