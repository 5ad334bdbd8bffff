"""The methods of the WebSocket API that a REST process answers for the exchange, because Postgres has to be asked.

They are answered when the answer is there: replies to later requests may come before. A question behind an order is
put when the order is durable, and the ledger is waited for, so that it sees the order's trades.
"""
from functools import partial
from typing import TYPE_CHECKING, Protocol

from engine.config import Config
from gateway.door_client import DoorClient, Reply
from gateway.order_terms import SECURITY_PARAMS, Params

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

PUBLIC = frozenset((
    "klines", "uiKlines", "avgPrice", "ticker.24hr", "ticker.tradingDay", "ticker", "trades.historical",
    "trades.aggregate"))
SIGNED = frozenset(("myTrades", "allOrders"))
QUESTIONS = PUBLIC | SIGNED
SECONDS_OVER = 2.0   # beyond what Postgres may take
_NS_PER_US = 1000


class Answered(Protocol):
    """Receives the one answer of a question."""

    def __call__(self, status: int, body: bytes) -> None:
        """`body` is the JSON of the result, or of the error unless status is 200."""


class Questions:
    """The exchange's side. A REST process that is away gives 503 -1001; see door_client.py."""

    def __init__(self, config: Config) -> None:
        self._client = DoorClient(
            config.paths.questions, calls_max=config.limits.requests_in_flight_max,
            reply_seconds_max=config.rest.history_seconds_max + config.rest.history_lag_seconds_max + SECONDS_OVER)

    def start(self) -> None:
        """Begin to look for a REST process."""
        self._client.start()

    async def close(self) -> None:
        """Hang up; what is not answered ends with 503 -1007."""
        await self._client.close()

    def ask(self, account: int, method: str, params: Params, unit_ns: int, answered: "Answered") -> None:
        """Put the question; `answered` is called once, on the loop."""
        wanted = {name: text for name, text in params.items() if name not in SECURITY_PARAMS}
        if unit_ns == _NS_PER_US:
            wanted["timeUnit"] = "MICROSECOND"
        reply = self._client.post(account, method, wanted)
        done: Callable[[asyncio.Future[Reply]], None] = partial(_pass_on, answered)
        reply.add_done_callback(done)


def _pass_on(answered: "Answered", reply: "asyncio.Future[Reply]") -> None:
    if not reply.cancelled():
        status, body = reply.result()
        answered(status, bytes(body))
