"""What the ledger must hold, computed a second time from the journal alone: an own replica of the core.

Nothing of Postgres comes in here. Sums are taken modulo 2**64, because times and ids overflow quickly when added up; a
single altered value cannot leave its column's sum as it was. They count what was written after the command at which the
replica began: the first one, or the mark of an earlier proof.
"""
from pathlib import Path

import numpy as np

from engine.core.codes import EXTERNAL_ACCOUNT, FEE_ACCOUNT
from engine.core.exchange import Exchange
from engine.transfers import Transfers
from workers.configuration import Row
from workers.ledger_batch import Batch, Collector
from workers.open_orders import ORDER_ROW, TERMS, open_orders
from workers.postings import ENTRY_ROW, TRADE_ROW, Rows, wallet_keys
from workers.reconcile_mark import Database, Mark, journal_id
from workers.replica import replay
from workers.wallet_mirror import WALLET_ROW, WalletMirror

MODULUS = 2**64
_EVENTS_AT_ONCE = 50_000
TRADE_COLUMNS = [name for name in TRADE_ROW.names or () if name != "instrument"]
ENTRY_COLUMNS = [name for name in ENTRY_ROW.names or () if name not in ("account", "asset")]
ORDER_COLUMNS = [name for name in ORDER_ROW.names or () if name not in (
    "instrument", "client_id", "stp")]     # stp: of one that rested, only who saw it come knows it


class ColumnSums:
    """Per group (an instrument, a wallet) the number of rows and the sum of each column modulo 2**64."""

    def __init__(self, columns: list[str]) -> None:
        self.columns = columns
        self.groups: dict[int, list[int]] = {}

    def add(self, keys: np.ndarray, rows: Rows) -> None:
        """Count these rows in, each under its key."""
        if len(rows) == 0:
            return
        order = np.argsort(keys, kind="stable")
        groups, starts, counts = np.unique(keys[order], return_index=True, return_counts=True)
        sums = [np.add.reduceat(rows[name][order].astype("i8").view("u8"), starts).tolist() for name in self.columns]
        for group, count, *values in zip(groups.tolist(), counts.tolist(), *sums, strict=True):
            old = self.groups.get(group, [0] * (1 + len(self.columns)))
            self.groups[group] = [(a + b) % MODULUS for a, b in zip(old, (count, *values), strict=True)]


class Expected:
    """The ledger's content at a command: `core`, `wallets`, `configuration` (table, key) -> row, and column sums.

    after_seq: the sums count from the command behind it. Raises ValueError for a mark whose state cannot be loaded.
    """

    def __init__(self, mark: Mark | None = None) -> None:
        self.mark = mark
        self.orders_after = 0       # orders that ended up to here are not counted
        self.terms_after = 0        # those that ended up to here have no TERMS
        self.after_seq, self.epoch, self.fill_id = (mark.seq, mark.epoch, mark.fill_id) if mark else (0, 0, 0)
        self.core = mark.core() if mark else Exchange()
        self.trades, self.entries = ColumnSums(TRADE_COLUMNS), ColumnSums(ENTRY_COLUMNS)
        self.closed_orders = ColumnSums(ORDER_COLUMNS)
        self.trade_ids = dict(mark.trade_ids) if mark else {}
        self.configuration: dict[tuple[str, int | str], Row] = {
            ("account", EXTERNAL_ACCOUNT): (EXTERNAL_ACCOUNT, 0, "external"),
            ("account", FEE_ACCOUNT): (FEE_ACCOUNT, 0, "fees")}
        if mark:
            self.configuration = {(table, key): row for table, key, row in mark.configuration}
        wallets = mark.wallets if mark else np.zeros(0, WALLET_ROW)
        self._collector = Collector(self.core, WalletMirror(wallets), open_orders(self.core) if mark else None)
        if mark and mark.transfers:
            self.transfers.load(mark.transfers)

    @property
    def transfers(self) -> Transfers:
        """Those begun, with their state."""
        return self._collector.transfers

    @property
    def wallets(self) -> Rows:
        """WALLET_ROWs in order of (account, asset)."""
        return self._collector.wallets.rows

    async def replay(self, journal: Path, to_seq: int) -> int:
        """Take in the journal up to to_seq; the seq reached. Raises LedgerMismatch, JournalError."""
        reached = await replay(journal, self.core, to_seq, self._apply)
        self._cut()
        return reached

    def new_mark(self, database: Database, journal: Path) -> Mark:
        """Where it stands now, to be kept once everything is proven."""
        return Mark(
            database=database, journal_id=journal_id(journal), seq=self.core.seq, epoch=self.epoch,
            time_ns=self.core.time_ns, state_hash=self.core.state_hash(), fill_id=self.fill_id,
            trade_ids=self.trade_ids, sections=self.core.dump(), wallet_rows=self.wallets.tobytes(),
            configuration=[(table, key, row) for (table, key), row in self.configuration.items()],
            transfers=self.transfers.dump())

    def _apply(self, commands: memoryview, epoch: int) -> None:
        self._collector.add(commands, epoch)
        self.epoch = epoch
        if self._collector.events >= _EVENTS_AT_ONCE:
            self._cut()

    def _cut(self) -> None:
        batch = self._collector.cut()
        self._collector.committed(batch)
        self.trades.add(batch.trades["instrument"], batch.trades)
        self.entries.add(wallet_keys(batch.entries), batch.entries)
        orders = batch.closed_orders[batch.closed_orders["seq"] > self.orders_after]
        for name in TERMS:
            orders[name][orders["seq"] <= self.terms_after] = 0
        self.closed_orders.add(orders["instrument"], orders)
        self._number(batch)
        for table, row in batch.configuration:
            self.configuration[table, row[0]] = row

    def _number(self, batch: Batch) -> None:
        """Remember the last numbers of trades."""
        for instrument in np.unique(batch.trades["instrument"]).tolist():
            of_one = batch.trades[batch.trades["instrument"] == instrument]
            self.trade_ids[instrument] = int(of_one["trade_id"].max())
            self.fill_id = max(self.fill_id, int(of_one["fill_id"].max()))
