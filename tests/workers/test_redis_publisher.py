"""The publisher against a real Redis: what it writes arrives in order; a server that is away costs messages only."""
import asyncio
import signal
import time

import pytest
import redis.asyncio
import uvloop

from engine.config import Redis
from tests.support.redis import RedisServer
from tests.support.waiting import STORY_SECONDS_MAX, until
from workers.redis_publisher import RedisPublisher

LIMIT = 256 * 1024


def publishing(server: RedisServer, story, **settings: object) -> None:
    """Run a story with a publisher, and its list of epochs, one per connection."""
    async def main() -> None:
        epochs: list[int] = []
        redis_settings = Redis(url=server.url, **{"buffer_bytes_max": LIMIT, **settings})
        publisher = RedisPublisher(redis_settings, lambda: epochs.append(publisher.epoch))
        task = asyncio.create_task(publisher.run())
        try:
            async with asyncio.timeout(STORY_SECONDS_MAX):
                await story(publisher, epochs)
        finally:
            task.cancel()
            await asyncio.wait([task])
    with server:
        uvloop.run(main())


async def reader(server: RedisServer):
    client = redis.asyncio.Redis(unix_socket_path=str(server.path))
    pubsub = client.pubsub(ignore_subscribe_messages=True)
    await pubsub.subscribe("c")
    await pubsub.parse_response()
    return client, pubsub


async def hear(pubsub, count: int) -> list[bytes]:
    return [(await pubsub.parse_response())[2] for _ in range(count)]


def test_messages_arrive_complete_and_in_order_in_few_writes():
    server = RedisServer()

    async def story(publisher, epochs):
        await until(lambda: publisher.connected)
        client, pubsub = await reader(server)
        messages = [b"%d\r\n\x00" % number + b"x" * number for number in range(2000)]
        for message in messages:
            publisher.publish(b"c", message)
        publisher.flush()
        assert await hear(pubsub, len(messages)) == messages
        await until(lambda: publisher.pending == 0)
        assert (publisher.published, publisher.dropped, len(epochs)) == (2000, 0, 1)
        await pubsub.aclose()
        await client.aclose()

    publishing(server, story)


def test_messages_to_a_server_that_is_away_are_dropped_and_the_epoch_rises():
    server = RedisServer()

    async def story(publisher, epochs):
        await until(lambda: publisher.connected)
        publisher.publish(b"c", b"queued when the server dies")
        server.kill()
        await until(lambda: not publisher.connected)
        assert publisher.dropped == 1
        for _ in range(100):
            publisher.publish(b"c", b"nobody hears")
        publisher.flush()
        assert publisher.dropped == 101
        server.start()
        await until(lambda: publisher.connected)
        assert len(epochs) == 2 and epochs[1] > epochs[0]
        client, pubsub = await reader(server)
        publisher.publish(b"c", b"after")
        publisher.flush()
        assert await hear(pubsub, 1) == [b"after"]
        await pubsub.aclose()
        await client.aclose()

    publishing(server, story)


def test_a_link_that_ends_in_the_same_pass_of_the_loop_costs_its_messages_only():
    server = RedisServer()

    async def story(publisher, epochs):
        await until(lambda: publisher.connected)
        loop, link = asyncio.get_running_loop(), publisher._link
        told: asyncio.Future[tuple[bool, bool]] = loop.create_future()

        def flush() -> None:
            try:
                ended = link.closed.done(), publisher.connected
                publisher.publish(b"c", b"nobody hears")
                publisher.flush()
                told.set_result(ended)
            except RuntimeError as error:
                told.set_exception(error)
        link.transport.abort()
        loop.call_soon(flush)
        assert await told == (True, True)       # it has ended, and the publisher has not been told yet
        assert publisher.dropped == 1
        await until(lambda: len(epochs) == 2)

    publishing(server, story)


def test_a_stopped_server_never_makes_the_buffer_grow_beyond_its_limit():
    server = RedisServer()

    async def story(publisher, epochs):
        await until(lambda: publisher.connected)
        server.send(signal.SIGSTOP)
        link, chunk, largest = publisher._link, b"x" * 10_000, 0
        for _ in range(2000):   # 20 MB
            publisher.publish(b"c", chunk)
            publisher.flush()
            if not link.transport.is_closing():
                largest = max(largest, link.transport.get_write_buffer_size())
            await asyncio.sleep(0)
        assert not publisher.connected and publisher.dropped > 1000
        assert LIMIT < largest <= LIMIT + len(chunk) + 100
        server.send(signal.SIGCONT)
        await until(lambda: publisher.connected)
        assert len(epochs) == 2

    publishing(server, story)


def test_a_server_that_stops_answering_is_given_up():
    server = RedisServer()

    async def story(publisher, epochs):
        await until(lambda: publisher.connected)
        server.send(signal.SIGSTOP)
        publisher.publish(b"c", b"lost")
        publisher.flush()
        await asyncio.sleep(0.3)
        assert publisher.connected
        publisher.publish(b"c", b"one more")
        publisher.flush()
        assert not publisher.connected and publisher.dropped == 1
        server.send(signal.SIGCONT)

    publishing(server, story, silent_seconds_max=0.2)


@pytest.mark.parametrize("options", [("--rename-command", "PUBLISH", "")])
def test_a_refused_command_ends_the_connection_with_its_reason(options, caplog):
    server = RedisServer(*options)

    async def story(publisher, epochs):
        await until(lambda: publisher.connected)
        publisher.publish(b"c", b"x")
        publisher.flush()
        await until(lambda: len(epochs) == 2)

    publishing(server, story)
    assert "unknown command" in caplog.text


def test_a_flush_does_not_wait_for_the_server():
    """Twenty thousand messages are handed over in far less than the two seconds that awaited publishes would take."""
    server = RedisServer()

    async def story(publisher, epochs):
        await until(lambda: publisher.connected)
        start = time.process_time()
        for _ in range(200):
            for _ in range(100):
                publisher.publish(b"c", b"x" * 200)
            publisher.flush()
            await asyncio.sleep(0)
        assert time.process_time() - start < 0.5
        await until(lambda: publisher.pending == 0)

    publishing(server, story, buffer_bytes_max=8 * LIMIT * 4)
