"""[core] expected_*: the engine makes room when it starts, and says which numbers are too great."""
import asyncio
from pathlib import Path

import pytest

from engine.config import Core
from engine.core.exchange import Exchange
from engine.core.memory import live_bytes
from engine.errors import ConfigError
from engine.room import make_room
from engine.service import Engine
from tests.engine.stage import config_for, send, setup


def test_a_start_makes_room_and_changes_no_state(tmp_path: Path) -> None:
    async def hash_of(**core: int) -> tuple[int, int]:
        engine = await Engine.open(config_for(tmp_path, core=core))
        try:
            if engine.core.seq == 0:
                await send(engine, setup())
            return engine.core.state_hash(), live_bytes()
        finally:
            await engine.close()

    async def story() -> None:
        plain, small = await hash_of()
        sized, large = await hash_of(expected_orders=50_000, expected_accounts=10_000, expected_wallets=20_000,
                                     expected_instruments=100)
        assert plain == sized and large > small + 50_000 * 136
    asyncio.run(story())


def test_nothing_expected_leaves_the_core_as_it_is() -> None:
    core = Exchange()
    before = live_bytes()
    make_room(core, Core())
    assert live_bytes() == before


def test_what_cannot_be_had_is_said() -> None:
    core = Exchange(orders_max=10)
    with pytest.raises(ConfigError, match="expected"):
        make_room(core, Core(expected_orders=11))
