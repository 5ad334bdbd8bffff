"""A Unix-socket proxy before a server that can be made slow, silent or absent at any byte.

`delay_seconds` holds each piece back; `stall` lets nothing through in either direction until `resume`, and reads no
more, so that both sides see a full buffer; `cut` ends all connections.
"""
import asyncio
import contextlib
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PIECE_BYTES = 16 * 1024     # read at once; no more than this waits here for each direction of a connection


class StallingProxy:
    """Listens at `path` and passes on to `target`; a context manager."""

    def __init__(self, path: Path, target: Path) -> None:
        self.delay_seconds = 0.0
        self._path, self._target = path, target
        self._flows = asyncio.Event()
        self._flows.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._accept, str(self._path))
        self._path.chmod(0o777)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.cut()

    def stall(self) -> None:
        """From now on nothing passes."""
        self._flows.clear()

    def resume(self) -> None:
        """What was held goes on."""
        self._flows.set()

    def cut(self) -> None:
        """End all connections, what is under way is lost."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there = await asyncio.open_unix_connection(str(self._target))
        except OSError:
            writer.transport.abort()
            return
        self._keep(self._pass_on(reader, there))
        self._keep(self._pass_on(there_reader, writer))

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while data := await reader.read(PIECE_BYTES):
                if self.delay_seconds:
                    await asyncio.sleep(self.delay_seconds)
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            self._writers.discard(writer)
            with contextlib.suppress(RuntimeError):     # the loop is closed
                writer.transport.abort()
