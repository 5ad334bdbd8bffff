"""A customer who sends thousands of orders before reading a reply gets every reply, in order, and is not cut."""
import asyncio
import json

import uvloop

from tests.gateway.running import ALICE, furnish, limit, running, signed_params
from tests.support.waiting import SECONDS_MAX

ORDERS = 5000


def test_thousands_of_orders_in_one_go(tmp_path):
    async def main() -> None:
        async with running(tmp_path) as venue:
            await furnish(venue)
            async with venue.client(ALICE) as client:
                order = limit("BUY", "100", "0.1", recvWindow=60000)
                requests = [
                    json.dumps({"id": number, "method": "order.place", "params": signed_params(client.key, order)})
                    for number in range(ORDERS)]

                async def send() -> None:
                    for request in requests:
                        await client.socket.send(request)
                sending = asyncio.create_task(send())
                for number in range(ORDERS):
                    async with asyncio.timeout(SECONDS_MAX):
                        reply = json.loads(await client.socket.recv())
                    assert (reply["id"], reply["status"]) == (number, 200)
                await sending
            assert len(venue.core.open_orders(ALICE)) > 0
            venue.core.check()
    uvloop.run(main())
