"""What a listener asks of its connections beside the protocol: origin, rates, lifetime, TLS."""
import asyncio
import ssl
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace
from websockets.asyncio.client import connect

from engine.config import Tls
from engine.errors import ConfigError
from gateway.tls import scheme, tls_context
from gateway.websocket import Listener, listen
from tests.gateway.raw_websocket import HANDSHAKE, PING, TEXT, RawClient, frame
from tests.gateway.rest_kit import rest
from tests.gateway.running import ALICE, furnish, limit, running
from tests.gateway.test_websocket import LIMITS, Echo, run
from tests.support.certificate import make_certificate
from tests.support.waiting import SECONDS_MAX


def test_only_listed_origins_and_programs_may_connect():
    async def story(listener: Listener, log: list[object]) -> None:
        for origin, answer in ((b"https://a.example", b"101"), (b"https://evil.example", b"403"), (None, b"101")):
            client = await RawClient.connect(listener.port)
            header = b"Origin: " + origin + b"\r\n\r\n" if origin else b"\r\n"
            client.send((HANDSHAKE % b"/ws").removesuffix(b"\r\n") + header)
            assert (await client.head()).split()[1] == answer
            client.close()
    run(story, replace(LIMITS, origins="https://a.example, https://b.example"))


def test_connections_of_an_address_are_counted():
    async def story(listener: Listener, log: list[object]) -> None:
        for _ in range(3):
            (await RawClient.open(listener.port)).close()
        refused = await RawClient.connect(listener.port)
        head = await refused.head()
        assert head.startswith(b"HTTP/1.1 429")
        assert 0 < int(head.split(b"Retry-After: ")[1].split(b"\r\n")[0]) <= 300
        refused.close()
    run(story, replace(LIMITS, address_connects_max=3))


@pytest.mark.parametrize("message", [frame(TEXT, b"x"), frame(PING)])
def test_too_many_messages_close_the_connection(message):
    async def story(listener: Listener, log: list[object]) -> None:
        client = await RawClient.open(listener.port)
        client.send(message * 100)
        assert await client.closed_with() == 1008
        client.close()
    run(story, replace(LIMITS, messages_second_max=20))


def test_a_connection_ends_after_its_lifetime():
    async def story(listener: Listener, log: list[object]) -> None:
        client = await RawClient.open(listener.port)
        assert await client.closed_with() == 1001
        client.close()
    run(story, replace(LIMITS, lifetime_seconds_max=0.2, ping_seconds=0.1))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """Self-signed for 127.0.0.1 and localhost, key and certificate in files of their own."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


def trusting(certificate: Tls) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate.certificate)


def test_an_order_over_tls_and_a_clean_end(tmp_path: Path, certificate: Tls):
    async def main() -> None:
        terms = {"certificate": certificate.certificate, "key": certificate.key}
        async with running(tmp_path, tls=terms) as venue:
            await furnish(venue)
            url = venue.server.url.replace("127.0.0.1", "localhost")
            assert url.startswith("wss://")
            async with connect(url, ssl=trusting(certificate), compression=None) as socket:
                await socket.send('{"id":1,"method":"time"}')
                assert '"status":200' in await socket.recv()
                await socket.close()
                assert socket.close_code == 1000
            assert (await venue.call(ALICE, "order.place", **limit("BUY", "50000", "0.1")))[0] == 200
            plain = await RawClient.connect(int(venue.server.url.split(":")[2].split("/")[0]))
            plain.send(HANDSHAKE % b"/ws-api/v3")
            async with asyncio.timeout(SECONDS_MAX):
                assert b"101" not in await plain.reader.read(), "nothing but TLS is spoken"
            plain.close()
            async with rest(venue.server.venue.config) as port:
                async with httpx.AsyncClient(verify=trusting(certificate)) as http:
                    assert (await http.get(f"https://localhost:{port}/api/v3/ping")).json() == {}
    asyncio.run(main())


def test_a_slow_tls_reader_and_a_silent_one_are_cut(certificate: Tls):
    async def main() -> None:
        hasty, listener = [
            await listen(lambda: Echo([]), "127.0.0.1", 0, limits, tls_context(certificate))
            for limits in (replace(LIMITS, handshake_seconds_max=0.3), LIMITS)]
        silent = await RawClient.connect(hasty.port)
        async with asyncio.timeout(SECONDS_MAX):
            assert await silent.reader.read() == b"", "no TLS handshake came"
        async with connect(f"wss://localhost:{listener.port}/ws", ssl=trusting(certificate)) as socket:
            await socket.send("bye")
            async with asyncio.timeout(SECONDS_MAX):
                await socket.wait_closed()
            assert socket.close_code == 4000
        silent.close()
        for each in (hasty, listener):
            each.close()
            await each.wait_closed()
    asyncio.run(main())


def test_files_that_do_not_fit_are_named(certificate: Tls, tmp_path: Path):
    assert tls_context(Tls()) is None and (scheme("ws", Tls()), scheme("ws", certificate)) == ("ws", "wss")
    wrong = replace(certificate, key=str(Path(certificate.key).with_name("other.pem")))
    for tls in (wrong, replace(certificate, key=str(tmp_path / "none")), Tls(certificate=str(tmp_path / "none"))):
        with pytest.raises(ConfigError, match=r"tls\.certificate"):
            tls_context(tls)
