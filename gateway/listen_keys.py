"""Listen keys: names under which an account's private events are told on the listener of market streams.

An account has at most one, good for `seconds` since it was last asked for or kept alive; asking again gives the same
one. They live in this process: after its restart none is known (-1125) and clients ask for a new one. From its
beginning to its end a key's events go to `told`, whether anybody listens or not, so that nothing falls between the
moment a client has its key and the moment it connects.
"""
import asyncio
import secrets
import time
from collections.abc import Callable

from msgspec import Struct

from gateway.feed_shapes import ListenKeyExpired
from gateway.listen_words import ENDED, EVENT, KEY_BYTES, STARTED
from gateway.order_terms import Params, needed
from gateway.protocol import EMPTY_RESULT, encode
from gateway.refusals import INVALID_LISTEN_KEY, Refusal
from gateway.small_shapes import ListenKey
from gateway.user_events import UserStreams

NS_PER_MS = 1_000_000
Told = Callable[[str, str, bytes], None]   # one of listen_words, the key, JSON: of ENDED null if the client ended it


class _Key(Struct, eq=False):
    """One key, as the user streams see it."""

    text: str
    account: int
    ends_at: float   # loop time
    tell: Told
    microseconds: bool = False

    def user_event(self, account: int, event: bytes) -> None:
        self.tell(EVENT, self.text, event)


class ListenKeys:
    """Methods take (account, params, unit_ns), give JSON and raise Refusal, as all others do."""

    def __init__(self, streams: UserStreams, seconds: float) -> None:
        self.listeners: list[Told] = []
        self._streams, self._seconds = streams, seconds
        self._keys: dict[int, _Key] = {}   # by account, the next to end first
        self._timer: asyncio.TimerHandle | None = None

    @property
    def known(self) -> list[str]:
        """All keys that are good now."""
        return [key.text for key in self._keys.values()]

    def start(self, account: int, params: Params, unit_ns: int) -> bytes:
        """userDataStream.start: the account's key, good for another `seconds`."""
        key = self._keys.get(account)
        if key is None:
            key = _Key(secrets.token_hex(KEY_BYTES), account, 0.0, self._tell)
            self._streams.subscribe(account, key)
            self._tell(STARTED, key.text, b"null")
        self._keep(key)
        return encode(ListenKey(key.text))

    def ping(self, account: int, params: Params, unit_ns: int) -> bytes:
        """userDataStream.ping: good for another `seconds`."""
        self._keep(self._find(account, params))
        return EMPTY_RESULT

    def stop(self, account: int, params: Params, unit_ns: int) -> bytes:
        """userDataStream.stop"""
        self._end(self._find(account, params), b"null")
        return EMPTY_RESULT

    def close(self) -> None:
        """The process ends."""
        if self._timer is not None:
            self._timer.cancel()

    def _find(self, account: int, params: Params) -> _Key:
        key = self._keys.get(account)
        if needed(params, "listenKey") != (key.text if key else None) or key is None:
            raise Refusal(INVALID_LISTEN_KEY)
        return key

    def _keep(self, key: _Key) -> None:
        loop = asyncio.get_running_loop()
        key.ends_at = loop.time() + self._seconds
        self._keys.pop(key.account, None)
        self._keys[key.account] = key
        if self._timer is None:
            self._timer = loop.call_at(key.ends_at, self._look)

    def _look(self) -> None:
        """End the keys whose time is over, and wait for the next."""
        loop = asyncio.get_running_loop()
        self._timer = None
        for key in list(self._keys.values()):
            if key.ends_at > loop.time():
                self._timer = loop.call_at(key.ends_at, self._look)
                return
            event = ListenKeyExpired(event_time=time.time_ns() // NS_PER_MS, listen_key=key.text)
            self._end(key, encode(event))

    def _end(self, key: _Key, event: bytes) -> None:
        del self._keys[key.account]
        self._streams.unsubscribe(key.account, key)
        self._tell(ENDED, key.text, event)

    def _tell(self, word: str, key: str, payload: bytes) -> None:
        for listener in self.listeners:
            listener(word, key, payload)
