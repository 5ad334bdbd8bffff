"""The native frame reader against a slow twin: the websockets library's frame parser with our policy on top of it."""
import logging
import os
import random
import time

import pytest
from websockets.frames import CloseCode, Opcode
from websockets.protocol import SERVER, Protocol

from gateway.frame_codec import CLOSE, FAILURE, PING, PONG, FrameReader
from tests.gateway import raw_websocket
from tests.gateway.raw_websocket import BINARY, CONT, TEXT, frame

MOST = 300
_quiet = logging.getLogger("quiet")
_quiet.setLevel(logging.CRITICAL)
Found = list[bytes | tuple[int, int]]


class Twin:
    """What a FrameReader should give, control frames as (kind, code)."""

    def __init__(self) -> None:
        self.protocol = Protocol(SERVER, max_size=MOST, logger=_quiet)
        self.found: Found = []
        self.partial = b""
        self.ended = False

    def feed(self, data: bytes) -> None:
        self.protocol.receive_data(data)
        for event in self.protocol.events_received():
            if not self.ended:
                self._frame(event)
        if not self.ended and self.protocol.close_sent is not None:
            self._failed(self.protocol.close_sent)

    def _failed(self, sent) -> None:
        """The library does not like a close between the parts of a message; RFC 6455, 5.4 allows it."""
        if sent.reason == "incomplete fragmented message":
            self._end(CLOSE, self.protocol.close_rcvd.code)
        else:
            self._end(FAILURE, sent.code)

    def _frame(self, event) -> None:
        if event.opcode is Opcode.BINARY:
            self._end(FAILURE, CloseCode.UNSUPPORTED_DATA)
        elif event.opcode in (Opcode.TEXT, Opcode.CONT):
            self.partial += event.data
            if event.fin:
                self._message(self.partial)
                self.partial = b""
        elif event.opcode is Opcode.CLOSE:
            self._end(CLOSE, int.from_bytes(event.data[:2], "big") or 1005)
        else:
            self.found.append((PING if event.opcode is Opcode.PING else PONG, 0))

    def _message(self, data: bytes) -> None:
        try:
            data.decode()
            self.found.append(data)
        except UnicodeDecodeError:
            self._end(FAILURE, CloseCode.INVALID_DATA)

    def _end(self, kind: int, code: int) -> None:
        self.found.append((kind, code))
        self.ended = True


def read(pieces: list[bytes]) -> Found:
    reader = FrameReader(MOST)
    return [item if isinstance(item, bytes) else item[:2] for piece in pieces for item in reader.feed(piece)]


def expected(pieces: list[bytes]) -> Found:
    twin = Twin()
    for piece in pieces:
        if not twin.ended:
            twin.feed(piece)
    return twin.found


def some_frame(choose: random.Random) -> bytes:
    opcode = choose.choice((TEXT, TEXT, TEXT, TEXT, CONT, CONT, raw_websocket.PING, raw_websocket.PONG,
                            raw_websocket.CLOSE, BINARY, 3, 15))
    payload = choose.choice((b"x" * choose.choice((0, 1, 7, 8, 9, 124, 125, 126, 127, 299, 300, 301)),
                             "кириллица €".encode(), b"\xff", b"\xed\xa0\x80", (1000).to_bytes(2, "big") + b"bye",
                             choose.randbytes(choose.randint(0, 20)), choose.randint(900, 5100).to_bytes(2, "big")))
    claimed = choose.choice((None,) * 30 + (0, 300, 301, 65536, 2**62, 2**63))
    return frame(opcode, payload, fin=choose.random() < 0.8, rsv=choose.choice((0,) * 30 + (1, 2, 4)),
                 masked=choose.random() < 0.97, claimed=claimed)


def cut(choose: random.Random, data: bytes) -> list[bytes]:
    marks = sorted(choose.randint(0, len(data)) for _ in range(choose.choice((0, 0, 1, 3))))
    return [data[begin:end] for begin, end in zip([0, *marks], [*marks, len(data)], strict=True)]


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_the_twin_on_mutated_streams(seed):
    """Behind each stream come zeros, a frame that nobody may send, so that both come to an end."""
    choose = random.Random(seed)
    ends = set()
    for _ in range(4000):
        data = bytearray(b"".join(some_frame(choose) for _ in range(choose.randint(1, 6))))
        for _ in range(choose.choice((0, 0, 0, 1, 3))):
            data[choose.randrange(len(data))] = choose.randrange(256)
        pieces = [*cut(choose, bytes(data)), bytes(MOST + 20)]
        found = read(pieces)
        assert found == expected(pieces), (seed, bytes(data))
        ends.add(found[-1][1])
    assert {1000, 1002, 1003, 1005, 1007, 1009} <= ends


def test_any_bytes_in_any_pieces():
    """Never a crash, never more held than a message and its header; the cut does not change what is read."""
    choose = random.Random(99)
    for _ in range(60_000):
        data = choose.randbytes(choose.randint(0, 40))
        if choose.random() < 0.7:
            data = frame(TEXT, b"{}") + bytes((0x81, 0x80 | choose.randint(0, 127))) + data
        assert read(cut(choose, data)) == read([data])


def test_a_message_that_comes_byte_by_byte():
    payload = os.urandom(100).hex().encode()
    assert read([bytes((byte,)) for byte in frame(TEXT, payload) + frame(raw_websocket.PING, b"p")]) == [
        payload, (PING, 0)]


def test_control_frames_carry_their_payload():
    reader = FrameReader(MOST)
    data = frame(raw_websocket.PING, b"a") + frame(raw_websocket.PONG, b"b") + frame(
        raw_websocket.CLOSE, (4000).to_bytes(2, "big") + "é".encode())
    assert reader.feed(data + frame(TEXT, b"never seen")) == [
        (PING, 0, b"a"), (PONG, 0, b"b"), (CLOSE, 4000, "é".encode())]
    assert reader.feed(frame(TEXT, b"x")) == []


def test_a_close_between_the_parts_of_a_message_is_a_close():
    goodbye = frame(raw_websocket.CLOSE, (1000).to_bytes(2, "big"))
    assert read([frame(TEXT, b"begun", fin=False) + goodbye + frame(CONT, b"ended")]) == [(CLOSE, 1000)]


def test_many_frames_of_one_read_cost_little():
    data = frame(TEXT, b"x" * 300) * 50_000
    reader = FrameReader(MOST)
    started = time.perf_counter()
    assert len(reader.feed(data)) == 50_000
    assert time.perf_counter() - started < 2
