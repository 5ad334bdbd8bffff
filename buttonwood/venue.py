"""A whole venue on one machine, as `buttonwood up` runs it: what starts after what, and with which settings.

    async with Venue(config, demo=True) as venue:
        print(venue.addresses.rest)
        await venue.failed            # never returns unless the venue has to stop

Addresses are settled once: where the configuration says port 0, the free port found at the first start is kept for
restarts of that process.
"""
import asyncio
import contextlib
import socket
import sys
from types import TracebackType
from typing import IO, Self, TypeVar
from urllib.parse import urlsplit

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from buttonwood.bootstrap import bootstrap, commands_applied
from buttonwood.demo import demo_keys, demo_listing
from buttonwood.embedded import launch_postgres, launch_redis, prepare
from buttonwood.leftovers import end_leftovers
from buttonwood.listing import Listing
from buttonwood.parts import Child, Part, Server
from buttonwood.resolved import lock_venue, settings_file, write_settings
from buttonwood.supervisor import Supervisor
from engine.config import Config
from engine.errors import ConfigError, VenueError
from gateway.tls import scheme

LISTENERS = {"rest": "--rest-port", "exchange": "--orders-port", "feed": "--streams-port"}
_POLL_SECONDS = 0.05
PartT = TypeVar("PartT", bound=Part)


class Addresses(Struct, frozen=True):
    """Where customers connect: REST, order entry, market streams."""

    rest: str
    orders: str
    streams: str


def addresses_of(config: Config) -> Addresses:
    """The addresses that settings with definite ports lead to."""
    rest, exchange, feed = config.rest, config.exchange, config.feed
    http, ws = scheme("http", config.tls), scheme("ws", config.tls)
    return Addresses(f"{http}://{_shown(rest.host)}:{rest.port}",
                     f"{ws}://{_shown(exchange.host)}:{exchange.port}/ws-api/v3",
                     f"{ws}://{_shown(feed.host)}:{feed.port}/stream/ws")


class Venue:
    """All processes of a venue; an asynchronous context manager that stops them in order at its end."""

    def __init__(self, config: Config, *, demo: bool = False, listing: Listing | None = None,
                 postgres_source: str = "") -> None:
        self.config, self._demo, self._postgres_source = config, demo, postgres_source
        self._listing = demo_listing() if demo else listing
        self._parts: dict[str, Part] = {}
        self._lock: IO[str] | None = None
        self._supervisor: Supervisor

    async def __aenter__(self) -> Self:
        """Start everything and return when all of it is ready. Raises VenueError; then nothing is left running."""
        prepare(self.config)
        self._lock = lock_venue(self.config)
        try:
            self._supervisor = Supervisor(self.config)
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        """Stop everything, within seconds. What the ledger has not seen by then it follows at the next start."""
        await self._stop()

    @property
    def failed(self) -> asyncio.Future[None]:
        """Ends with the VenueError that makes going on pointless."""
        return self._supervisor.failed

    @property
    def addresses(self) -> Addresses:
        """Valid once started."""
        return addresses_of(self.config)

    def process_id(self, name: str) -> int:
        """The pid of a part now: exchange, ledger, market-data, snapshots, feed (feed-2, ...), rest,
        traders, postgres, redis."""
        process = self._parts[name].process
        return process.pid if process is not None else 0

    async def _start(self) -> None:
        await end_leftovers(self.config.paths.run)
        check_ports(self.config)
        await self._start_servers()
        if self._demo:
            demo_keys(self.config)
        await self._start_children("exchange")
        if self._listing is not None:
            await bootstrap(self.config, self._listing)
        await self._start_children("ledger", "market-data", "snapshots", "feed", "rest")
        await self._start_children(*(f"feed-{number}" for number in range(2, self.config.feed.processes + 1)))
        if self._demo:
            await self._start_children("traders")

    async def _start_servers(self) -> None:
        """Our own where the configuration names none; the addresses go into the settings."""
        config, started = self.config, []
        if not config.postgres.dsn:
            started.append(self._part(Server("postgres", lambda: launch_postgres(config, self._postgres_source))))
        if not config.redis.url:
            started.append(self._part(Server("redis", lambda: launch_redis(config))))
        await self._supervisor.start(*started)
        for server in started:
            if server.name == "postgres":
                self.config = replace(self.config, postgres=replace(config.postgres, dsn=server.address))
            else:
                self.config = replace(self.config, redis=replace(config.redis, url=server.address))
        write_settings(self.config)

    async def _start_children(self, *names: str) -> None:
        logs, log_bytes_max = self.config.paths.logs, self.config.supervisor.log_bytes_max
        children = [Child(name, self._command(name), logs / f"{name}.log", log_bytes_max) for name in names]
        await self._supervisor.start(*map(self._part, children))
        for child in children:
            self._keep_port(child)

    def _command(self, name: str) -> list[str]:
        words = {"ledger": ["worker", "ledger"], "market-data": ["worker", "market_data"],
                 "snapshots": ["worker", "snapshots"]}.get(name, [name.partition("-")[0]])
        return [sys.executable, "-P", "-m", "buttonwood", *words, "--config", str(settings_file(self.config))]

    def _keep_port(self, child: Child) -> None:
        """A listener that found a free port keeps it, so that its customers find it again after a restart."""
        port = urlsplit(str(child.ready.get("url", ""))).port
        if child.name in LISTENERS and port:
            section = replace(getattr(self.config, child.name), port=port)
            self.config = replace(self.config, **{child.name: section})
            write_settings(self.config)

    def _part(self, part: PartT) -> PartT:
        self._parts[part.name] = part
        return part

    async def _stop(self) -> None:
        feeds = [name for name in self._parts if name.partition("-")[0] == "feed"]
        for names in (["traders"], [*feeds, "rest"], ["ledger", "market-data", "snapshots"], ["exchange"], ["redis"],
                      ["postgres"]):
            if "ledger" in names:
                await self._ledger_at_end()
            await self._supervisor.stop(*(self._parts[name] for name in names if name in self._parts))
        if self._lock is not None:
            self._lock.close()

    async def _ledger_at_end(self) -> None:
        """Wait a little for the ledger to have written all that the exchange has done until now."""
        if "ledger" not in self._parts:
            return
        with contextlib.suppress(OSError, asyncpg.PostgresError, VenueError):
            async with asyncio.timeout(self.config.supervisor.stop_seconds_max / 2):
                goal = await commands_applied(self.config)
                connection = await asyncpg.connect(self.config.postgres.dsn)
                try:
                    await _until_ledger(connection, goal)
                finally:
                    connection.terminate()


async def _until_ledger(connection: asyncpg.Connection, goal: int) -> None:
    while True:
        if await connection.fetchval("SELECT seq FROM watermark WHERE stream = 'ledger'") >= goal:
            return
        await asyncio.sleep(_POLL_SECONDS)


def check_ports(config: Config) -> None:
    """Find out before anything is started that a port is taken. Raises ConfigError saying which and what to do."""
    for name, option in LISTENERS.items():
        section = getattr(config, name)
        if section.port:
            try:
                with socket.create_server((section.host, section.port)):
                    pass
            except OSError as error:
                raise ConfigError(
                    f"{name} cannot listen on {section.host}:{section.port}: {error.strerror}; choose another port "
                    f"with {option}, or with port under [{name}] in the configuration; 0 takes any free one") from None


def _shown(host: str) -> str:
    """A host that can be connected to from this machine."""
    return "127.0.0.1" if host in ("", "0.0.0.0") else f"[{host}]" if ":" in host else host
