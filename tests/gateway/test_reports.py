"""Native executionReports against their slow twin: the same bytes in both units of time."""
import random
from pathlib import Path

import msgspec

from engine.core.codes import EventKind
from engine.core.unpack import Event, unpack_events
from engine.instruments import Catalog
from gateway.order_store import Order, OrderStore
from gateway.protocol import encode
from gateway.reports import ReportWriter
from gateway.user_events import UserStreams, _to_milliseconds
from tests.gateway.test_order_intake import ALICE, BOB, SYMBOLS, House


class Twins:
    """Hears of every change of both accounts' orders."""

    def __init__(self, folder: Path) -> None:
        self.house = House(folder)
        catalog = Catalog.of(self.house.core)
        self.streams, self.writer, self.catalog = UserStreams(), ReportWriter(catalog), catalog
        self.streams.attach(self.house.core, catalog)
        self.store = OrderStore(1000, (ALICE, BOB), self.changed)
        self.kinds: dict[tuple[int, bool], int] = {}
        self.left = 0

    def changed(self, order: Order, event: Event, is_maker: bool) -> None:
        written = self.writer.write(order, event, is_maker)
        if written is None:
            self.left += 1
            assert event.kind not in (EventKind.ACCEPTED, EventKind.TRADE)
            return
        slow = self.streams._report(order, event, is_maker, self.catalog.by_id[order.instrument])
        assert (written.exact, written.execution_id) == (encode(slow), slow.execution_id)
        _to_milliseconds(slow)
        assert written.usual() == encode(slow)
        msgspec.json.decode(written.exact)
        self.kinds[event.kind, is_maker] = self.kinds.get((event.kind, is_maker), 0) + 1

    def frame(self) -> None:
        self.store.apply(unpack_events(self._applied()))
        self.house.batch.clear()

    def _applied(self) -> bytes:
        core, batch = self.house.core, self.house.batch
        batch.stamp(core.seq + 1, 1_700_000_000_123_456_789 + core.seq * 1_234_567)
        return core.apply(batch)


def test_ordinary_changes_are_told_alike(tmp_path: Path):
    twins, choose = Twins(tmp_path), random.Random(11)
    batch = twins.house.batch
    batch.clear()
    for number in range(2000):
        account, instrument = choose.choice((ALICE, BOB)), choose.randrange(len(SYMBOLS)) + 1
        side, price, qty = choose.randrange(2), choose.randrange(95, 106), choose.randrange(1, 50)
        if choose.random() < 0.15:
            batch.cancel_all(account, instrument)
        elif choose.random() < 0.2:
            batch.place(account, instrument, side, 2, 1, 0, qty, 0, b"m-%d" % number)
        elif choose.random() < 0.1:
            batch.place(account, instrument, 0, 2, 1, 0, 0, 10**6, b"a-%d" % number)
        else:
            batch.place(account, instrument, side, 0, choose.choice((0, 0, 0, 1, 2)), price, qty, 0, b"n-%d" % number)
        twins.frame()
    trade, accepted = int(EventKind.TRADE), int(EventKind.ACCEPTED)
    assert min(twins.kinds[trade, True], twins.kinds[trade, False], twins.kinds[accepted, False]) > 300
    assert twins.left > 100
