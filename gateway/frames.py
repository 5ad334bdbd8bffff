"""Bytes of the WebSocket frames that we build ourselves: text messages and the empty ping.

Server frames are unmasked and never fragmented. Everything that comes in is read by the websockets library.
"""
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
