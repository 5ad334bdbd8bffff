"""Addresses are read or refused with the remedy; a link greets, ends and is made again, against real servers."""
import asyncio

import pytest
import uvloop

from engine.errors import ConfigError
from engine.redis_link import RedisAddress, RedisLink, encode_command, keep_linked
from tests.support.redis import RedisServer
from tests.support.waiting import STORY_SECONDS_MAX, until


@pytest.mark.parametrize(("url", "expected"), [
    ("redis://localhost", RedisAddress(host="localhost")),
    ("redis://:geheim@10.0.0.1:7000/3", RedisAddress(host="10.0.0.1", port=7000, password="geheim", database=3)),
    ("rediss://us%40er:p%2Fw@h/", RedisAddress(host="h", tls=True, user="us@er", password="p/w")),
    ("unix:///run/my%20redis.sock?db=2", RedisAddress(path="/run/my redis.sock", database=2)),
    ("unix://u:p@/r.sock", RedisAddress(path="/r.sock", user="u", password="p")),
])
def test_an_address_is_read(url, expected):
    assert RedisAddress.parse(url) == expected


@pytest.mark.parametrize("url", [
    "", "http://x", "localhost:6379", "redis://h:port", "redis://h/first", "unix:///s?db=x"])
def test_an_address_that_cannot_be_used_is_named(url):
    with pytest.raises(ConfigError, match=r"redis\.url"):
        RedisAddress.parse(url)


def test_commands_are_framed_by_length():
    assert encode_command(b"AUTH", b"", b"a\r\nb") == b"*3\r\n$4\r\nAUTH\r\n$0\r\n\r\n$4\r\na\r\nb\r\n"


class Echo(RedisLink):
    """Keeps what comes after the greeting."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = b""
        self.news = asyncio.Event()

    def received(self, data: bytes) -> None:
        self.heard += data
        self.news.set()


async def linked(address: RedisAddress, links: "asyncio.Queue[Echo]") -> None:
    await keep_linked(address, Echo, links.put_nowait)


def run_with_link(server: RedisServer, url: str, story, run=uvloop.run) -> None:
    async def main() -> None:
        links: asyncio.Queue[Echo] = asyncio.Queue()
        task = asyncio.create_task(linked(RedisAddress.parse(url), links))
        try:
            async with asyncio.timeout(STORY_SECONDS_MAX):
                await story(links)
        finally:
            task.cancel()
            await asyncio.wait([task])
    with server:
        run(main())


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_link_answers_and_is_made_again_after_a_restart(run):
    server = RedisServer()

    async def story(links: "asyncio.Queue[Echo]") -> None:
        first = await links.get()
        first.transport.write(encode_command(b"ECHO", b"hello"))
        await first.news.wait()
        assert first.heard == b"$5\r\nhello\r\n"
        server.kill()
        await first.closed
        server.start()
        second = await links.get()
        assert second is not first and not second.closed.done()

    run_with_link(server, server.url, story, run)


def test_a_password_opens_the_server():
    server = RedisServer("--requirepass", "geheim")

    async def story(links: "asyncio.Queue[Echo]") -> None:
        link = await links.get()
        link.transport.write(encode_command(b"ECHO", b"in"))
        await link.news.wait()
        assert link.heard == b"$2\r\nin\r\n"

    run_with_link(server, f"unix://:geheim@{server.path}", story)


@pytest.mark.parametrize("login", ["", ":falsch@"])
def test_a_wrong_password_is_no_link(login, caplog):
    server = RedisServer("--requirepass", "geheim")

    async def story(links: "asyncio.Queue[Echo]") -> None:
        await until(lambda: "is away" in caplog.text)
        await asyncio.sleep(0.5)    # some more attempts
        assert links.empty()

    run_with_link(server, f"unix://{login}{server.path}", story)
    assert "NOAUTH" in caplog.text or "WRONGPASS" in caplog.text
    assert caplog.text.count("is away") == 1   # said once per outage


def test_a_link_that_ends_right_after_its_greeting_is_not_handed_out():
    made: list[Echo] = []

    class Dying(Echo):
        """The first one ends in the pass of the loop in which it is greeted."""

        def __init__(self) -> None:
            super().__init__()
            made.append(self)

        def data_received(self, data: bytes) -> None:
            if self is made[0]:
                self.transport.abort()
            super().data_received(data)

    async def main(server: RedisServer) -> None:
        links: asyncio.Queue[Echo] = asyncio.Queue()
        task = asyncio.create_task(keep_linked(RedisAddress.parse(server.url), Dying, links.put_nowait))
        try:
            async with asyncio.timeout(STORY_SECONDS_MAX):
                assert await links.get() is made[1] and made[0].closed.done()
        finally:
            task.cancel()
            await asyncio.wait([task])
    with RedisServer() as server:
        uvloop.run(main(server))
