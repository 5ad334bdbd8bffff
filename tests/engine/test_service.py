"""The engine's door: durable before acknowledged, one order for all, the same state after a restart, loud failure."""
import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.core.batch import Batch
from engine.core.codes import EventKind
from engine.core.exchange import Exchange
from engine.core.unpack import Event, unpack_events
from engine.errors import BatchTooLarge, Busy, DataDirLocked, JournalError, Stopped, StorageFull
from engine.journal import read_frames
from engine.records import COMMAND
from engine.segments import list_files
from engine.service import Engine
from tests.engine.stage import TRADER, USD, config_for, credits, descriptor_of, opened, run, send, setup
from tests.support.waiting import until


def test_a_submitter_gets_its_own_events_and_the_number_of_its_first_command(tmp_path: Path):
    async def story() -> None:
        async with opened(config_for(tmp_path)) as engine:
            answers = await asyncio.gather(
                send(engine, setup()), send(engine, credits(3, 50)), send(engine, credits(1)))
            assert [first_seq for first_seq, _ in answers] == [1, 5, 8]
            assert [[event.seq for event in events] for _, events in answers] == [[1, 2, 3, 4], [5, 6, 7], [8]]
            assert {event.kind for event in answers[1][1]} == {EventKind.MONEY}
            assert engine.core.balance(TRADER, USD) == (151, 0)
            assert engine.seq == engine.durable_seq == 8 and engine.epoch == 1
    run(story())


def test_commands_with_many_events_are_shared_out_rightly(tmp_path: Path):
    """A sweep causes several events; the orders around it in the same frame keep theirs."""
    async def story() -> None:
        async with opened(config_for(tmp_path)) as engine:
            funds = credits(1, 10**9)
            funds.credit(3, 2, 10**12)
            account = Batch()
            account.account(3)
            for batch in (setup(), account, funds):
                await send(engine, batch)
            makers, taker, late = Batch(), Batch(), Batch()
            for price in (101, 102, 103):
                makers.place(3, 1, 1, 0, 0, price, 1)
            taker.place(TRADER, 1, 0, 0, 0, 110, 3)
            late.place(TRADER, 1, 0, 0, 0, 90, 1)
            answers = await asyncio.gather(*(send(engine, batch) for batch in (makers, taker, late)))
            assert [[event.kind for event in events] for _, events in answers] == [
                [EventKind.ACCEPTED] * 3, [EventKind.ACCEPTED, *[EventKind.TRADE] * 3], [EventKind.ACCEPTED]]
    run(story())


def test_the_file_holds_a_command_when_its_answer_comes(tmp_path: Path):
    async def story() -> None:
        config, checked = config_for(tmp_path), []

        def answered(first_seq: int, events: list) -> None:
            newest = list_files(config.paths.journal)[-1][1].read_bytes()
            checked.append(b"reference %d" % first_seq in newest)
        async with opened(config) as engine:
            await send(engine, setup())
            for number in range(5, 40):
                batch = Batch()
                batch.credit(TRADER, USD, 1, b"reference %d" % number)
                engine.submit(batch, answered)
            await until(lambda: len(checked) == 35)
        assert all(checked)
    run(story())


def test_answers_come_in_total_order_after_the_listeners(tmp_path: Path):
    async def story() -> None:
        heard: list[tuple[str, int]] = []
        async with opened(config_for(tmp_path)) as engine:
            engine.listen(lambda frame, events: heard.append(("frame", frame.end_seq - 1)))
            for number in range(60):
                engine.submit(credits(1 + number % 3), lambda seq, _: heard.append(("answer", seq)))
                if number % 7 == 0:
                    await asyncio.sleep(0.001)
            await until(lambda: len([what for what, _ in heard if what == "answer"]) == 60)
        applied = 0
        answers = []
        for what, seq in heard:
            if what == "frame":
                applied = seq
            else:
                assert seq <= applied
                answers.append(seq)
        assert answers == sorted(answers)
    run(story())


def test_one_failing_callback_stops_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    async def story() -> None:
        def broken(*_: object) -> None:
            raise ZeroDivisionError

        async with opened(config_for(tmp_path)) as engine:
            engine.listen(broken)
            engine.submit(setup(), broken)
            first_seq, events = await send(engine, credits(1))
            assert first_seq == 5 and len(events) == 1 and not engine.failed.done()
    run(story())
    assert "a listener failed at command 1" in caplog.text and "the callback of command 1 failed" in caplog.text


