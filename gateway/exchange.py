"""The exchange process: engine, order entry over WebSocket and the door, on one event loop.

1 recover by replay  2 listen for customers  3 open the door to our other processes  4 say so on standard output
Ends when it is cancelled, or with the error that makes it unfit to go on: then whoever started it starts it again.
"""
import asyncio
import gc
import time
from typing import Self

from engine.config import Config
from engine.engine_metrics import engine_metrics
from engine.metrics_server import MetricsServer
from engine.ready import announce
from engine.rules import keep_rules
from engine.snapshots import AtHand
from gateway.door import Door
from gateway.requests import PATH
from gateway.sessions import Session
from gateway.tls import scheme, tls_context
from gateway.user_feed import UserFeed
from gateway.venue import Closing, Venue
from gateway.websocket import Listener, listen


async def serve(config: Config, at_hand: AtHand | None = None) -> None:
    """Run until cancelled. Raises what makes the engine or its memory unfit to go on."""
    gc.disable()      # a start makes much that stays, and next to nothing that is garbage
    try:
        server = await ExchangeServer.start(config, at_hand)
        gc.freeze()   # what exists now stays: the collector need not walk it
    finally:
        gc.enable()
    try:
        announce("exchange", url=server.url, **({"metrics": server.metrics.url} if server.metrics else {}))
        await server.failure()
    except asyncio.CancelledError:
        await server.drain()
        raise
    finally:
        await server.stop()


class ExchangeServer:
    """The process without its ready line, so that it can also be started inside another one.

    metrics: None unless the settings name a host for them.
    """

    def __init__(
            self, venue: Venue, door: Door, user_feed: UserFeed, listener: Listener, metrics: MetricsServer | None,
    ) -> None:
        self.venue = venue
        self._door, self._user_feed = door, user_feed
        self._listener = listener
        self._told: set[Closing] = set()    # sessions that know of the end
        self.metrics = metrics

    @classmethod
    async def start(cls, config: Config, at_hand: AtHand | None = None) -> Self:
        """Steps 1 to 3. Raises ConfigError, JournalError, DataDirLocked."""
        venue = await Venue.open(config, at_hand)
        await keep_rules(venue.engine, config.core)
        door = Door(venue)
        user_feed = UserFeed(venue.listen_keys, config.limits.follower_buffer_bytes_max)
        try:
            listener = await listen(
                lambda: Session(venue), config.exchange.host, config.exchange.port, config.limits,
                tls_context(config.tls))
            await door.open(config.paths.door)
            await user_feed.open(config.paths.user_feed)
            metrics = await MetricsServer.start(
                lambda: engine_metrics(venue.engine), config.metrics, config.metrics.exchange_port)
        except BaseException:
            await venue.engine.close()
            await venue.questions.close()
            raise
        venue.ticker.start()
        return cls(venue, door, user_feed, listener, metrics)

    @property
    def url(self) -> str:
        """Where order entry listens."""
        return f"{scheme('ws', self.venue.config.tls)}://{self.venue.config.exchange.host}:{self._listener.port}{PATH}"

    async def failure(self) -> None:
        """Wait until the process is unfit to go on, and raise why."""
        done, _ = await asyncio.wait(
            [self.venue.engine.failed, self.venue.failed], return_when=asyncio.FIRST_COMPLETED)
        for end in done:
            end.result()

    async def drain(self) -> None:
        """Take no more connections, say that the end is near, and go on for those that are there."""
        self._say_good_bye()
        await self._listener.drain(self.venue.config.limits.shutdown_notice_seconds)

    def _say_good_bye(self) -> None:
        now_ns = time.time_ns()
        sessions, self._told = list(self.venue.sessions - self._told), set(self.venue.sessions)
        for session in sessions:
            session.shutting_down(now_ns)

    async def stop(self) -> None:
        """Say good-bye, take nothing more, answer what was taken, close everything."""
        self._say_good_bye()
        await self.venue.ticker.close()
        await self.venue.engine.close()
        await self.venue.questions.close()
        self.venue.listen_keys.close()
        self.venue.streams.logs.close()
        await self._user_feed.close()
        await self._door.close()
        self._listener.close()
        await self._listener.wait_closed()
        if self.metrics is not None:
            await self.metrics.close()
