"""Gathers applied commands and closes them into a batch: everything one transaction writes, already audited.

The replica core computes balances one way, the entries add up another way. A batch in which the two differ for any
wallet, or in which an asset's amounts do not sum to 0, is never made: LedgerMismatch. Knows no Postgres and no clock.
"""
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.codes import EventKind, Side
from engine.core.exchange import Exchange
from engine.records import EVENT, INSTRUMENT_COMMAND, RECORD_BYTES, WALLET
from engine.transfers import Transfers
from workers.configuration import Row, configuration_rows, configures
from workers.ledger_errors import LedgerMismatch
from workers.open_orders import OpenOrders
from workers.postings import (
    Rows,
    asset_sums,
    bust_entries,
    money_entries,
    set_balances,
    sorted_entries,
    trade_entries,
    trade_rows,
    wallet_keys,
)
from workers.transfer_rows import take_events
from workers.wallet_mirror import WALLET_ROW, WalletMirror

DIFFERENCES_MAX = 5     # shown in an error; one would do, a few show the pattern


@dataclass(frozen=True)
class Batch:
    """The commands after_seq + 1 .. seq."""

    after_seq: int
    seq: int
    epoch: int
    time_ns: int            # of the last command
    oldest_ns: int          # of the first
    configuration: list[tuple[str, Row]]
    trades: Rows            # TRADE_ROW
    entries: Rows           # ENTRY_ROW in the order of entry's primary key
    new_wallets: Rows       # WALLET_ROW
    changed_wallets: Rows   # WALLET_ROW
    closed_orders: Rows     # ORDER_ROW in the order of closed_order's primary key
    transfers: list[tuple[Any, ...]]    # rows of transfer, new and changed


class Collector:
    """Applies commands to the replica and keeps what they caused until `cut`."""

    def __init__(self, core: Exchange, wallets: WalletMirror, orders: OpenOrders | None = None,
                 transfers: Transfers | None = None) -> None:
        """`orders`: those open in the core; `transfers`: those known. Not needed for one that has seen no command."""
        self.core, self.wallets, self.orders = core, wallets, orders or OpenOrders()
        self.transfers = transfers or Transfers()
        self._start()

    def _start(self) -> None:
        self._after_seq, self._oldest_ns, self._epoch = self.core.seq, 0, 0
        self._events: list[bytes] = []
        self._configuration: list[tuple[str, Row]] = []
        self.fills = self.events = 0

    def add(self, commands: memoryview, epoch: int) -> None:
        """Apply the next commands of the journal."""
        events = bytes(self.core.apply(commands))
        if self._oldest_ns == 0:
            self._oldest_ns = int.from_bytes(commands[24:32], "little")
        self._epoch = epoch
        self._events.append(events)
        self.events += len(events) // RECORD_BYTES
        self.fills += events[::RECORD_BYTES].count(EventKind.TRADE)
        if configures(commands):
            self._configuration += configuration_rows(commands, memoryview(events))

    def cut(self) -> Batch:
        """Everything since the last cut as one audited batch. The mirror must hold the batch before."""
        events = np.frombuffer(b"".join(self._events), EVENT)
        instruments = np.frombuffer(self.core.instruments(), INSTRUMENT_COMMAND)
        trades = trade_rows(events)
        entries = sorted_entries(
            trade_entries(trades, instruments), bust_entries(events, instruments), money_entries(events))
        after, known, changed = self._wallets_after(entries, _order_keys(events, instruments))
        batch = Batch(
            self._after_seq, self.core.seq, self._epoch, self.core.time_ns, self._oldest_ns, self._configuration,
            trades, entries, after[changed & ~known], after[changed & known], self.orders.advance(events),
            take_events(self.transfers, events))
        self._start()
        return batch

    def committed(self, batch: Batch) -> None:
        """The batch is in Postgres: its wallets are the next one's opening balances."""
        self.wallets.store(batch.new_wallets)
        self.wallets.store(batch.changed_wallets)

    def _wallets_after(
        self, entries: Rows, order_keys: NDArray[np.int64]
    ) -> tuple[Rows, NDArray[np.bool_], NDArray[np.bool_]]:
        """Rows of all wallets touched, which of them exist, which of them differ from before. Sets balance_after."""
        entry_keys, starts, counts = np.unique(wallet_keys(entries), return_index=True, return_counts=True)
        keys = np.union1d(entry_keys, order_keys)
        before, known = self.wallets.find(keys)
        after, posted = before.copy(), np.searchsorted(keys, entry_keys)
        set_balances(entries, starts, before["balance"][posted])
        if len(entries):
            last = entries[starts + counts - 1]
            after["balance"][posted], after["last_seq"][posted] = last["balance_after"], last["seq"]
            after["entries"][posted] += counts
        core = self._core_rows(after)
        _audit(entries, after, core, self.core.seq)
        after["held"] = core["held"]
        return after, known, after != before

    def _core_rows(self, wallets: Rows) -> Rows:
        """The same wallets as the replica has them now."""
        rows = np.zeros(len(wallets), WALLET)
        pairs = zip(wallets["account"].tolist(), wallets["asset"].tolist(), strict=True)
        amounts = np.array([self.core.balance(account, asset) for account, asset in pairs], "i8").reshape(-1, 2)
        rows["available"], rows["held"] = amounts[:, 0], amounts[:, 1]
        return rows


