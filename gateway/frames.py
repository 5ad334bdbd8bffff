"""Bytes of the WebSocket frames that we build: text messages and control frames. frame_codec reads those of clients.

Server frames are unmasked and never fragmented.
"""
CONTROL_BYTES_MAX = 125
NO_STATUS = 1005   # stands for a close frame without a code; never sent
PING = b"\x89\x00"
_SHORT = [bytes((0x81, length)) for length in range(126)]


def text_frame(payload: bytes) -> bytes:
    """One complete text message. The payload must be UTF-8; build it once and send it to many."""
    length = len(payload)
    if length < 126:
        return _SHORT[length] + payload
    if length < 65536:
        return b"\x81\x7e" + length.to_bytes(2, "big") + payload
    return b"\x81\x7f" + length.to_bytes(8, "big") + payload


def pong_frame(payload: bytes) -> bytes:
    """The answer to a ping with this payload, of at most 125 bytes."""
    return bytes((0x8A, len(payload))) + payload


def close_frame(code: int, reason: bytes = b"") -> bytes:
    """A close frame; the reason is cut to what fits, between characters. NO_STATUS gives an empty one."""
    if code == NO_STATUS:
        return b"\x88\x00"
    payload = code.to_bytes(2, "big") + reason[:CONTROL_BYTES_MAX - 2].decode(errors="ignore").encode()
    return bytes((0x88, len(payload))) + payload
