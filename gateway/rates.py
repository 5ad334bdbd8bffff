"""Enforced rates: request weight per address and minute, orders per account in 10 seconds and in a day; then bans.

Each process counts what comes to it: the exchange its WebSocket requests and everybody's orders, REST its requests.
Windows are fixed stretches of time, as the protocol counts. An order counts when it is handed to the engine, whatever
becomes of it there. Above a limit a request is refused with 429 and the time to wait; an address that goes on for
`ban_refusals` refusals within its minute is refused everything for `ban_seconds`, with 418. Everything is off at 0.
"""
import time

from msgspec import UNSET, Struct

from engine.config import Rates as Settings
from gateway.refusals import BANNED, TOO_MANY_ORDERS, TOO_MUCH_WEIGHT, Refusal, Terms
from gateway.symbol_shapes import RateLimit
from gateway.windows import Window

MINUTE, TEN_SECONDS, DAY = 60, 10, 86400
BANS_MAX = 65536
_NS_PER_MS = 1_000_000


class Wait(Struct, rename="camel"):
    """Beside code and msg when it was too much: the time now, and when it may be tried again."""

    server_time: int
    retry_after: int


class RateRefusal(Refusal):
    """Too much of something; `retry_seconds`: when it may be tried again."""

    def __init__(self, terms: Terms, retry_seconds: int, *args: object) -> None:
        now_ms = time.time_ns() // _NS_PER_MS
        super().__init__(terms, *args, data=Wait(now_ms, now_ms + 1000 * retry_seconds))
        self.retry_seconds = retry_seconds


class Rates:
    """The windows of one process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.counts_weight = settings.weight_minute_max > 0
        self.counts_orders = settings.orders_ten_seconds_max > 0 or settings.orders_day_max > 0
        self._weight, self._refusals = Window(MINUTE), Window(MINUTE)
        self._orders = ((Window(TEN_SECONDS), TEN_SECONDS, settings.orders_ten_seconds_max, "SECOND", 10),
                        (Window(DAY), DAY, settings.orders_day_max, "DAY", 1))
        self._bans: dict[str, float] = {}   # address: until when

    def request(self, address: str, weight: int) -> int:
        """Count a request; the weight its address has used in this minute. Raises RateRefusal."""
        now_s = time.time()
        until = self._bans.get(address, 0.0)
        if until > now_s:
            raise RateRefusal(BANNED, int(until - now_s) + 1, int(until * 1000))
        used = self._weight.add(address, weight, now_s)
        most = self.settings.weight_minute_max
        if not most or used <= most:
            return used
        if self._refusals.add(address, 1, now_s) >= self.settings.ban_refusals:
            self._ban(address, now_s)
        raise RateRefusal(TOO_MUCH_WEIGHT, _rest_of(MINUTE, now_s), most, "1 MINUTE")

    def order(self, account: int, count: int = 1) -> None:
        """Count new orders of an account, unless they are too many. Raises RateRefusal; then none is counted."""
        now_s = time.time()
        for window, seconds, most, name, number in self._orders:
            if most and window.add(account, 0, now_s) + count > most:
                raise RateRefusal(TOO_MANY_ORDERS, _rest_of(seconds, now_s), most, f"{number} {name}")
        for window, *_ in self._orders:
            window.add(account, count, now_s)

    def order_limits(self, account: int | None) -> list[RateLimit]:
        """The limits of orders that are in force; with an account, how much of them it has used."""
        now_s = time.time()
        return [_limit("ORDERS", name, number, most, None if account is None else window.add(account, 0, now_s))
                for window, _, most, name, number in self._orders if most]

    def weight_limits(self, used: int | None) -> list[RateLimit]:
        """The limit of weight, if it is in force."""
        most = self.settings.weight_minute_max
        return [_limit("REQUEST_WEIGHT", "MINUTE", 1, most, used)] if most else []

    def _ban(self, address: str, now_s: float) -> None:
        if len(self._bans) >= BANS_MAX:
            self._bans = {name: until for name, until in self._bans.items() if until > now_s}
        if len(self._bans) < BANS_MAX:
            self._bans[address] = now_s + self.settings.ban_seconds


def _limit(kind: str, interval: str, number: int, most: int, count: int | None) -> RateLimit:
    return RateLimit(kind, interval, number, most, UNSET if count is None else count)


def _rest_of(seconds: int, now_s: float) -> int:
    """Seconds to the end of the present stretch."""
    return seconds - int(now_s) % seconds