def _order_keys(events: Rows, instruments: Rows) -> NDArray[np.int64]:
    """The wallets whose held amount an order's coming, going or shrinking may have changed."""
    orders = events[np.isin(events["kind"], (EventKind.ACCEPTED, EventKind.CANCELED, EventKind.REDUCED))]
    terms = instruments[np.searchsorted(instruments["instrument"], orders["instrument"])]
    paid = np.where(orders["side"] == Side.BUY, terms["quote_asset"], terms["base_asset"])
    keys: NDArray[np.int64] = np.unique(orders["account"].astype("i8") << 32 | paid.astype("i8"))
    return keys


def _audit(entries: Rows, after: Rows, core: Rows, seq: int) -> None:
    sums = {asset: total for asset, total in asset_sums(entries).items() if total}
    if sums:
        raise LedgerMismatch(f"up to command {seq}: the entries of an asset do not sum to 0: {sums}")
    totals = core["available"] + core["held"]
    wrong = np.flatnonzero(totals != after["balance"])[:DIFFERENCES_MAX]
    if len(wrong):
        shown = "; ".join(
            f"account {row['account']} asset {row['asset']}: entries give {row['balance']}, the core has {total}"
            for row, total in zip(after[wrong], totals[wrong], strict=True))
        raise LedgerMismatch(f"up to command {seq}: {shown}")


def compare_all(core: Exchange, wallets: Rows) -> list[str]:
    """The first differences between every wallet of the core and these WALLET_ROWs; missing ones count as empty."""
    ours = np.frombuffer(core.wallets(), WALLET)
    keys = np.union1d(wallet_keys(ours), wallet_keys(wallets))
    theirs, _ = WalletMirror(wallets).find(keys)
    own = np.zeros(len(ours), WALLET_ROW)
    own["account"], own["asset"] = ours["account"], ours["asset"]
    own["balance"], own["held"] = ours["available"] + ours["held"], ours["held"]
    mine, _ = WalletMirror(own).find(keys)
    wrong = (mine["balance"] != theirs["balance"]) | (mine["held"] != theirs["held"])
    return [
        f"account {a['account']} asset {a['asset']}: core balance {a['balance']} held {a['held']}, "
        f"ledger balance {b['balance']} held {b['held']}"
        for a, b in zip(mine[wrong][:DIFFERENCES_MAX], theirs[wrong][:DIFFERENCES_MAX], strict=True)]
