"""From the entries of one channel each to envelopes in Redis: who has something to say, and how it is sent.

A channel belongs to an instrument, or to what is told of all instruments in one message.
"""
from collections.abc import Iterable
from typing import Protocol

from engine.market_channels import ALL_SYMBOLS, Kind, channel, encode_entry, encode_envelope, portions
from workers.redis_publisher import RedisPublisher


class Speaker(Protocol):
    """What has a channel and its sequence."""

    entries: list[bytes]
    seq: int

    @property
    def symbol(self) -> str:
        """Names the channel."""


class Lists:
    """Speaks of all instruments."""

    def __init__(self) -> None:
        self.symbol = ALL_SYMBOLS
        self.entries: list[bytes] = []
        self.seq = 0

    def tell(self, texts: dict[Kind, list[bytes]]) -> None:
        """One list for each kind that has something."""
        self.entries += [
            encode_entry(kind, b"[" + b",".join(each) + b"]") for kind, each in texts.items() if each]


class Outbox:
    """Sends what speakers have gathered, or drops it while Redis is away."""

    def __init__(self, publisher: RedisPublisher, database: int) -> None:
        self._publisher, self._database = publisher, database

    def send(self, speakers: Iterable[Speaker]) -> None:
        """Everything that these have to say, one message per channel, one write."""
        for speaker in speakers:
            if speaker.entries and self._publisher.connected:
                name = channel(self._database, speaker.symbol)
                for portion in portions(speaker.entries):
                    speaker.seq += 1
                    self._publisher.publish(name, encode_envelope(self._publisher.epoch, speaker.seq, portion))
            speaker.entries.clear()
        self._publisher.flush()
