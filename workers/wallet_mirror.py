"""The wallet table as the last committed batch left it, in memory: one array sorted by key, looked up without a loop.

Batches read opening balances here instead of asking Postgres. It is filled from Postgres once, and changes only after a
commit is known. Lookup O(m log n) for m wallets, new wallets O(n) a batch; 56 bytes per wallet.
"""
import numpy as np
from numpy.typing import NDArray

from workers.postings import Rows, wallet_keys

WALLET_ROW = np.dtype([
    ("account", "i8"), ("asset", "i8"), ("balance", "i8"), ("held", "i8"), ("entries", "i8"), ("last_seq", "i8")])


class WalletMirror:
    """`rows` are WALLET_ROWs, each (account, asset) once, in any order."""

    def __init__(self, rows: Rows) -> None:
        keys = wallet_keys(rows)
        order = np.argsort(keys)
        self._keys, self.rows = keys[order], rows[order]

    def find(self, keys: NDArray[np.int64]) -> tuple[Rows, NDArray[np.bool_]]:
        """Copies of the rows of these sorted keys, and which of them exist; the others are zero but for their key."""
        places = np.searchsorted(self._keys, keys)
        known = np.zeros(len(keys), bool)
        inside = places < len(self._keys)
        known[inside] = self._keys[places[inside]] == keys[inside]
        rows = np.zeros(len(keys), WALLET_ROW)
        rows["account"], rows["asset"] = keys >> 32, keys & 0xFFFFFFFF
        rows[known] = self.rows[places[known]]
        return rows, known

    def store(self, rows: Rows) -> None:
        """Take over rows with sorted keys, known ones and new ones."""
        keys = wallet_keys(rows)
        _, known = self.find(keys)
        self.rows[np.searchsorted(self._keys, keys[known])] = rows[known]
        if not known.all():
            places = np.searchsorted(self._keys, keys[~known])
            self._keys = np.insert(self._keys, places, keys[~known])
            self.rows = np.insert(self.rows, places, rows[~known])
