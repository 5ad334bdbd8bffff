"""The drop copy: durable frames to everybody from anywhere, at the follower's own pace, with bounded memory."""
import asyncio
import socket
from pathlib import Path

import pytest

from engine.config import Config
from engine.dropcopy_wire import (
    GREETING_BYTES,
    HELLO_BYTES,
    Greeting,
    Status,
    decode_greeting,
    decode_hello,
    encode_hello,
)
from engine.frames import Frame, FrameSplitter
from engine.service import Engine
from tests.engine.stage import config_for, credits, frames_of, opened, run, send, setup
from tests.support.waiting import until


class Peer:
    """A bare connection to the drop copy, so that a test decides when it reads."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer, self.splitter, self.frames = reader, writer, FrameSplitter(), list[Frame]()

    @classmethod
    async def connect(cls, config: Config, hello: bytes) -> "Peer":
        peer = cls(*await asyncio.open_unix_connection(str(config.paths.dropcopy), limit=4096))
        peer.writer.write(hello)
        return peer

    async def greeting(self) -> Greeting:
        return decode_greeting(await self.reader.readexactly(GREETING_BYTES))

    async def read_until(self, seq: int) -> None:
        while not self.frames or self.frames[-1].end_seq <= seq:
            data = await self.reader.read(65536)
            assert data, "the connection ended"
            self.frames += self.splitter.feed(data)

    async def ended(self) -> bytes:
        rest = await self.reader.read()
        await self.close()
        return rest

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


async def fill(engine: Engine, frames: int) -> None:
    await send(engine, setup())
    for number in range(frames):
        await send(engine, credits(number % 8 + 1))


def test_the_words_of_the_wire():
    assert len(encode_hello(5)) == HELLO_BYTES and decode_hello(encode_hello(5)) == 5
    assert decode_hello(b"x" * HELLO_BYTES) == 0
    greeting = Greeting(Status.FULL, 2**64 - 1, 9)
    assert decode_greeting(greeting.encode()) == greeting and len(greeting.encode()) == GREETING_BYTES
    with pytest.raises(ValueError, match="no drop copy"):
        decode_greeting(b"x" * GREETING_BYTES)


def test_frames_come_from_the_files_then_live(tmp_path: Path):
    async def story() -> None:
        config = config_for(tmp_path)
        async with opened(config) as engine:
            await fill(engine, 40)
            peer = await Peer.connect(config, encode_hello(1))
            greeting = await peer.greeting()
            assert (greeting.status, greeting.next_seq) == (Status.WELCOME, engine.seq + 1) and greeting.journal_id
            await peer.read_until(engine.seq)
            await fill(engine, 40)
            await peer.read_until(engine.seq)
            assert peer.frames == frames_of(config.paths.journal)
            await peer.close()
    run(story())


def test_any_number_may_be_asked_for(tmp_path: Path):
    async def story() -> None:
        config = config_for(tmp_path)
        for _ in range(3):
            async with opened(config) as engine:
                await fill(engine, 12)
        async with opened(config) as engine:
            every = frames_of(config.paths.journal)
            for seq in range(1, engine.seq + 1):
                peer = await Peer.connect(config, encode_hello(seq))
                assert (await peer.greeting()).status is Status.WELCOME
                await peer.read_until(engine.seq)
                begin = next(number for number, frame in enumerate(every) if frame.end_seq > seq or (
                    not frame.count and frame.first_seq == seq))
                assert peer.frames[:len(every) - begin] == every[begin:]
                await peer.close()
    run(story())


def test_the_next_command_may_be_waited_for_but_not_a_later_one(tmp_path: Path):
    async def story() -> None:
        config = config_for(tmp_path)
        async with opened(config) as engine:
            await fill(engine, 1)
            early = await Peer.connect(config, encode_hello(engine.seq + 2))
            assert await early.greeting() == Greeting(Status.AHEAD, engine.dropcopy.writer.journal_id, 6)
            assert await early.ended() == b""
            peer = await Peer.connect(config, encode_hello(6))
            assert (await peer.greeting()).status is Status.WELCOME
            await send(engine, credits(1))
            await peer.read_until(6)
            assert [frame.first_seq for frame in peer.frames if frame.count] == [6]
            await peer.close()
    run(story())


@pytest.mark.parametrize("hello", [b"x" * HELLO_BYTES, encode_hello(0), encode_hello(1) + b"more"],
                         ids=["other words", "number 0", "too long"])
def test_a_bad_hello_is_answered_and_cut(hello: bytes, tmp_path: Path):
    async def story() -> None:
        config = config_for(tmp_path)
        async with opened(config) as engine:
            peer = await Peer.connect(config, hello)
            assert (await peer.greeting()).status is Status.BAD_HELLO
            assert await peer.ended() == b""
            await until(lambda: not engine.dropcopy.followers)
    run(story())


def test_who_says_nothing_is_cut(tmp_path: Path):
    async def story() -> None:
        config = config_for(tmp_path, limits={"follower_hello_seconds_max": 0.05})
        async with opened(config):
            peer = await Peer.connect(config, encode_hello(1)[:5])
            assert await peer.ended() == b""
    run(story())


def test_more_followers_than_allowed_are_sent_away(tmp_path: Path):
    async def story() -> None:
        config = config_for(tmp_path, limits={"followers_max": 2})
        async with opened(config) as engine:
            peers = [await Peer.connect(config, encode_hello(1)) for _ in range(2)]
            for peer in peers:
                assert (await peer.greeting()).status is Status.WELCOME
            third = await Peer.connect(config, b"")
            assert (await third.greeting()).status is Status.FULL
            await third.ended()
            await fill(engine, 1)
            for peer in peers:
                await peer.read_until(engine.seq)
                await peer.close()
            await until(lambda: not engine.dropcopy.followers)
            again = await Peer.connect(config, encode_hello(1))
            assert (await again.greeting()).status is Status.WELCOME
            await again.close()
    run(story())


def test_a_slow_follower_costs_no_memory_and_misses_nothing(tmp_path: Path):
    """It reads nothing while a megabyte is written; live followers beside it are not held."""
    buffer_max = 16 * 1024

    async def story() -> None:
        config = config_for(tmp_path, limits={"follower_buffer_bytes_max": buffer_max},
                            journal={"segment_bytes": 65536, "frame_commands_max": 64})
        async with opened(config) as engine:
            await send(engine, setup())
            slow, quick = [await Peer.connect(config, encode_hello(1)) for _ in range(2)]
            assert slow.writer.get_extra_info("socket").family == socket.AF_UNIX
            for peer in (slow, quick):
                await peer.greeting()
            await quick.read_until(4)
            most = 0
            for _ in range(128):
                engine.submit(credits(64), lambda *_: None)
                await asyncio.sleep(0.001)
                most = max(most, *(follower.buffered_bytes for follower in engine.dropcopy.followers))
                await quick.read_until(engine.durable_seq)
            await until(lambda: engine.seq == 4 + 128 * 64)
            assert 0 < most <= buffer_max
            for peer in (slow, quick):
                await peer.read_until(engine.seq)
                assert peer.frames == frames_of(config.paths.journal)
                peer.frames.clear()
            await send(engine, credits(1))
            for peer in (slow, quick):
                await peer.read_until(engine.seq)
                assert len(peer.frames) == 1
                await peer.close()
    run(story())


def test_a_follower_that_goes_away_while_it_catches_up_leaves_nothing(tmp_path: Path):
    async def story() -> None:
        config = config_for(tmp_path, limits={"follower_buffer_bytes_max": 2048},
                            journal={"segment_bytes": 65536, "frame_commands_max": 64})
        async with opened(config) as engine:
            for _ in range(80):
                await send(engine, credits(64))
            peer = await Peer.connect(config, encode_hello(1))
            await peer.greeting()
            peer.writer.transport.abort()
            await until(lambda: not engine.dropcopy.followers)
            assert (await send(engine, credits(1)))[0] == 80 * 64 + 1
    run(story())


def test_nothing_that_is_not_durable_is_sent(tmp_path: Path):
    """A frame that lies in the file but has not been reported durable stays there."""
    async def story() -> None:
        config = config_for(tmp_path)
        async with opened(config) as engine:
            await fill(engine, 3)
            segment = engine.dropcopy.writer.segment
            undurable = engine.dropcopy.writer.chain
            with segment.path.open("r+b") as file:
                file.seek(segment.end)
                file.write(type(undurable)(undurable.next_seq, 1, undurable.crc).encode(bytes(credits(1))))
            peer = await Peer.connect(config, encode_hello(1))
            await peer.greeting()
            await peer.read_until(engine.seq)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await peer.read_until(engine.seq + 1)
            await peer.close()
    run(story())
