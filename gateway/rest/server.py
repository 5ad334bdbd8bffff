"""HTTP on uvicorn and httptools, with the deadlines and bounds that uvicorn lacks, run inside our own event loop.

At a limit:
  more than connections_max               503
  headers, path and query too long        431 (HEAD_BYTES_MAX beyond http_body_bytes_max, the bound of the query)
  more than HEADERS_MAX headers           431
  more than PIPELINED_MAX requests sent before their replies  400: uvicorn would queue them without end
  a request not complete in time, also one byte at a time     cut (within one to two times handshake_seconds_max)
  a reply of which nothing is taken for so long               cut
  what is no HTTP                         400
All of these are JSON {"code", "msg"}, as every other answer.
"""
import asyncio
import contextlib
import logging
import math
import socket
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from engine.config import Limits, Tls
from engine.errors import ConfigError
from gateway.refusals import BAD_HTTP, HEADERS_TOO_LARGE, SERVER_BUSY, TOO_MANY_HEADERS, Refusal
from gateway.rest.closing import Closing
from gateway.timer_wheel import TimerWheel
from gateway.tls import tls_context

HEAD_BYTES_MAX = 16 * 1024
HEADERS_MAX = 128
PIPELINED_MAX = 64
KEEP_ALIVE_SECONDS = 75   # longer than clients keep idle connections, so that they hang up first
BACKLOG = 1024
NO_TLS = Tls()
BAD_HTTP_REFUSAL = Refusal(BAD_HTTP)


class Enough(Exception):
    """Raised into the parser, which stops there and reports what it has as no HTTP."""


class BoundedHttp(HttpToolsProtocol):
    """One HTTP connection of uvicorn's, watched."""

    def __init__(self, *args: Any, limits: Limits, wheel: TimerWheel, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wheel_slot = -1
        self._limits, self._wheel = limits, wheel
        self._waiting_since: float | None = None   # for the rest of a request, or the first byte of the first one
        self._head_bytes = 0                       # of a request whose headers are not complete
        self._unsent = 0                           # at the last look
        self._running: RequestResponseCycle | None = None
        self._stopped = BAD_HTTP_REFUSAL           # why, if the parser stops

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start watching, or refuse when the house is full."""
        full = len(self.connections) >= self._limits.connections_max
        super().connection_made(transport)
        self._waiting_since = self.loop.time()
        self._wheel.add(self, self._limits.handshake_seconds_max)
        if full:
            self._refuse(Refusal(SERVER_BUSY))

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        self._wheel.remove(self)
        self._drop_requests()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, then see whether the headers grow without end."""
        if self._waiting_since is None:
            self._waiting_since = self.loop.time()
        self._head_bytes += len(data)
        super().data_received(data)
        most = HEAD_BYTES_MAX + self._limits.http_body_bytes_max
        if self._head_bytes > most and not self.transport.is_closing():
            self._refuse(Refusal(HEADERS_TOO_LARGE, most))

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header more."""
        if len(self.headers) >= HEADERS_MAX:
            self._stopped = Refusal(TOO_MANY_HEADERS, HEADERS_MAX)
            raise Enough
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """What comes now is body, which the application bounds, or the next request."""
        self._head_bytes = 0
        if len(self.pipeline) >= PIPELINED_MAX:
            raise Enough
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Body bytes are none of the next request's headers."""
        self._head_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is here: from now on we are the ones who are waited for."""
        self._head_bytes = 0
        self._waiting_since = None
        super().on_message_complete()

    def on_timer(self, now: float) -> float:
        """Look every handshake_seconds_max: cut who is late with a request and who takes nothing of a reply."""
        seconds = self._limits.handshake_seconds_max
        late = self._waiting_since is not None and now - self._waiting_since >= seconds
        unsent, before = self.transport.get_write_buffer_size(), self._unsent
        self._unsent = unsent
        if late or (unsent and unsent == before):
            self._drop_requests()
            self.transport.abort()
            return 0
        return seconds

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _drop_requests(self) -> None:
        """Nobody waits for replies any more: the one being made is thrown away, the others are not begun."""
        self.pipeline.clear()
        if self._running is not None:
            self._running.disconnected = True
            self._running.message_event.set()

    def send_400_response(self, msg: str) -> None:
        """Called by uvicorn for what is no HTTP."""
        self._refuse(self._stopped)

    def _refuse(self, refusal: Refusal) -> None:
        self._drop_requests()
        body = refusal.body()
        head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
        self.transport.write(STATUS_LINE[refusal.status] + head + body)
        self.transport.close()


class HttpServer(uvicorn.Server):
    """uvicorn.Server that leaves signals to us and says when it listens."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to whoever runs the process."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        self._ready()


async def serve_http(
        app: Any, host: str, port: int, limits: Limits, ready: Callable[[int], None], tls: Tls = NO_TLS) -> None:
    """Serve `app` (ASGI) until cancelled, then refuse for shutdown_notice_seconds; `ready` is told the port.

    Raises ConfigError when it cannot listen.
    """
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)   # it has a line for each request that is no HTTP
    tls_context(tls)   # says what is wrong with the files
    listening = _bind(host, port)
    wheel = TimerWheel()
    closing = Closing(app)
    config = uvicorn.Config(
        closing, http=cast(Any, partial(BoundedHttp, limits=limits, wheel=wheel)), ws="none", loop="none",
        lifespan="off", log_config=None, access_log=False, server_header=False, proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS, timeout_graceful_shutdown=math.ceil(limits.close_seconds_max),
        ssl_certfile=tls.certificate or None, ssl_keyfile=tls.key or None)
    server = HttpServer(config, partial(ready, listening.getsockname()[1]))
    running = asyncio.create_task(server.serve([listening]))
    try:
        await asyncio.shield(running)
    finally:
        if not running.done():
            await closing.begin(limits.shutdown_notice_seconds, server.server_state.connections)
        server.should_exit = True
        with contextlib.suppress(asyncio.CancelledError):
            await running
        wheel.close()


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(BACKLOG)
        except OSError:
            listening.close()
            raise
    except OSError as error:
        why = error.strerror or error
        raise ConfigError(f"cannot listen on {host}:{port}: {why}; choose another port") from None
    return listening
