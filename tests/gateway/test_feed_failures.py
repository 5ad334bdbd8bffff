"""What clients see when Redis, the worker, a message or a reader fails: nobody is left with a book that has a hole."""
import asyncio
import signal

import pytest
import redis.asyncio
import uvloop

from engine.config import load_config
from engine.market_channels import Kind
from gateway import feed_sequence
from gateway.feed import serve
from tests.gateway.feed_kit import Client, FeedKit, run_feed, url_of
from tests.support.redis import RedisServer
from tests.support.waiting import SECONDS_MAX, until
from workers.redis_publisher import RedisPublisher

TICKER = (Kind.BOOK_TICKER, {"u": 7})
FIVE = (Kind.PARTIAL_5, {"lastUpdateId": 3, "bids": [], "asks": []})


def trade(number: int) -> tuple[Kind, dict[str, object]]:
    return Kind.TRADE, {"e": "trade", "t": number}


def diff(first: int, last: int) -> tuple[Kind, dict[str, object]]:
    return Kind.DEPTH_100, {"e": "depthUpdate", "U": first, "u": last}


async def lose_and_go_on(kit: FeedKit, lose, symbol: str = "BTCUSDT") -> None:
    """A diff listener and a trade listener; after `lose` the first is closed with 1013, the second goes on."""
    name = symbol.lower()
    async with kit.client(f"/ws/{name}@depth@100ms/{name}@trade") as book, kit.client(f"/ws/{name}@trade") as tape:
        losing, lasting = Client(book), Client(tape)
        kit.say(symbol, diff(1, 4), trade(1))
        assert [await losing.read(), await losing.read()] == [diff(1, 4)[1], trade(1)[1]]
        assert await lasting.read() == trade(1)[1]
        await lose()
        assert await losing.close_code() == 1013
        await until(lambda: kit.publisher.connected)
        await kit.linked()
        async with kit.client(f"/ws/{name}@depth@100ms") as again:   # a new connection starts clean
            client = Client(again)
            await client.ask("LIST_SUBSCRIPTIONS")
            kit.say(symbol, trade(2), diff(9, 9))
            assert await lasting.read() == trade(2)[1]
            assert await client.read() == diff(9, 9)[1]


def test_redis_killed_and_restarted_while_subscribed(capsys):
    async def story(kit: FeedKit) -> None:
        async def lose() -> None:
            kit.redis.kill()
            await until(lambda: not kit.publisher.connected)
            kit.say("BTCUSDT", trade(99))   # dropped: there is nobody to take it
            kit.redis.start()

        await lose_and_go_on(kit, lose)

    run_feed(capsys, story)


def test_redis_cuts_the_feed_because_it_read_too_slowly(capsys):
    async def story(kit: FeedKit) -> None:
        async def lose() -> None:
            client = redis.asyncio.Redis(unix_socket_path=str(kit.redis.path))
            assert await client.execute_command("CLIENT", "KILL", "TYPE", "pubsub") == 1
            kit.say("BTCUSDT", diff(5, 8))   # nobody is there to hear it
            await client.aclose()

        await lose_and_go_on(kit, lose)

    run_feed(capsys, story)


def test_a_new_worker_has_a_higher_epoch(capsys):
    async def story(kit: FeedKit) -> None:
        async def lose() -> None:
            worker = RedisPublisher(kit.config.redis, lambda: None)
            task = asyncio.create_task(worker.run())
            await until(lambda: worker.connected)
            assert worker.epoch > kit.publisher.epoch
            kit.publisher.epoch = worker.epoch    # from now on the kit speaks as the new worker
            kit._seq.clear()
            task.cancel()
            kit.say("ETHUSDT", trade(5))          # any channel tells of the new epoch
            await asyncio.wait([task])

        await lose_and_go_on(kit, lose)

    run_feed(capsys, story)


