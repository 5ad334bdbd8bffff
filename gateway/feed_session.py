"""One market-stream connection: what its path asks for, its control messages, and its subscriptions.

The answer to a request goes out before the data it asked for. At most subscriptions_max streams: a request for more is
refused as a whole, an address that names more is closed with 1008, and so is an address that is no path of streams.
A listen key that is over leaves the connection, which is closed with 1008 when nothing else is left of it.
"""
from gateway.feed_control import (
    InvalidRequest,
    Request,
    combined_property,
    decode_request,
    error_json,
    result_json,
    stream_names,
)
from gateway.feed_hub import Hub
from gateway.feed_names import parse_path
from gateway.feed_shapes import ServerShutdown
from gateway.feed_users import FeedUsers
from gateway.listen_words import is_listen_key
from gateway.protocol import encode
from gateway.websocket import Connection

_POLICY_VIOLATION, _TRY_AGAIN_LATER = 1008, 1013


class FeedSession:
    """The handler of one connection."""

    connection: Connection

    def __init__(self, hub: Hub, users: FeedUsers, subscriptions_max: int) -> None:
        self._hub, self._users, self._subscriptions_max = hub, users, subscriptions_max
        self._combined = False
        self._names: dict[str, None] = {}   # in order of subscription

    def opened(self, connection: Connection) -> None:
        """Subscribe to what the address names."""
        self.connection = connection
        self._hub.listeners.add(self)
        target = parse_path(connection.path, connection.query)
        if target is None:
            connection.close(_POLICY_VIOLATION, "no such path: use /ws, /ws/NAME or /stream?streams=NAME")
        elif len(target.names) > self._subscriptions_max:
            connection.close(_POLICY_VIOLATION, f"more than {self._subscriptions_max} streams")
        else:
            self._combined = target.combined
            self._show(self._add(target.names))

    def message(self, data: bytes) -> None:
        """Carry out one control message."""
        try:
            request = decode_request(data)
            answer, states = self._carry_out(request)
            self.connection.send(result_json(request, answer))
            self._show(states)
        except InvalidRequest as error:
            self.connection.send(error_json(error))

    def batch_end(self) -> None:
        """Each message has been answered already."""

    def closed(self) -> None:
        """Leave all streams."""
        self._remove(list(self._names))
        self._hub.listeners.discard(self)

    def lost(self) -> None:
        """Messages of a diff stream or private events are missing: let the client start again from a snapshot."""
        self._remove(list(self._names))
        self.connection.close(_TRY_AGAIN_LATER, "messages were lost: connect again and take a new snapshot")

    def private(self, key: str, event: bytes) -> None:
        """An event of a listen key."""
        self.connection.send(b'{"stream":"%b","data":%b}' % (key.encode(), event) if self._combined else event)

    def key_ended(self, key: str) -> None:
        """A listen key is over, or never was."""
        self._remove([key])
        if not self._names:
            self.connection.close(_POLICY_VIOLATION, "this listen key does not exist, or no more: ask for a new one")

    def shutdown(self, now_ms: int) -> None:
        """Announce the end of this process."""
        event = encode(ServerShutdown(event_time=now_ms))
        if self._combined:
            event = b'{"stream":"!serverShutdown","data":%b}' % event
        self.connection.send(event)

    def _carry_out(self, request: Request) -> tuple[object, list[bytes]]:
        """The result, and the frames of states to show after it."""
        match request.method:
            case "SUBSCRIBE":
                return None, self._subscribe(request)
            case "UNSUBSCRIBE":
                self._remove([name for name in stream_names(request) if name in self._names])
                return None, []
            case "LIST_SUBSCRIPTIONS":
                return list(self._names), []
            case "GET_PROPERTY":
                combined_property(request)
                return self._combined, []
            case _:
                self._wrap(bool(combined_property(request)))
                return None, []

    def _subscribe(self, request: Request) -> list[bytes]:
        names = [name for name in stream_names(request) if name not in self._names]
        if len(self._names) + len(names) > self._subscriptions_max:
            raise InvalidRequest(f"more than {self._subscriptions_max} streams: use another connection", request.id)
        return self._add(names)

    def _add(self, names: list[str]) -> list[bytes]:
        states = []
        for name in names:
            self._names[name] = None
            if is_listen_key(name):
                self._users.join(name, self)
                continue
            state = self._hub.subscribe(self, name, self._combined)
            if state is not None:
                states.append(state)
        return states

    def _remove(self, names: list[str]) -> None:
        for name in names:
            del self._names[name]
            if is_listen_key(name):
                self._users.leave(name, self)
                continue
            self._hub.unsubscribe(self, name, self._combined)

    def _wrap(self, combined: bool) -> None:
        """Go on with the same streams in the other wrapping."""
        names = list(self._names)
        self._remove(names)
        self._combined = combined
        self._add(names)

    def _show(self, states: list[bytes]) -> None:
        for state in states:
            self.connection.send_frame(state)