def test_a_submission_from_a_callback_is_taken(tmp_path: Path):
    async def story() -> None:
        async with opened(config_for(tmp_path)) as engine:
            left, done = [50], asyncio.get_running_loop().create_future()

            def again(first_seq: int, _: object) -> None:
                left[0] -= 1
                if left[0]:
                    engine.submit(credits(1), again)
                else:
                    done.set_result(first_seq)
            engine.submit(setup(), again)
            assert await done == 53
    run(story())


def test_a_restart_gives_the_same_state_and_the_next_numbers(tmp_path: Path):
    async def story() -> None:
        config, heard = config_for(tmp_path), []
        async with opened(config) as engine:
            await send(engine, setup())
            await asyncio.gather(*(send(engine, credits(3)) for _ in range(40)))
            state, seq, time_ns = engine.core.state_hash(), engine.seq, engine.core.time_ns
        async with opened(config, listener=lambda frame, events: heard.append((frame, events))) as engine:
            assert (engine.core.state_hash(), engine.seq, engine.epoch) == (state, seq, 2)
            assert engine.catalog.by_symbol["BTCUSD"].base == "BTC"
            ends = [frame.end_seq for frame, _ in heard]    # frames that follow each other may come as one
            assert [frame.first_seq for frame, _ in heard] == [1, *ends[:-1]] and ends[-1] == seq + 1
            assert sum(len(events) for _, events in heard) == seq
            first_seq, _ = await send(engine, credits(1))
            assert first_seq == seq + 1 and engine.core.time_ns > time_ns
            assert heard[-1][0].first_seq == first_seq and heard[-1][0].epoch == 2
        replica = Exchange()
        for frame in read_frames(config.paths.journal):
            replica.apply(frame.commands)
        assert replica.state_hash() == engine.core.state_hash()
    run(story())


def test_time_is_monotone_over_a_restart_with_an_older_clock(tmp_path: Path):
    async def story() -> None:
        config = config_for(tmp_path)
        for clock_ns in (10**18, 5, 10**18 + 7):
            async with opened(config, clock=lambda now=clock_ns: now) as engine:
                await send(engine, credits(2))
                await send(engine, credits(1))
        times = np.concatenate([np.frombuffer(frame.commands, COMMAND)["time_ns"] for frame in read_frames(
            config.paths.journal)])
        assert times.tolist() == [10**18 + step for step in (0, 0, 1, 2, 2, 3, 7, 7, 8)]
    run(story())


def test_the_catalog_follows_configuration(tmp_path: Path):
    async def story() -> None:
        async with opened(config_for(tmp_path)) as engine:
            assert engine.catalog.by_symbol == {}
            await send(engine, setup())
            assert engine.catalog.by_symbol["BTCUSD"].status == 0
            halt = Batch()
            halt.instrument(1, text=b"BTCUSD", base_asset=2, quote_asset=1, lot_value=10**6, tick_value=1, status=2)
            await send(engine, halt)
            assert engine.catalog.by_symbol["BTCUSD"].status == engine.catalog.by_id[1].status == 2
    run(story())


def test_too_much_waiting_work_is_refused_and_the_rest_is_done(tmp_path: Path):
    async def story() -> None:
        async with opened(config_for(tmp_path, limits={"requests_pending_max": 20})) as engine:
            answers: list[int] = []
            for _ in range(4):
                engine.submit(credits(5), lambda seq, _: answers.append(seq))
            with pytest.raises(Busy):
                engine.submit(credits(1), lambda *_: answers.append(-1))
            with pytest.raises(BatchTooLarge):
                engine.submit(credits(9), lambda *_: answers.append(-1))
            await until(lambda: len(answers) == 4)
            assert answers == [1, 6, 11, 16]
            assert (await send(engine, credits(1)))[0] == 21
    run(story())


def test_closing_answers_what_was_taken_and_takes_nothing_more(tmp_path: Path):
    async def story() -> None:
        engine, answers = await Engine.open(config_for(tmp_path)), []
        for _ in range(30):
            engine.submit(credits(8), lambda seq, _: answers.append(seq))
        closing = asyncio.create_task(engine.close())
        await asyncio.sleep(0)
        with pytest.raises(Stopped, match="closing"):
            engine.submit(credits(1), lambda *_: answers.append(-1))
        await closing
        await engine.close()
        assert answers == list(range(1, 241, 8))
        assert not engine.failed.done()
    run(story())


