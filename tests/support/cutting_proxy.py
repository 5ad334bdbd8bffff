"""A TCP proxy that loses answers: it passes requests on, keeps replies back from a certain moment, then cuts.

What the client sees is a crash of the other side after its requests were carried out and before it was told.
"""
import asyncio
from types import TracebackType
from typing import Self

HELD_SECONDS = 0.2      # how long requests still get through while replies do not


class CuttingProxy:
    """Listens on `port`; after `lose_replies` the connections of that moment are lost, later ones work again."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._open: set[asyncio.StreamWriter] = set()
        self._mute: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def lose_replies(self) -> None:
        """From now on nothing comes back on the connections that are open; in a moment they are cut."""
        self._mute |= self._open
        self._keep(asyncio.create_task(self._cut(set(self._open))))

    async def _cut(self, writers: set[asyncio.StreamWriter]) -> None:
        await asyncio.sleep(HELD_SECONDS)
        for writer in writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            other_reader, other_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._open.add(writer)
        self._keep(asyncio.create_task(self._pass_on(reader, other_writer)))
        self._keep(asyncio.create_task(self._pass_on(other_reader, writer)))

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                if writer not in self._mute:
                    writer.write(data)
                    await writer.drain()
        except OSError:
            pass
        finally:
            self._open.discard(writer)
            writer.transport.abort()
