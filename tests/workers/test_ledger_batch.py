"""Batches: what they contain, that it does not matter where they are cut, and what the audit refuses."""
import numpy as np
import pytest

from engine.core.batch import Batch as Commands
from engine.core.codes import EventKind
from engine.core.exchange import Exchange
from tests.support.flow import COIN, USD, Flow
from workers.ledger_batch import Batch, Collector, compare_all
from workers.ledger_errors import LedgerMismatch
from workers.postings import EntryKind
from workers.wallet_mirror import WALLET_ROW, WalletMirror


def collector() -> Collector:
    return Collector(Exchange(), WalletMirror(np.zeros(0, WALLET_ROW)))


def journal(seed: int, frames: int) -> list[bytes]:
    flow, next_seq, made = Flow(seed), 1, []
    for batch in (flow.setup(), *(flow.commands(50) for _ in range(frames))):
        batch.stamp(next_seq, 1000 * next_seq)
        next_seq += len(batch)
        made.append(bytes(batch))
    return made


def cut(ledger: Collector) -> Batch:
    batch = ledger.cut()
    ledger.committed(batch)
    return batch


def rows(batches: list[Batch], field: str) -> list[tuple[int, ...]]:
    return sorted(row for batch in batches for row in getattr(batch, field).tolist())


def test_where_batches_are_cut_does_not_matter():
    frames, whole, pieces = journal(3, 60), collector(), collector()
    small = []
    for number, commands in enumerate(frames, 1):
        whole.add(memoryview(commands), 1)
        pieces.add(memoryview(commands), 1)
        if number % 4 == 0:
            small.append(cut(pieces))
    small.append(cut(pieces))
    one = [cut(whole)]
    assert rows(one, "trades") == rows(small, "trades") and len(one[0].trades) > 500
    assert rows(one, "entries") == rows(small, "entries")
    assert whole.wallets.rows.tolist() == pieces.wallets.rows.tolist()
    assert [row for batch in one for row in batch.configuration] == [r for batch in small for r in batch.configuration]
    assert compare_all(whole.core, pieces.wallets.rows) == []
    assert [(batch.after_seq, batch.seq) for batch in small] == list(zip(
        [0, *(batch.seq for batch in small)][:-1], [batch.seq for batch in small], strict=True))


def test_a_batch_knows_its_span():
    ledger, (setup, orders) = collector(), journal(3, 1)
    ledger.add(memoryview(setup), 1)
    first = cut(ledger)
    ledger.add(memoryview(orders), 2)
    second = cut(ledger)
    assert (first.after_seq, first.epoch, first.oldest_ns, first.time_ns) == (0, 1, 1000, 1000)
    assert (second.after_seq, second.epoch, second.oldest_ns) == (first.seq, 2, 1000 * (first.seq + 1))
    assert second.seq == first.seq + 50
    assert len(first.changed_wallets) == 0 and len(second.new_wallets) < len(first.new_wallets)


def test_a_hold_alone_changes_the_wallet():
    ledger, (setup, *_) = collector(), journal(3, 0)
    ledger.add(memoryview(setup), 1)
    before = cut(ledger)
    order = Commands()
    order.place(2, 1, 0, 0, 0, 50, 10)
    order.stamp(before.seq + 1, 10**9)
    ledger.add(memoryview(bytes(order)), 1)
    batch = cut(ledger)
    assert len(batch.entries) == 0
    assert batch.changed_wallets[["account", "asset", "held"]].tolist() == [(2, USD, 1500)]


@pytest.mark.parametrize("asset", [USD, COIN])
def test_an_opening_balance_that_is_wrong_is_noticed(asset: int):
    ledger, frames = collector(), journal(3, 40)
    ledger.add(memoryview(frames[0]), 1)
    cut(ledger)
    touched = (ledger.wallets.rows["account"] == 1) & (ledger.wallets.rows["asset"] == asset)
    fees = np.array([(1, asset, 7, 0, 1, 1)], WALLET_ROW)
    assert not touched.any()
    ledger.wallets.store(fees)
    for commands in frames[1:]:
        ledger.add(memoryview(commands), 1)
    with pytest.raises(LedgerMismatch, match=f"account 1 asset {asset}: entries give"):
        ledger.cut()


def test_compare_all_names_every_kind_of_difference():
    ledger = collector()
    for commands in journal(3, 5):
        ledger.add(memoryview(commands), 1)
    cut(ledger)
    sound = ledger.wallets.rows.copy()
    assert compare_all(ledger.core, sound) == []
    for column in ("balance", "held"):
        wrong = sound.copy()
        wrong[column][5] += 1
        assert len(compare_all(ledger.core, wrong)) == 1
    assert len(compare_all(ledger.core, sound[1:])) == 1
    extra = np.concatenate([sound, np.array([(999, USD, 1, 0, 1, 1)], WALLET_ROW)])
    assert compare_all(ledger.core, extra) == [
        f"account 999 asset {USD}: core balance 0 held 0, ledger balance 1 held 0"]


def test_rebates_busts_and_auctions_balance():
    """A venue with all three; each batch is audited against the core as it is cut."""
    ledger, commands = collector(), Commands()
    commands.asset(USD, 2, "USD")
    commands.asset(COIN, 8, "COIN")
    commands.instrument(1, text="COINUSD", base_asset=COIN, quote_asset=USD, lot_value=1000, tick_value=3)
    for account in (2, 3):
        commands.account(account)
        commands.credit(account, COIN, 10**9)
        commands.credit(account, USD, 10**9)
    commands.credit(1, USD, 10**6)
    commands.fees(1, 0, maker_fee_ppm=-1000, taker_fee_ppm=3000)
    commands.place(2, 1, 1, 0, 0, 20, 500)
    commands.place(3, 1, 0, 0, 0, 20, 500)
    commands.auction(1, 0)
    commands.place(2, 1, 1, 0, 0, 10, 300)
    commands.place(3, 1, 0, 0, 0, 30, 200)
    commands.auction(1, 1)
    commands.stamp(1, 1000)
    events = bytes(Exchange().apply(commands))
    ledger.add(memoryview(bytes(commands)), 1)
    first = cut(ledger)
    assert first.trades["maker_fee"].tolist() == [-30, -12] and len(first.trades) == 2
    trade = next(events[at:at + 128] for at in range(0, len(events), 128) if events[at] == EventKind.TRADE)
    commands.clear()
    commands.bust(trade)
    commands.stamp(first.seq + 1, 2000)
    ledger.add(memoryview(bytes(commands)), 1)
    second = cut(ledger)
    assert set(second.entries["kind"].tolist()) == {EntryKind.BUST} and len(second.trades) == 0
    undone = {(row["account"], row["asset"]): -row["amount"] for row in second.entries[second.entries["account"] == 1]}
    assert undone == {(1, USD): -30, (1, COIN): 1500}
    assert compare_all(ledger.core, ledger.wallets.rows) == []
