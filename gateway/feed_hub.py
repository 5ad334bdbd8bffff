"""The middle of the feed: messages from Redis in, frames to subscribers out. Knows no sockets and no engine.

What happens when something is lost (Redis or the worker restarted, a hole in a sequence):
  diff depth      every connection that listens to it is closed with 1013, so that it takes a new snapshot
  other streams   go on; what was kept as last state is forgotten until the publisher says it again, within a second
  publisher dead  partial depth is no longer repeated after STALE_SECONDS: an old book must not look alive
Topics exist for instruments heard of and for streams listened to; the latter go when the last listener goes.
"""
import asyncio
import logging
from collections import Counter

from engine.market_channels import (
    ALL_SYMBOLS,
    DIFFERENCES,
    FAST_MS,
    PARTIAL_LEVELS,
    SLOW_MS,
    EnvelopeError,
    Kind,
    decode_envelope,
    symbol_of,
)
from gateway.feed_names import StreamKind, parse_stream
from gateway.feed_sequence import SequenceWatch, Verdict
from gateway.feed_topics import Listener, Topic

_TICKS_A_SECOND = SLOW_MS // FAST_MS
_log = logging.getLogger(__name__)
Key = tuple[str, Kind]   # symbol in small letters


class Hub:
    """Subscriptions of all connections of this process; also the reader of the Redis subscriber."""

    def __init__(self) -> None:
        self.listeners: set[Listener] = set()
        self.ready = asyncio.Event()            # the first connection to Redis has subscribed
        self.counts: Counter[str] = Counter()   # messages, gaps, old, foreign: for logs and tests
        self._topics: dict[Key, Topic] = {}
        self._listening: Counter[Key] = Counter()
        self._dirty: dict[Topic, None] = {}
        self._watch = SequenceWatch()

    # for sessions

    def subscribe(self, listener: Listener, name: str, combined: bool) -> bytes | None:
        """Add a listener; the frame of the last known state, if the stream has one."""
        symbol, stream = self._parse(name)
        key = (symbol, stream.kind)
        topic = self._topic(key)
        self._listening[key] += 1
        audience = topic.join(name, stream.slow, combined)
        audience.members[listener.connection.outlet] = listener
        return audience.frame(topic.last) if topic.last is not None else None

    def unsubscribe(self, listener: Listener, name: str, combined: bool) -> None:
        """Take a listener out that `subscribe` added."""
        symbol, stream = self._parse(name)
        key = (symbol, stream.kind)
        topic = self._topics[key]
        topic.leave(name, stream.slow, combined, listener.connection)
        self._listening[key] -= 1
        if not self._listening[key]:
            del self._listening[key]
            if topic.last is None:
                del self._topics[key]

    # for the Redis subscriber

    def linked(self) -> None:
        """A new connection to Redis: nobody knows what was missed."""
        self.ready.set()
        self._watch.reset()
        self._gap(None, "connected to Redis")

    def message(self, channel: bytes, data: bytes) -> None:
        """One envelope; foreign bytes on a channel are counted, logged and dropped."""
        try:
            envelope = decode_envelope(data)
        except EnvelopeError as error:
            self.counts["foreign"] += 1
            _log.error("%s: %s", channel.decode(errors="replace"), error)
            return
        verdict = self._watch.judge(channel, envelope.epoch, envelope.seq, self._now())
        if verdict is Verdict.OLD:
            self.counts["old"] += 1
            return
        symbol = symbol_of(channel).lower()
        if verdict is not Verdict.GOOD:
            self._gap(symbol if verdict is Verdict.HOLE else None, verdict.name)
        for entry in envelope.entries:
            topic = self._topic((symbol, entry.kind))
            if topic.push(entry.payload, entry.refresh):
                self._dirty[topic] = None
            if entry.kind is Kind.BOOK_TICKER and not entry.refresh:
                self._also(entry.payload)
        self.counts["messages"] += len(envelope.entries)

    def read_end(self) -> None:
        """Send everything that one read has brought."""
        for topic in self._dirty:
            topic.flush()
        self._dirty.clear()

    # for the clock

    async def tick(self) -> None:
        """Repeat partial depth at its cadence, and tell states to those who were behind; until cancelled."""
        count = 0
        while True:
            await asyncio.sleep(FAST_MS / 1000)
            count += 1
            for key in list(self._listening):
                self._topics[key].catch_up()
            if not self._watch.stale(self._now()):
                self._repeat(slow=count % _TICKS_A_SECOND == 0)

    def shutdown(self, now_ms: int) -> None:
        """Tell everyone that this process ends."""
        for listener in self.listeners:
            listener.shutdown(now_ms)

    # steps

    def _repeat(self, slow: bool) -> None:
        for symbol, kind in list(self._listening):
            if kind in PARTIAL_LEVELS:
                topic = self._topics[symbol, kind]
                topic.fast_tick()
                if slow:
                    topic.slow_tick()

    def _gap(self, symbol: str | None, reason: str) -> None:
        """Forget states and part with diff-depth listeners: of one instrument, or of all (None)."""
        self.counts["gaps"] += 1
        parted: set[Listener] = set()
        for (of, kind), topic in self._topics.items():
            if symbol in (None, of):
                topic.last = None
                if kind in DIFFERENCES:
                    parted.update(topic.listeners())
        _log.log(logging.WARNING if parted else logging.INFO, "gap in %s: %s; %d connections are closed",
                 symbol or "all streams", reason, len(parted))
        for listener in parted:
            listener.lost()

    def _also(self, book_ticker: bytes) -> None:
        """For those who listen to all instruments at once."""
        topic = self._topics.get((ALL_SYMBOLS, Kind.BOOK_TICKERS))
        if topic is not None and topic.push(book_ticker, refresh=False):
            self._dirty[topic] = None

    def _topic(self, key: Key) -> Topic:
        topic = self._topics.get(key)
        if topic is None:
            topic = self._topics[key] = Topic(key[1])
        return topic

    @staticmethod
    def _parse(name: str) -> tuple[str, StreamKind]:
        parsed = parse_stream(name)
        assert parsed is not None, f"{name!r} was let through"
        return parsed

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