@pytest.mark.parametrize("device", ["/dev/full", "/dev/null"], ids=["write fails", "fdatasync fails"])
def test_after_a_write_error_nothing_is_acknowledged(device: str, tmp_path: Path):
    async def story() -> None:
        config = config_for(tmp_path)
        engine, answers = await Engine.open(config), []
        await send(engine, setup())
        fd = os.open(device, os.O_WRONLY)
        os.dup2(fd, descriptor_of(list_files(config.paths.journal)[-1][1]))
        os.close(fd)
        for _ in range(3):
            engine.submit(credits(8), lambda seq, _: answers.append(seq))
        with pytest.raises(JournalError, match="writing failed"):
            await engine.failed
        with pytest.raises(Stopped, match="failed"):
            engine.submit(credits(1), lambda seq, _: answers.append(seq))
        await asyncio.sleep(0.02)
        assert answers == [] and engine.durable_seq == engine.seq == 4
        await engine.close()
        async with opened(config) as engine:
            assert engine.seq == 4 and (await send(engine, credits(1)))[0] == 5
    run(story())


def unpack_first_badly() -> Callable[[memoryview], list[Event]]:
    """Fails once, as a broken invariant would, and would work again for the frame already under way."""
    tries = iter((True,))

    def unpack(buffer: memoryview) -> list[Event]:
        if next(tries, False):
            raise ZeroDivisionError
        return unpack_events(buffer)
    return unpack


def test_an_error_of_the_core_is_final(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async def story() -> None:
        async with opened(config_for(tmp_path)) as engine:
            answers: list[int] = []
            monkeypatch.setattr("engine.service.unpack_events", unpack_first_badly())
            engine.submit(setup(), lambda seq, _: answers.append(seq))
            await asyncio.sleep(0)
            engine.submit(credits(1), lambda seq, _: answers.append(seq))
            with pytest.raises(ZeroDivisionError):
                await engine.failed
            await asyncio.sleep(0.05)
            assert answers == []
    run(story())


def test_a_full_disk_refuses_new_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> Path:
        raise OSError(28, "No space left on device")

    async def story() -> None:
        async with opened(config_for(tmp_path)) as engine:
            monkeypatch.setattr("engine.spare.make_spare", full)
            answers: list[int] = []
            with pytest.raises(StorageFull, match="free space"):
                for _ in range(10_000):
                    engine.submit(credits(8), lambda seq, _: answers.append(seq))
                    await asyncio.sleep(0.001)
            assert answers and not engine.failed.done()
    run(story())


def test_a_second_engine_is_told_who_holds_the_directory(tmp_path: Path):
    async def story() -> None:
        config = config_for(tmp_path)
        async with opened(config) as engine:
            with pytest.raises(DataDirLocked, match=f"in use by process {os.getpid()}"):
                await Engine.open(config)
            await send(engine, setup())
        async with opened(config):
            pass
    run(story())


def test_a_second_process_is_told_too(tmp_path: Path):
    async def story() -> None:
        async with opened(config_for(tmp_path)):
            code = ("import asyncio, sys; from engine.config import load_config; from engine.service import Engine; "
                    "asyncio.run(Engine.open(load_config(data_dir=sys.argv[1])))")
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", code, str(tmp_path), stderr=subprocess.PIPE)
            _, errors = await process.communicate()
            assert process.returncode and f"in use by process {os.getpid()}".encode() in errors
    run(story())


def test_a_damaged_journal_stops_the_start_and_releases_the_directory(tmp_path: Path):
    async def story() -> None:
        config = config_for(tmp_path)
        async with opened(config) as engine:
            for _ in range(3):
                await send(engine, credits(2))
        path = list_files(config.paths.journal)[0][1]
        good = path.read_bytes()
        path.write_bytes(good[:200] + bytes([good[200] ^ 1]) + good[201:])
        for _ in range(2):
            with pytest.raises(JournalError, match="damage, not a torn write"):
                await Engine.open(config)
        path.write_bytes(good)
        async with opened(config) as engine:
            assert engine.seq == 6
    run(story())
