"""The worker process: which roles it takes, when it says that it is ready, and whose error ends it."""
import asyncio
from pathlib import Path

import pytest

from engine.config import load_config
from engine.errors import ConfigError
from tests.support.flow import Flow
from tests.support.ledger import config_for, ledger_process, open_engine, submit
from workers.run import serve
from workers.statements import script, statements
from workers.together import together


@pytest.mark.parametrize("roles", [[], ["leger"], ["ledger", "x"]])
def test_unknown_roles_are_refused(roles: list[str], tmp_path: Path):
    with pytest.raises(ConfigError, match="choose from ledger, market_data"):
        asyncio.run(serve(load_config(data_dir=str(tmp_path)), roles))


def test_says_ready_once_the_ledger_writes(tmp_path: Path, dsn: str):
    async def story() -> str:
        config = config_for(tmp_path, dsn)
        async with open_engine(config) as engine:
            await submit(engine, Flow(1).setup())
            with ledger_process(config) as process:
                return await asyncio.to_thread(process.first_line)

    assert asyncio.run(story()) == '{"ready":"worker","roles":["ledger"]}\n'


def test_the_first_error_comes_out_and_the_others_are_cancelled():
    ended = []

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("forever")

    async def fails() -> None:
        await asyncio.sleep(0)
        await together(forever(), broken())

    async def broken() -> None:
        raise KeyError("the reason")

    with pytest.raises(KeyError, match="the reason"):
        asyncio.run(together(forever(), fails()))
    assert ended == ["forever", "forever"]


def test_statements_are_found_by_name():
    assert statements("ledger.sql")["claim"].endswith("FOR UPDATE;")
    assert all(text.endswith(";") for text in statements("reconcile.sql").values())
    assert "CREATE TABLE" in script("migrations/0001_tables.sql")
