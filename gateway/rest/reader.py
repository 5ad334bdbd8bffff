"""Reading the ledger's Postgres: a small pool of connections, opened when first asked, and no answer but a clean one.

A Postgres that is away, restarting or slow gives 503 -1001 and the process lives on; the next question tries again. One
lost connection is not noticed by the customer: the question is asked once more. Statements are the .sql files here.
"""
import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg

from engine.config import Rest
from gateway.refusals import DISCONNECTED, Refusal

POLL_SECONDS = 0.01
_TIMES_ASKED = 2
_log = logging.getLogger(__name__)
_AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Reader:
    """`durable_seq` tells how far the exchange's journal is, None when it cannot be asked."""

    def __init__(self, dsn: str, settings: Rest, durable_seq: Callable[[], Awaitable[int | None]]) -> None:
        self._dsn, self._settings, self._durable_seq = dsn, settings, durable_seq
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()
        self._contained = 0   # last command known to be in the ledger

    async def fetch(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        """All rows of the statement in `statement`.sql. Raises Refusal when Postgres does not answer."""
        for left in reversed(range(_TIMES_ASKED)):
            try:
                pool = await self._opened()
                async with asyncio.timeout(self._settings.history_seconds_max):
                    return list(await pool.fetch(_text(statement), *values))
            except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, ConnectionError) as error:
                if not left:
                    raise _away(error) from error
            except _AWAY as error:
                raise _away(error) from error
        raise AssertionError("every turn returns or raises")

    async def catch_up(self) -> None:
        """Wait until the ledger contains what is durable now, at most history_lag_seconds_max. Raises Refusal."""
        wanted = await self._durable_seq()
        if wanted is None:
            return
        until = time.monotonic() + self._settings.history_lag_seconds_max
        while self._contained < wanted:
            rows = await self.fetch("watermark")
            self._contained = int(rows[0]["seq"]) if rows else 0
            if time.monotonic() >= until:
                return
            if self._contained < wanted:
                await asyncio.sleep(POLL_SECONDS)

    async def close(self) -> None:
        """Drop all connections."""
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None

    async def _opened(self) -> asyncpg.Pool:
        async with self._opening:
            if self._pool is None:
                if not self._dsn:
                    raise ConnectionError("postgres.dsn is empty")
                self._pool = await asyncpg.create_pool(
                    self._dsn, min_size=0, max_size=self._settings.history_connections_max,
                    init=_become_reader,
                    timeout=self._settings.history_seconds_max, command_timeout=self._settings.history_seconds_max,
                    server_settings={"application_name": "buttonwood rest", "default_transaction_read_only": "on"})
            return self._pool


async def _become_reader(connection: asyncpg.Connection) -> None:
    await connection.execute(_text("become_reader"))


def _away(error: Exception) -> Refusal:
    _log.warning("Postgres did not answer: %s: %s", type(error).__name__, error)
    return Refusal(DISCONNECTED)


@cache
def _text(statement: str) -> str:
    return Path(__file__).with_name(f"{statement}.sql").read_text(encoding="utf-8")
