"""What travels between the drop copy and a follower before the frames: one hello, one greeting. See JOURNAL.md.

After a greeting with status WELCOME the stream is frames, byte for byte as they stand in the journal; a follower may
say at any time, in a report, how far it is with what it makes of them.
"""
import struct
from enum import IntEnum

from msgspec import Struct

HELLO_MAGIC = b"BWFOLLOW"
GREETING_MAGIC = b"BWFRAMES"
REPORT_MAGIC = b"BWREPORT"
_HELLO = struct.Struct("<8sQ")
_GREETING = struct.Struct("<8sIIQQ")
_REPORT = struct.Struct("<8s8sQ")
HELLO_BYTES = _HELLO.size
GREETING_BYTES = _GREETING.size
REPORT_BYTES = _REPORT.size
VERSION = 1


class Status(IntEnum):
    """The drop copy's answer to a hello; all but WELCOME are followed by the end of the connection."""

    WELCOME = 0
    AHEAD = 1       # the follower has commands which this journal has not
    GONE = 2        # the journal begins later than that
    FULL = 3        # followers_max connections are open: try again later
    BAD_HELLO = 4


class Greeting(Struct, frozen=True):
    """status; journal_id never changes in a journal's life; next_seq is the first command not yet durable."""

    status: Status
    journal_id: int
    next_seq: int

    def encode(self) -> bytes:
        """32 bytes."""
        return _GREETING.pack(GREETING_MAGIC, VERSION, self.status, self.journal_id, self.next_seq)


def encode_hello(from_seq: int) -> bytes:
    """16 bytes: the first command the follower wants."""
    return _HELLO.pack(HELLO_MAGIC, from_seq)


def decode_hello(data: bytes) -> int:
    """from_seq; 0 when this is no hello."""
    magic, from_seq = _HELLO.unpack(data)
    return int(from_seq) if magic == HELLO_MAGIC else 0


def decode_greeting(data: bytes) -> Greeting:
    """Raises ValueError when the other side speaks something else."""
    magic, version, status, journal_id, next_seq = _GREETING.unpack(data)
    if magic != GREETING_MAGIC or version != VERSION:
        raise ValueError(f"no drop copy of version {VERSION}: {data[:12].hex()}")
    return Greeting(Status(status), journal_id, next_seq)


def encode_report(name: str, seq: int) -> bytes:
    """24 bytes: the follower of this name (at most 8 letters) has made durable what it makes of commands up to seq."""
    return _REPORT.pack(REPORT_MAGIC, name.encode("ascii"), seq)


def decode_report(data: bytes) -> tuple[str, int]:
    """name and seq; name "" when this is no report."""
    magic, name, seq = _REPORT.unpack(data)
    return (name.rstrip(b"\0").decode("ascii", "replace"), int(seq)) if magic == REPORT_MAGIC else ("", 0)