def test_a_worker_that_was_replaced_is_not_listened_to(capsys):
    async def story(kit: FeedKit) -> None:
        async with kit.client("/ws/btcusdt@trade/btcusdt@depth@100ms") as socket:
            client = Client(socket)
            kit.say("BTCUSDT", diff(1, 1))
            kit.say("BTCUSDT", trade(66), epoch=kit.publisher.epoch - 1)
            kit._seq["BTCUSDT"] -= 1
            kit.say("BTCUSDT", trade(1))
            assert [await client.read(), await client.read()] == [diff(1, 1)[1], trade(1)[1]]

    run_feed(capsys, story)


def test_a_hole_concerns_its_instrument_only(capsys):
    async def story(kit: FeedKit) -> None:
        async with kit.client("/ws/ethusdt@depth@100ms") as other:
            untouched = Client(other)
            kit.say("ETHUSDT", diff(1, 1))
            await untouched.read()

            async def lose() -> None:
                kit.say("BTCUSDT", trade(77), skip=1)

            async with kit.client("/ws/btcusdt@depth@100ms") as book, kit.client("/ws/btcusdt@trade") as tape:
                kit.say("BTCUSDT", diff(1, 2))
                await Client(book).read()
                await lose()
                assert await Client(book).close_code() == 1013
                assert await Client(tape).read() == trade(77)[1]
            kit.say("ETHUSDT", diff(2, 2))
            assert await untouched.read() == diff(2, 2)[1]

    run_feed(capsys, story)


def test_states_are_forgotten_at_a_gap_and_told_by_the_next_refresh(capsys):
    async def story(kit: FeedKit) -> None:
        async with kit.client("/ws/btcusdt@bookTicker") as socket:
            client = Client(socket)
            kit.say("BTCUSDT", TICKER)
            assert await client.read() == TICKER[1]
            kit.say("BTCUSDT", trade(1), skip=3)
            newer = (Kind.BOOK_TICKER, {"u": 9})
            kit.say("BTCUSDT", newer, refresh=True)
            assert await client.read() == newer[1]

    run_feed(capsys, story)


def test_an_old_book_is_not_repeated_when_the_worker_is_dead(capsys, monkeypatch):
    monkeypatch.setattr(feed_sequence, "STALE_SECONDS", 0.5)

    async def story(kit: FeedKit) -> None:
        async with kit.client("/ws/btcusdt@depth5@100ms") as socket:
            client = Client(socket)
            kit.say("BTCUSDT", FIVE)
            assert await client.read() == FIVE[1]
            await asyncio.sleep(0.7)
            while True:
                try:
                    await client.read(0.3)
                except TimeoutError:
                    break
            kit.say("BTCUSDT", FIVE, refresh=True)
            assert await client.read() == FIVE[1]

    run_feed(capsys, story)


def test_a_reader_that_stops_reading_is_cut_and_others_do_not_notice(capsys, caplog):
    caplog.set_level("INFO", "gateway.connection")

    async def story(kit: FeedKit) -> None:
        async with kit.client("/ws/btcusdt@trade") as good, kit.client("/ws/btcusdt@trade") as bad:
            client = Client(good)
            bad.transport.pause_reading()
            for number in range(6000):   # 24 MB
                kit.say("BTCUSDT", (Kind.TRADE, {"t": number, "x": "x" * 4000}))
                assert (await client.read())["t"] == number
                if "does not read" in caplog.text:
                    break
            else:
                pytest.fail("24 MB were kept for a reader that takes nothing")
            bad.transport.resume_reading()
            assert await Client(bad).close_code() == 1006   # cut, without a closing handshake
            kit.say("BTCUSDT", trade(-1))
            assert await client.read() == trade(-1)[1]

    run_feed(capsys, story, write_buffer_bytes_max=256 * 1024)


def test_a_reader_that_takes_nothing_for_too_long_is_cut_however_little_is_unsent(capsys, caplog):
    caplog.set_level("INFO", "gateway.connection")

    async def story(kit: FeedKit) -> None:
        async with kit.client("/ws/btcusdt@trade") as good, kit.client("/ws/btcusdt@trade") as bad:
            client = Client(good)
            bad.transport.pause_reading()
            number = 0
            while "does not read" not in caplog.text:
                kit.say("BTCUSDT", (Kind.TRADE, {"t": number, "x": "x" * 40_000}))
                assert (await client.read())["t"] == number
                number += 1
                await asyncio.sleep(0.01)
            bad.transport.resume_reading()
            assert await Client(bad).close_code() == 1006
            kit.say("BTCUSDT", trade(-1))
            assert await client.read() == trade(-1)[1]

    run_feed(capsys, story, feed_settings={"behind_seconds_max": 0.3}, write_buffer_bytes_max=1 << 30)


