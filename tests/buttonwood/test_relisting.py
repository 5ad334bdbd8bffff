"""A listing that was changed is applied to a venue set up before: told as commands, never ignored, nothing twice."""
import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from buttonwood.bootstrap import bootstrap
from buttonwood.listing import AccountTerms, AssetTerms, InstrumentTerms, Listing
from engine.core.codes import InstrumentStatus
from engine.errors import VenueError
from tests.gateway.running import ALICE, Running, limit, running
from tests.support.waiting import STORY_SECONDS_MAX

BTC = InstrumentTerms(symbol="BTCUSDT", base="BTC", quote="USDT", tick="0.01", lot="0.0001", max_price="1000000",
                      max_quantity="9000", min_notional="5")
ETH = replace(BTC, symbol="ETHUSDT", base="ETH")
FIRST = Listing(assets=[AssetTerms(code="USDT"), AssetTerms(code="BTC")], instruments=[BTC],
                accounts=[AccountTerms(id=ALICE, label="alice", balances={"USDT": "100000", "BTC": "1"})])
WIDER = Listing(assets=[AssetTerms(code="ETH"), *FIRST.assets], instruments=[ETH, BTC], accounts=FIRST.accounts)
LIMITS: dict[str, Any] = {
    "max_notional": "50000", "reference_price": "50000", "band_up_ppm": 100_000, "band_down_ppm": 200_000,
    "orders_max": 3, "stops_max": 1, "slippage_ppm": 5000, "day_end_s": 3600}
Story = Callable[[Running], Awaitable[None]]


def told(folder: Path, *stories: Story) -> None:
    """Each on a start of its own, of one venue that was set up with FIRST."""
    async def run() -> None:
        async with running(folder / "data") as venue:
            assert await bootstrap(venue.server.venue.config, FIRST) == FIRST.requests()
        for story in stories:
            async with running(folder / "data") as venue:
                await story(venue)
                venue.core.check()
    asyncio.run(asyncio.wait_for(run(), STORY_SECONDS_MAX))


async def listed(venue: Running, listing: Listing) -> list[tuple[str, dict[str, Any]]]:
    return await bootstrap(venue.server.venue.config, listing)


def only(**changes: Any) -> Listing:
    return replace(FIRST, instruments=[replace(BTC, **changes)])


def test_changed_fees_bounds_and_limits_are_commands_and_the_rest_stays(tmp_path: Path) -> None:
    async def change(venue: Running) -> None:
        halted = {name: value for name, value in FIRST.requests()[2][1].items() if name != "status"}
        await venue.ok(0, "admin.instrument", **halted, status=int(InstrumentStatus.CANCEL_ONLY))
        seq, before = venue.core.seq, venue.core.wallets()
        sent = await listed(venue, only(taker_fee_ppm=2500, max_price="2000000", **LIMITS))
        assert [method for method, _ in sent] == ["admin.instrument", "admin.limits", "admin.protection"]
        assert venue.core.seq == seq + 3 and venue.core.wallets() == before
        assert venue.core.fees(1) == (1000, 2500)
        assert venue.core.limits(1) == (50_000 * 10**8, 5_000_000, 100_000, 200_000, 3)
        assert venue.core.protection(1) == (5000, 1, 3600)
        found = venue.server.venue.engine.catalog.by_id[1]
        assert (found.status, found.max_ticks) == (InstrumentStatus.CANCEL_ONLY, 200_000_000)

    async def again(venue: Running) -> None:
        seq = venue.core.seq
        assert await listed(venue, only(taker_fee_ppm=2500, max_price="2000000", **LIMITS)) == []
        assert await listed(venue, only(max_price="2000000")) == [], "what is not said stays"
        assert venue.core.seq == seq
        assert await listed(venue, only(max_price="2000000", band_up_ppm=0)) == [("admin.limits", {
            "instrument": 1, "max_notional": 50_000 * 10**8, "reference_ticks": 5_000_000, "band_up_ppm": 0,
            "band_down_ppm": 200_000, "orders_max": 3})]
    told(tmp_path, change, again)


def test_what_is_new_is_added_and_no_balance_is_credited_twice(tmp_path: Path) -> None:
    async def widen(venue: Running) -> None:
        before = venue.core.account_wallets(ALICE)
        assert [(method, params.get("asset", params.get("instrument"))) for method, params in await listed(
            venue, WIDER)] == [("admin.asset", 3), ("admin.instrument", 2)]
        assert venue.core.account_wallets(ALICE) == before
        assert sorted(venue.server.venue.engine.catalog.by_symbol) == ["BTCUSDT", "ETHUSDT"]
        assert await listed(venue, WIDER) == await listed(venue, FIRST) == []
    told(tmp_path, widen)


@pytest.mark.parametrize(("listing", "words"), [
    (only(tick="0.1"), "BTCUSDT: tick_value is 10"),
    (replace(FIRST, assets=[AssetTerms(code="USDT", scale=6), AssetTerms(code="BTC")]), "asset USDT: its scale is 8"),
    (Listing(assets=WIDER.assets, instruments=[ETH]), "another venue, with BTC, BTCUSDT, USDT")])
def test_what_can_never_change_is_refused_and_nothing_is_sent(listing: Listing, words: str, tmp_path: Path) -> None:
    async def refuse(venue: Running) -> None:
        seq = venue.core.seq
        with pytest.raises(VenueError, match=words):
            await listed(venue, listing)
        assert venue.core.seq == seq
    told(tmp_path, refuse)


def test_each_limit_of_a_listing_shows_in_exchange_info_and_refuses(tmp_path: Path) -> None:
    async def refuse(venue: Running) -> None:
        await listed(venue, only(**LIMITS))
        info = await venue.ok(ALICE, "exchangeInfo")
        filters = {row["filterType"]: row for row in info["symbols"][0]["filters"]}
        assert filters["MAX_NUM_ORDERS"]["maxNumOrders"] == 3
        assert filters["MAX_NUM_ALGO_ORDERS"]["maxNumAlgoOrders"] == 1
        assert filters["PERCENT_PRICE_BY_SIDE"]["bidMultiplierUp"] == "1.100000"
        assert filters["PERCENT_PRICE_BY_SIDE"]["askMultiplierDown"] == "0.800000"
        assert filters["NOTIONAL"]["maxNotional"] == "50000.00000000"

        async def why(**order: Any) -> str:
            status, body = await venue.call(ALICE, "order.place", **order)
            return "" if status == 200 else str(body["msg"].removeprefix("Filter failure: "))
        assert await why(**limit("BUY", "55000.01", "0.01")) == "PERCENT_PRICE_BY_SIDE"
        assert await why(**limit("BUY", "39999.99", "0.01")) == "PERCENT_PRICE_BY_SIDE"
        assert await why(**limit("BUY", "50000", "1.1")) == "NOTIONAL"
        stop = {**limit("BUY", "51000", "0.01"), "type": "STOP_LOSS_LIMIT", "stopPrice": "51000"}
        assert [await why(**stop), await why(**stop)] == ["", "MAX_NUM_ALGO_ORDERS"]
        assert [await why(**limit("BUY", price, "0.01")) for price in ("40000", "40001", "40002")] == [
            "", "", "MAX_NUM_ORDERS"]
    told(tmp_path, refuse)
