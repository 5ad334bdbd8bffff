"""A follower hears every command once and in order, over restarts, and stops when the journal is not its own."""
import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import uvloop

from engine.config import Config
from engine.core.batch import Batch
from engine.core.exchange import Exchange
from engine.dropcopy_wire import GREETING_BYTES, Greeting, Status
from engine.errors import JournalError
from engine.follower import follow
from engine.frames import Chain, Frame
from engine.segments import list_files
from tests.engine.stage import config_for, credits, opened, run, send, setup, stamped
from tests.support.waiting import until


@asynccontextmanager
async def following(config: Config, from_seq: int = 1) -> AsyncIterator[list[Frame]]:
    """The frames heard so far; an error of the follower comes out at the end."""
    heard: list[Frame] = []

    async def hear() -> None:
        async for frame in follow(config.paths.dropcopy, from_seq):
            heard.append(frame)  # noqa: PERF401 - the test looks at the list while it grows
    task = asyncio.create_task(hear())
    try:
        yield heard
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def reached(heard: list[Frame], seq: int) -> Callable[[], bool]:
    return lambda: bool(heard) and heard[-1].end_seq > seq


def contiguous(heard: list[Frame], from_seq: int = 1) -> bool:
    firsts, ends = [frame.first_seq for frame in heard], [frame.end_seq for frame in heard]
    return firsts == [from_seq, *ends[:-1]] and all(frame.count for frame in heard)


