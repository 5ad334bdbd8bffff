"""How far the ledger has been proven, kept in the data directory, so that the next proof begins there.

It holds all that a replay needs to go on: the core's whole state, the ledger's wallets, and the last numbers of trades.
Written aside, synced, renamed; a checksum over all of it. A mark that is damaged, of another version, of another
database or of another journal is no mark: the proof begins at the first command. It is only advice, never the truth.
"""
import os
from pathlib import Path

import msgspec
import numpy as np
from google_crc32c import extend
from msgspec import Struct

from engine.core.exchange import Exchange
from engine.segments import list_files, read_segment, sync_directory
from workers.configuration import Row
from workers.postings import Rows
from workers.wallet_mirror import WALLET_ROW

_MAGIC = b"BWPROVEN"
_VERSION = 2
Database = tuple[int, int]      # Postgres' system identifier, and the number of the database in it


class Mark(Struct, frozen=True, kw_only=True, array_like=True):
    """Everything at command `seq`, at which every proof held."""

    version: int = _VERSION
    database: Database
    journal_id: int
    seq: int
    epoch: int
    time_ns: int
    state_hash: int
    fill_id: int                                # of the last trade
    trade_ids: dict[int, int]                   # instrument to the number of its last trade
    sections: list[tuple[int, int, int, bytes]]
    wallet_rows: bytes
    configuration: list[tuple[str, int | str, Row]]
    transfers: bytes = b""                      # Transfers.dump

    @property
    def wallets(self) -> Rows:
        """WALLET_ROWs in order of (account, asset)."""
        return np.frombuffer(self.wallet_rows, WALLET_ROW).copy()

    def core(self) -> Exchange:
        """The core as it was then. Raises ValueError when it is not that."""
        core = Exchange()
        core.load(self.sections)
        if (core.seq, core.state_hash()) != (self.seq, self.state_hash):
            raise ValueError(f"the state of command {self.seq} is not what it was")
        return core


_decode = msgspec.msgpack.Decoder(Mark).decode


def read_mark(path: Path, database: Database, journal: Path) -> Mark | None:
    """The mark in this file if it is sound and of this database and journal."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return mark_of(data, database, journal)


def mark_of(data: bytes, database: Database, journal: Path) -> Mark | None:
    """The mark in these bytes of such a file."""
    body = data[len(_MAGIC) + 4:]
    try:
        sound = data[:len(_MAGIC)] == _MAGIC and data[len(_MAGIC):len(_MAGIC) + 4] == _checksum(body)
        mark = _decode(body) if sound else None
    except msgspec.DecodeError:
        return None
    if mark is None or (mark.version, mark.database, mark.journal_id) != (_VERSION, database, journal_id(journal)):
        return None
    return mark


def write_mark(path: Path, mark: Mark) -> None:
    """Replace the file in one step. Raises OSError."""
    body = msgspec.msgpack.encode(mark)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(_MAGIC + _checksum(body) + body)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    sync_directory(path.parent)


def journal_id(journal: Path) -> int:
    """The random number of this journal; 0 when there is none. Raises JournalError."""
    files = list_files(journal)
    return read_segment(files[0][1], files[0][0]).header.journal_id if files else 0


def _checksum(body: bytes) -> bytes:
    crc: int = extend(0, body)
    return crc.to_bytes(4, "little")
