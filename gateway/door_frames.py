"""How messages are cut out of the door's byte stream: a 4-byte little-endian length, then that many bytes of JSON.

Shared by door.py (server) and door_client.py, so that both sides agree. A length above the limit ends the connection:
the stream cannot be trusted after it.
"""
import struct

_LENGTH = struct.Struct("<I")
REQUESTS_PER_MESSAGE_MAX = 256             # a client sends more as several messages
REQUEST_MESSAGE_BYTES_MAX = 32 * 2**20     # 256 requests of the greatest HTTP body fit
REPLY_MESSAGE_BYTES_MAX = 2**30


class FrameTooLong(Exception):
    """The other side announced a message above the limit; close the connection."""


def frame(payload: bytes) -> bytes:
    """The payload with its length in front."""
    return _LENGTH.pack(len(payload)) + payload


class FrameReader:
    """Collects bytes and gives back complete messages. Holds at most one message and one read."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Messages completed by `data`. Raises FrameTooLong."""
        self._buffer += data
        messages: list[bytes] = []
        start, size = 0, len(self._buffer)
        while size - start >= 4:
            (length,) = _LENGTH.unpack_from(self._buffer, start)
            if length > self._bytes_max:
                raise FrameTooLong(f"a message of {length} bytes; at most {self._bytes_max} are allowed")
            if size - start - 4 < length:
                break
            messages.append(bytes(self._buffer[start + 4:start + 4 + length]))
            start += 4 + length
        del self._buffer[:start]
        return messages