@pytest.mark.parametrize("runner", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_a_replica_keeps_up_over_restarts_of_the_engine(runner: Callable, tmp_path: Path):
    async def story() -> None:
        config, replica = config_for(tmp_path), Exchange()
        async with following(config) as heard:
            for number in range(4):
                async with opened(config) as engine:
                    await send(engine, setup())
                    for count in range(1, 9):
                        await send(engine, credits(count))
                    if number % 2:
                        await until(reached(heard, engine.seq))
                async with opened(config):
                    pass
            async with opened(config) as engine:
                await until(reached(heard, engine.seq))
                assert contiguous(heard) and heard[-1].epoch == 7
                for frame in heard:
                    replica.apply(frame.commands)
                assert replica.state_hash() == engine.core.state_hash()
                await send(engine, credits(1))
                await until(reached(heard, engine.seq))
                assert heard[-1].epoch == 9
    runner(story())


def test_it_may_begin_in_the_middle_of_a_frame(tmp_path: Path):
    async def story() -> None:
        config = config_for(tmp_path)
        async with opened(config) as engine:
            for _ in range(3):
                await send(engine, credits(8))
            async with following(config, 13) as heard:
                await until(reached(heard, 24))
                assert contiguous(heard, 13) and [frame.count for frame in heard] == [4, 8]
    run(story())


def test_it_waits_for_an_engine_that_is_not_there_yet(tmp_path: Path):
    async def story() -> None:
        config = config_for(tmp_path)
        async with following(config) as heard:
            await asyncio.sleep(0.1)
            async with opened(config) as engine:
                await send(engine, credits(2))
                await until(reached(heard, 2))
    run(story())


async def heard_error(config: Config, from_seq: int = 1, heard: list[Frame] | None = None) -> JournalError:
    """What it stops with; `heard` grows by the frames before that."""
    with pytest.raises(JournalError) as caught:
        async for frame in follow(config.paths.dropcopy, from_seq):
            if heard is not None:
                heard.append(frame)
    return caught.value


def test_a_follower_ahead_of_the_journal_stops(tmp_path: Path):
    async def story() -> None:
        config = config_for(tmp_path)
        async with opened(config) as engine:
            await send(engine, credits(4))
            error = await heard_error(config, 6)
            assert "ends at command 4, this follower has seen 5" in str(error) and "restore" in str(error)
    run(story())


def test_a_journal_that_lost_its_end_stops_a_follower_that_saw_it(tmp_path: Path):
    async def story() -> None:
        config = config_for(tmp_path)
        async with following(config) as heard, opened(config) as engine:
            for _ in range(3):
                await send(engine, credits(1))
            await until(reached(heard, 3))
        path = list_files(config.paths.journal)[0][1]
        with path.open("r+b") as file:
            file.truncate(64 + 32 + 160 * 2)
        async with opened(config) as engine:
            assert engine.seq == 2
            assert "ends at command 2" in str(await heard_error(config, heard[-1].end_seq))
    run(story())


async def write_elsewhere(config: Config, *batches: Batch) -> None:
    """More commands for this journal, by an engine that no follower of ours can reach."""
    away = config_for(Path(config.data_dir) / "elsewhere")
    if config.paths.journal.exists():
        shutil.copytree(config.paths.journal, away.paths.journal)
        shutil.rmtree(config.paths.journal)
    async with opened(away) as engine:
        for batch in batches:
            await send(engine, batch)
    shutil.move(away.paths.journal, config.paths.journal)


async def swapped(config: Config, make: Callable[[], None]) -> str:
    """What a follower says when the journal is exchanged for a longer one while the engine is away."""
    heard: list[Frame] = []
    task = asyncio.create_task(heard_error(config, heard=heard))
    async with opened(config) as engine:
        await send(engine, credits(2))
        await send(engine, credits(1))
        await until(reached(heard, 3))
    make()
    await write_elsewhere(config, *(credits(2, amount=77) for _ in range(5)))
    async with opened(config):
        return str(await task)


def test_another_journal_at_the_same_place_is_noticed(tmp_path: Path):
    config = config_for(tmp_path)
    assert "another journal: its id" in run(swapped(config, lambda: shutil.rmtree(config.paths.journal)))


def test_a_journal_put_back_from_an_old_copy_and_written_anew_is_noticed(tmp_path: Path):
    """The same id, the same numbers, but not the frames that were heard."""
    config = config_for(tmp_path)

    def back() -> None:
        path = list_files(config.paths.journal)[0][1]
        with path.open("r+b") as file:
            file.seek(64 + 32)
            file.write(bytes(1000))

    async def story() -> str:
        heard: list[Frame] = []
        task = asyncio.create_task(heard_error(config, heard=heard))
        async with opened(config) as engine:
            await send(engine, credits(2))
            await until(reached(heard, 2))
        back()
        await write_elsewhere(config, credits(2, amount=77), credits(1))
        async with opened(config):
            return str(await task)
    said = run(story())     # by when it comes back: there are other frames, or not even as many yet
    assert "do not continue those seen before" in said or "has lost its end" in said


class Impostor:
    """A drop copy that says what it is told to."""

    def __init__(self, path: Path, *answers: bytes) -> None:
        self.path, self.answers = path, list(answers)

    async def __aenter__(self) -> "Impostor":
        self.path.parent.mkdir(parents=True)
        self.server = await asyncio.start_unix_server(self._serve, str(self.path))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        await self.server.wait_closed()

    async def _serve(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self.answers.pop(0) if self.answers else b"")
        writer.close()


WELCOME = Greeting(Status.WELCOME, 1, 9).encode()


def sound(first_seq: int, count: int, crc: int = 0) -> bytes:
    return Chain(first_seq, 1, crc).encode(stamped(first_seq, count))


@pytest.mark.parametrize(("answer", "words"), [
    (b"HTTP/1.1 400 Bad Request".ljust(GREETING_BYTES), "no drop copy"),
    (Greeting(Status.GONE, 1, 9).encode(), "GONE"),
    (Greeting(Status.BAD_HELLO, 1, 9).encode(), "BAD_HELLO"),
    (WELCOME + sound(1, 2)[:-1] + b"x", "command 1 is unsound: checksum"),
    (WELCOME + sound(1, 2) + sound(3, 1), "command 3 is unsound: previous checksum"),
    (WELCOME + sound(1, 2) + b"garbage" * 10, "magic"),
    (WELCOME + sound(4, 2), "first_seq"),
], ids=["another protocol", "gone", "bad hello", "flipped bit", "broken chain", "garbage", "gap at the beginning"])
def test_what_cannot_be_right_stops_it(answer: bytes, words: str, tmp_path: Path):
    async def story() -> None:
        config = config_for(tmp_path)
        async with Impostor(config.paths.dropcopy, answer):
            assert words in str(await heard_error(config))
    run(story())


def test_a_connection_cut_anywhere_is_made_again(tmp_path: Path):
    stream = WELCOME + sound(1, 2)
    full = Greeting(Status.FULL, 1, 9).encode()
    cuts = [stream[:size] for size in (0, 5, 32, 40, 64, 200)]

    async def story() -> None:
        config = config_for(tmp_path)
        async with Impostor(config.paths.dropcopy, full, *cuts, stream), following(config) as heard:
            await until(lambda: bool(heard))
            assert (heard[0].first_seq, heard[0].count) == (1, 2)
    run(story())
