"""Traffic on one instrument: `python -m tests.clients.load URL KEY SECRET SYMBOL PER_SECOND`, until its input ends.

Half of the requests place limit orders around a price that walks, half cancel the oldest; some cross and trade. It
works for 4.5 s and rests for 0.5 s, sending as many as the rate asks for in the whole of both: in the rest a client can
compare its book with the venue's. At the end everything is canceled and one JSON line says how many requests were
answered, refusals (an order that was filled before its cancel came) aside.
"""
import asyncio
import json
import random
import sys
import time
from collections import deque

from buttonwood.trading_client import RequestRefused, TradingClient

WORK_SECONDS, REST_SECONDS = 4.5, 0.5
SLICE_SECONDS = 0.05
OPEN_ORDERS = 400
MIDDLE_TICKS, REACH_TICKS = 6_000_000, 300


class Traffic:
    """One connection's orders."""

    def __init__(self, client: TradingClient, symbol: str) -> None:
        self._client, self._symbol = client, symbol
        self._chance, self._middle = random.Random(7), MIDDLE_TICKS
        self._open: deque[int] = deque()
        self.answered = self.refused = 0

    async def slice(self, requests: int) -> None:
        """So many requests at once; returns when all are answered."""
        surplus = max(0, min(requests, len(self._open) + requests // 2 - OPEN_ORDERS))
        cancels = [self._cancel(self._open.popleft()) for _ in range(min(surplus, len(self._open)))]
        await asyncio.gather(*cancels, *(self._place() for _ in range(requests - len(cancels))))

    async def end(self) -> None:
        """Take everything off the book."""
        await self._ask("openOrders.cancelAll")

    async def _place(self) -> None:
        self._middle += self._chance.randint(-3, 3)
        side = self._chance.choice(("BUY", "SELL"))
        away = self._chance.randint(-8, REACH_TICKS) * (-1 if side == "BUY" else 1)
        price = self._middle + away
        reply = await self._ask("order.place", side=side, type="LIMIT", timeInForce="GTC", newOrderRespType="ACK",
                                price=f"{price // 100}.{price % 100:02}",
                                quantity=f"0.{self._chance.randint(1, 900):05}")
        if reply is not None:
            self._open.append(reply["orderId"])

    async def _cancel(self, order: int) -> None:
        await self._ask("order.cancel", orderId=order)

    async def _ask(self, method: str, **params: object) -> dict[str, int] | None:
        try:
            result: dict[str, int] = await self._client.request(method, symbol=self._symbol, **params)
        except RequestRefused:
            self.refused += 1
            return None
        self.answered += 1
        return result


async def work(url: str, key: str, secret: str, symbol: str, rate: float) -> Traffic:
    """Until standard input ends; more than the venue or this machine manages is not sent."""
    stop = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    round_seconds = WORK_SECONDS + REST_SECONDS
    per_slice = round(rate * round_seconds / WORK_SECONDS * SLICE_SECONDS)
    async with TradingClient(url, key, secret, answer_seconds_max=60) as client:
        traffic = Traffic(client, symbol)
        began = time.monotonic()
        while not stop.done():
            now = time.monotonic()
            into = (now - began) % round_seconds
            if into < WORK_SECONDS:
                await traffic.slice(per_slice)
                await asyncio.sleep(max(0.0, now + SLICE_SECONDS - time.monotonic()))
            else:
                await asyncio.sleep(round_seconds - into)
        seconds = time.monotonic() - began
        await traffic.end()
    print(json.dumps({"answered": traffic.answered, "refused": traffic.refused, "seconds": round(seconds, 1)}))
    return traffic


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:5], float(sys.argv[5])))
