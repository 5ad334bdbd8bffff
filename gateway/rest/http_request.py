"""One HTTP request as ASGI tells of it: what the routes look at, and no more."""
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from gateway.refusals import BODY_TOO_LARGE, Refusal

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]


class Gone(Exception):
    """The client hung up before its request was complete."""


class HttpRequest:
    """`path` as sent, with its escapes; `query` behind the "?"; `address` of the client, "" if there is none."""

    __slots__ = ("_body_bytes_max", "_headers", "_receive", "address", "path", "query", "verb")

    def __init__(self, scope: Message, receive: Receive, body_bytes_max: int) -> None:
        self.verb: str = scope["method"]
        self.path: bytes = scope["raw_path"]
        self.query: bytes = scope["query_string"]
        client = scope["client"]
        self.address: str = client[0] if client else ""
        self._headers: dict[bytes, bytes] = dict(reversed(scope["headers"]))   # the first of a name counts
        self._receive, self._body_bytes_max = receive, body_bytes_max

    def header(self, name: bytes) -> str | None:
        """The value of a header, whose name is in lower case."""
        value = self._headers.get(name)
        return value.decode("latin-1") if value is not None else None

    async def body(self) -> bytes:
        """All of it. Raises Refusal when it is too large, Gone."""
        length = self._headers.get(b"content-length")
        if length is not None and int(length) > self._body_bytes_max:
            raise Refusal(BODY_TOO_LARGE, self._body_bytes_max)
        parts, size, more = [], 0, True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Gone
            part = message.get("body", b"")
            size += len(part)
            if size > self._body_bytes_max:
                raise Refusal(BODY_TOO_LARGE, self._body_bytes_max)
            parts.append(part)
            more = message.get("more_body", False)
        return parts[0] if len(parts) == 1 else b"".join(parts)
