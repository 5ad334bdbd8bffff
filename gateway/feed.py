"""The feed process: market streams over WebSocket out of Redis, and private events of listen keys from the exchange.
Start as many as wanted.

While Redis is away connections are accepted and requests answered, but no data flows (gateway/feed_hub.py says what
clients see). A reader that does not keep up is cut at write_buffer_bytes_max or behind_seconds_max and hurts
nobody else.
"""
import asyncio
import contextlib
import time

from engine.config import Config
from engine.market_channels import NS_PER_MS
from engine.ready import announce
from gateway.feed_hub import Hub
from gateway.feed_session import FeedSession
from gateway.feed_users import FeedUsers
from gateway.redis_subscriber import RedisSubscriber
from gateway.tls import scheme, tls_context
from gateway.websocket import listen

FIRST_LINK_SECONDS_MAX = 1.0   # to wait before listening: the first link is a gap to those connected before it


async def serve(config: Config) -> None:
    """Run until cancelled. Raises ConfigError when the port or redis.url cannot be used."""
    hub = Hub()
    users = FeedUsers(config.paths.user_feed, config.limits.handshake_seconds_max)
    work = asyncio.create_task(_work(hub, users, RedisSubscriber(config.redis, hub)))
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST_LINK_SECONDS_MAX):
                await hub.ready.wait()
        await _listen(config, hub, users, work)
    finally:
        work.cancel()
        await asyncio.wait([work])


async def _work(hub: Hub, users: FeedUsers, subscriber: RedisSubscriber) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(subscriber.run())
        tasks.create_task(hub.tick())
        tasks.create_task(users.run())


async def _listen(config: Config, hub: Hub, users: FeedUsers, work: asyncio.Task[None]) -> None:
    """Serve as long as the work goes on."""
    limits = config.limits
    listener = await listen(
        lambda: FeedSession(hub, users, limits.subscriptions_max), config.feed.host, config.feed.port, limits,
        tls_context(config.tls), behind_seconds_max=config.feed.behind_seconds_max, shared=config.feed.processes > 1)
    announce("feed", url=f"{scheme('ws', config.tls)}://{config.feed.host}:{listener.port}/ws")
    try:
        await asyncio.shield(work)
    finally:
        hub.shutdown(time.time_ns() // NS_PER_MS)
        await listener.drain(0 if work.done() else limits.shutdown_notice_seconds)
        listener.close()
        await listener.wait_closed()
