"""An interrupted first configuration goes on where it stopped, also with the exchange's own commands in between."""
import asyncio
from pathlib import Path

import pytest

from buttonwood.bootstrap import bootstrap
from buttonwood.demo import demo_listing
from tests.gateway.running import running
from tests.support.waiting import STORY_SECONDS_MAX

REQUESTS = demo_listing().requests()


@pytest.mark.parametrize("sent", [0, 1, 9, len(REQUESTS) - 1])
def test_it_goes_on_behind_what_was_sent(sent: int, tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path / "whole") as venue:
            assert await bootstrap(venue.server.venue.config, demo_listing())
            wallets = venue.core.wallets()
        async with running(tmp_path / "cut") as venue:
            for method, params in REQUESTS[:sent]:
                await venue.ok(0, "admin.snapshot")     # a mark, which the exchange also puts there by itself
                await venue.ok(0, method, **params)
        async with running(tmp_path / "cut") as venue:
            for _ in REQUESTS:
                await venue.ok(0, "admin.snapshot")
            assert await bootstrap(venue.server.venue.config, demo_listing())
            assert venue.core.wallets() == wallets
            assert not await bootstrap(venue.server.venue.config, demo_listing())
            assert venue.core.wallets() == wallets
    asyncio.run(asyncio.wait_for(story(), STORY_SECONDS_MAX))
