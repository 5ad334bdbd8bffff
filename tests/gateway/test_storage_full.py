"""A full disk as a customer meets it: cancels and amendments go through, orders are refused with the reason, also when
both come in one read; and with room everything is as before.
"""
import errno
from pathlib import Path

import pytest

from engine import spare
from engine.config import load_config
from engine.reserve import RESERVE_NAME
from tests.engine.stage import run
from tests.gateway.running import ALICE, furnish, limit, running
from tests.gateway.test_orders_pipelined import Raw, request
from tests.support.waiting import until

REFUSAL = (503, {"code": -1008, "msg": "Server is out of storage and takes cancels only. Please try again in a few "
                                       "minutes."})


def test_cancels_go_through_and_orders_are_refused_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    make_spare, full = spare.make_spare, [False]

    def limited(*arguments: object) -> Path | None:
        if full[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        return make_spare(*arguments)  # type: ignore[arg-type]

    for module in ("spare", "reserve"):
        monkeypatch.setattr(f"engine.{module}.make_spare", limited)
        monkeypatch.setattr(f"engine.{module}.RETRY_SECONDS", 0.02)

    async def story() -> None:
        journal = {"segment_bytes": 2**16, "frame_commands_max": 8}
        reserve = load_config(data_dir=str(tmp_path)).paths.journal / RESERVE_NAME
        async with running(tmp_path, journal=journal) as venue:
            await furnish(venue)
            for name in ("one", "two", "three"):
                await venue.ok(ALICE, "order.place", **limit("BUY", "50000", "0.01", newClientOrderId=name))
            await until(reserve.exists)
            full[0] = True
            while (answer := await venue.call(ALICE, "order.place", **limit("BUY", "50000", "0.001")))[0] == 200:
                pass
            assert answer == REFUSAL
            status, body = await venue.call(0, "admin.credit", account=ALICE, asset="BTC", amount="1", reference="x")
            assert (status, body) == REFUSAL
            raw = await Raw.open(venue.server.url)
            raw.send([request(venue, 1, "order.place", **limit("BUY", "50000", "0.01")),
                      request(venue, 2, "order.cancel", symbol="BTCUSDT", origClientOrderId="one"),
                      request(venue, 3, "order.amend.keepPriority", symbol="BTCUSDT", origClientOrderId="two",
                              newQty="0.005")])
            replies = await raw.receive(3)
            await raw.close()
            assert [(reply["id"], reply["status"]) for reply in replies] == [(1, 503), (2, 200), (3, 200)]
            assert replies[0]["error"] == REFUSAL[1]
            assert replies[1]["result"]["status"] == "CANCELED"
            assert len(await venue.ok(ALICE, "openOrders.cancelAll", symbol="BTCUSDT")) > 2
            full[0] = False
            await until(lambda: not venue.server.venue.engine.storage_low)
            await venue.ok(ALICE, "order.place", **limit("BUY", "50000", "0.01"))
    run(story())
