"""What the ledger must hold, computed a second time from the journal alone: an own replica, from the first command.

Nothing of Postgres comes in here. Sums are taken modulo 2**64, because times and ids overflow quickly when added up; a
single altered value cannot leave its column's sum as it was.
"""
from pathlib import Path

import numpy as np

from engine.core.codes import EXTERNAL_ACCOUNT, FEE_ACCOUNT
from engine.core.exchange import Exchange
from workers.configuration import Row
from workers.ledger_batch import Collector
from workers.postings import ENTRY_ROW, TRADE_ROW, Rows, wallet_keys
from workers.replica import replay
from workers.wallet_mirror import WALLET_ROW, WalletMirror

MODULUS = 2**64
_EVENTS_AT_ONCE = 50_000
TRADE_COLUMNS = [name for name in TRADE_ROW.names or () if name != "instrument"]
ENTRY_COLUMNS = [name for name in ENTRY_ROW.names or () if name not in ("account", "asset")]


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
        sums = [np.add.reduceat(rows[name][order].view("u8"), starts).tolist() for name in self.columns]
        for group, count, *values in zip(groups.tolist(), counts.tolist(), *sums, strict=True):
            old = self.groups.get(group, [0] * (1 + len(self.columns)))
            self.groups[group] = [(a + b) % MODULUS for a, b in zip(old, (count, *values), strict=True)]


class Expected:
    """The ledger's content at a command: `core`, `wallets`, `configuration` (table, key) -> row, and column sums."""

    def __init__(self) -> None:
        self.core = Exchange()
        self.epoch = 0
        self.trades, self.entries = ColumnSums(TRADE_COLUMNS), ColumnSums(ENTRY_COLUMNS)
        self.configuration: dict[tuple[str, int | str], Row] = {
            ("account", EXTERNAL_ACCOUNT): (EXTERNAL_ACCOUNT, 0, "external"),
            ("account", FEE_ACCOUNT): (FEE_ACCOUNT, 0, "fees")}
        self._collector = Collector(self.core, WalletMirror(np.zeros(0, WALLET_ROW)))

    @property
    def wallets(self) -> Rows:
        """WALLET_ROWs in order of (account, asset)."""
        return self._collector.wallets.rows

    async def replay(self, journal: Path, to_seq: int) -> int:
        """Take in the journal up to to_seq; the seq reached. Raises LedgerMismatch, JournalError."""
        reached = await replay(journal, self.core, to_seq, self._apply)
        self._cut()
        return reached

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
        for table, row in batch.configuration:
            self.configuration[table, row[0]] = row
