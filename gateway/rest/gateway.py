"""What happens to every REST request: read, authenticate, hand on, answer. The routes differ only in the table.

The signature is checked here, over the bytes as received; the exchange then trusts the account it is told. Replies pass
through as the bytes they came in. A refusal is a 4xx or 5xx with JSON {"code", "msg"}, never a 2xx.
"""
import logging
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import msgspec
from msgspec import Struct

from engine.config import Config
from gateway.auth import authenticate, named_key, rest_payload
from gateway.door_client import DoorClient
from gateway.keys import KeyStore
from gateway.rates import RateRefusal, Rates, Wait
from gateway.refusals import (
    INVALID_TIME_UNIT,
    UNKNOWN_ERROR,
    WRONG_CONTENT_ENCODING,
    WRONG_CONTENT_TYPE,
    Refusal,
)
from gateway.rest.all_orders import AllOrders
from gateway.rest.candle_reader import CandleReader
from gateway.rest.compatibility import Compatibility
from gateway.rest.history import History
from gateway.rest.http_request import Gone, HttpRequest
from gateway.rest.instruments import Instruments
from gateway.rest.klines import Klines
from gateway.rest.parameters import FORM, read_parameters
from gateway.rest.public_trades import PublicTrades
from gateway.rest.reader import Reader
from gateway.rest.replies import result_of
from gateway.rest.routes import Route
from gateway.rest.statistics import RollingTickers
from gateway.rest.tickers import Tickers
from gateway.rest.usage import Usage

RETRY_SECONDS = "1"
_COUNT_HEADERS = {"SECOND": "X-MBX-ORDER-COUNT-10S", "DAY": "X-MBX-ORDER-COUNT-1D"}
NS_PER_MS, NS_PER_US = 1_000_000, 1000
_log = logging.getLogger(__name__)

Local = Callable[[int, dict[str, str], int], Awaitable[bytes]]


class _Limited(Struct):
    data: Wait | None = None


class _Status(Struct, rename="camel"):
    durable_seq: int


class _OrderCount(Struct):
    interval: str
    count: int


def retry_seconds(body: bytes) -> str:
    """From the `data` of a refusal that came from the exchange; a second if there is none."""
    data = msgspec.json.decode(body, type=_Limited).data
    return str(max(1, (data.retry_after - data.server_time) // 1000)) if data else RETRY_SECONDS


class Gateway:
    """Serves the table's routes. Owns the door and the reader; `close` at the end."""

    def __init__(self, config: Config, door: DoorClient) -> None:
        self._door = door
        self._keys = KeyStore(config.paths.keys)
        self._reader = Reader(config.postgres.dsn, config.rest, self._durable_seq)
        self._rates = Rates(config.rates)
        self._usage = Usage(self._rates)
        self.local = self._local_methods()

    async def answer(self, route: Route, request: HttpRequest) -> tuple[int, bytes, dict[str, str]]:
        """Status, JSON and headers in reply to one request, whatever was asked. Raises Gone."""
        headers: dict[str, str] = {}
        try:
            status, body = await self._serve(route, request, headers)
        except Refusal as refusal:
            status, body = refusal.status, refusal.body()
            if isinstance(refusal, RateRefusal):
                headers["Retry-After"] = str(refusal.retry_seconds)
        except Gone:
            raise
        except Exception:
            _log.exception("%s %s failed", route.verb, route.path)
            status, body = UNKNOWN_ERROR.status, Refusal(UNKNOWN_ERROR).body()
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            headers.setdefault("Retry-After", retry_seconds(body))
        return status, body, headers

    async def close(self) -> None:
        """Hang up."""
        await self._reader.close()
        await self._door.close()

    async def _serve(self, route: Route, request: HttpRequest, headers: dict[str, str]) -> tuple[int, bytes]:
        query = request.query   # at most 64 KiB: httptools takes no more
        body = b"" if route.verb == "GET" else await _form(request)
        params = read_parameters(query, body)
        weight = route.weigh(params) if route.weigh else route.weight
        headers |= self._usage.weigh(request.address, weight)
        unit_ns = _time_unit(request.header(b"x-mbx-time-unit"))
        account = self._authenticate(request, query, body, params) if route.signed else 0
        if route.keyed:
            account = named_key(self._keys, request.header(b"x-mbx-apikey")).account
        if local := self.local.get(route.call):
            return HTTPStatus.OK, await local(account, params, unit_ns)
        if unit_ns == NS_PER_US:
            params["timeUnit"] = "MICROSECOND"
        status, raw = await self._door.call(account, route.call, params)
        if route.counts_order and status == HTTPStatus.OK:
            headers |= await self._order_headers(account)
        return status, bytes(raw)

    async def _order_headers(self, account: int) -> dict[str, str]:
        """How many orders the account has placed: by the exchange's count if it keeps one, else by ours."""
        if not self._rates.counts_orders:
            return self._usage.order(account)
        rows = result_of(await self._door.call(account, "account.rateLimits.orders", {}), list[_OrderCount])
        return {_COUNT_HEADERS[row.interval]: str(row.count) for row in rows}

    def _authenticate(self, request: HttpRequest, query: bytes, body: bytes, params: dict[str, str]) -> int:
        """The account that signed."""
        payload, signature = rest_payload(query, body)
        key = authenticate(
            self._keys, request.header(b"x-mbx-apikey"), payload, signature, params.get("timestamp"),
            params.get("recvWindow"), time.time_ns() // NS_PER_US)
        return key.account

    async def _durable_seq(self) -> int | None:
        """How far the journal is; None when the exchange is away."""
        status, raw = await self._door.call(0, "engine.position", {})
        return msgspec.json.decode(raw, type=_Status).durable_seq if status == HTTPStatus.OK else None

    def _local_methods(self) -> dict[str, Local]:
        instruments = Instruments(self._door)
        history, tickers = History(instruments, self._reader), Tickers(self._door, instruments, self._reader)
        others, candles = Compatibility(instruments), CandleReader(self._reader)
        trades = PublicTrades(instruments, self._reader, candles)
        klines = Klines(instruments, self._reader, candles)
        rolling = RollingTickers(instruments, tickers, candles)
        return {
            "trades.recent": history.recent_trades,
            "myTrades": history.account_trades,
            "allOrders": AllOrders(self._door, instruments, self._reader).find,
            "ticker.price": tickers.price,
            "ticker.book": tickers.book,
            "trades.historical": trades.historical,
            "trades.aggregate": trades.aggregated,
            "klines": klines.klines,
            "uiKlines": klines.klines,
            "avgPrice": klines.average,
            "ticker.24hr": rolling.day,
            "ticker": rolling.window,
            "ticker.tradingDay": rolling.trading_day,
            "asset.tradeFee": others.trade_fees,
            "system.status": others.system_status,
            "nothing.list": others.no_list,
            "nothing.symbols": others.no_symbols,
        }


async def _form(request: HttpRequest) -> bytes:
    """The body of a form. Raises Refusal for any other body."""
    encoding = request.header(b"content-encoding") or "identity"
    if encoding.strip().lower() != "identity":
        raise Refusal(WRONG_CONTENT_ENCODING)
    body = await request.body()
    if body and (request.header(b"content-type") or "").partition(";")[0].strip().lower() != FORM:
        raise Refusal(WRONG_CONTENT_TYPE)
    return body


def _time_unit(text: str | None) -> int:
    if text is None or text.upper() == "MILLISECOND":
        return NS_PER_MS
    if text.upper() == "MICROSECOND":
        return NS_PER_US
    raise Refusal(INVALID_TIME_UNIT)