def test_a_reader_that_is_dead_is_cut_while_the_system_still_takes_all_for_it(capsys, caplog):
    """40 KB: they lie in the buffers of the system, as what a dead reader of a thin stream gets in a minute."""
    caplog.set_level("INFO", "gateway.connection")

    async def story(kit: FeedKit) -> None:
        async with kit.client("/ws/btcusdt@trade") as good, kit.client("/ws/btcusdt@trade") as bad:
            client = Client(good)
            bad.transport.pause_reading()
            for number in range(4):
                kit.say("BTCUSDT", (Kind.TRADE, {"t": number, "x": "x" * 10_000}))
                assert (await client.read())["t"] == number
            kit.say("BTCUSDT", trade(5))      # the question goes before it
            assert await client.read() == trade(5)[1]
            await until(lambda: "does not read" in caplog.text)
            kit.say("BTCUSDT", trade(6))
            assert await client.read() == trade(6)[1]
            assert caplog.text.count("does not read") == 1

    run_feed(capsys, story, feed_settings={"behind_seconds_max": 1.0})


def test_a_slow_reader_misses_states_but_not_the_newest_one_and_is_not_cut(capsys):
    count, wide = 200, "x" * 40_000   # 8 MB, of which the buffers together take less than half

    async def story(kit: FeedKit) -> None:
        async with kit.client("/ws/btcusdt@bookTicker") as good, kit.client("/ws/btcusdt@bookTicker") as slow:
            client = Client(good)
            slow.transport.pause_reading()
            for number in range(count):
                kit.say("BTCUSDT", (Kind.BOOK_TICKER, {"u": number, "x": wide}))
                assert (await client.read())["u"] == number
            slow.transport.resume_reading()
            heard = [(await Client(slow).read())["u"]]
            while heard[-1] < count - 1:
                heard.append((await Client(slow).read())["u"])
            assert heard == sorted(set(heard)) and len(heard) < count
            kit.say("BTCUSDT", (Kind.BOOK_TICKER, {"u": count}))
            assert (await Client(slow).read())["u"] == count

    run_feed(capsys, story, feed_settings={"behind_seconds_max": SECONDS_MAX}, write_buffer_bytes_max=256 * 1024)


def test_without_redis_requests_are_answered_and_data_comes_later(capsys):
    async def main(server: RedisServer) -> None:
        config = load_config(redis={"url": server.url}, feed={"port": 0}, limits={
            "close_seconds_max": 0.5, "shutdown_notice_seconds": 0})
        task = asyncio.create_task(serve(config))
        try:
            kit = FeedKit(config, server, await url_of(capsys, task), task)
            async with kit.client("/ws/btcusdt@trade") as socket:
                client = Client(socket)
                assert (await client.ask("LIST_SUBSCRIPTIONS"))["result"] == ["btcusdt@trade"]
                server.start()
                worker = asyncio.create_task(kit.publisher.run())
                await until(lambda: kit.publisher.connected)
                await kit.linked()
                kit.say("BTCUSDT", trade(1))
                assert await client.read() == trade(1)[1]
                worker.cancel()
                await asyncio.wait([worker])
        finally:
            task.cancel()
            await asyncio.wait([task])

    with RedisServer(start=False) as server:
        uvloop.run(main(server))


def test_a_redis_that_falls_silent_is_given_up_and_found_again(capsys, caplog):
    async def story(kit: FeedKit) -> None:
        async def lose() -> None:
            kit.redis.send(signal.SIGSTOP)
            await until(lambda: "has been silent for" in caplog.text)
            kit.redis.send(signal.SIGCONT)

        await lose_and_go_on(kit, lose)

    run_feed(capsys, story, {"silent_seconds_max": 1.5})
