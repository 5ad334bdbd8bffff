"""Holds under kill -9 of the exchange and of the ledger, at any moment of any step: every client asks again until it is
answered, each hold happens once, no money is made or lost, and the ledger proves it.
"""
import asyncio
import contextlib
import random
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec

from engine.config import Config, load_config
from engine.snapshot_file import list_snapshots
from gateway.door_client import DoorClient
from tests.gateway.running import ALICE, BOB
from tests.support.ledger import fetch, ledger_process, reached
from tests.support.postgres import PostgresServer
from tests.support.waiting import until
from workers.reconcile import verify
from workers.snapshots import Snapshots

HOLDS, USDT, HOLDS_WANTED, KILLS = 50, 1, 60, 6
_EXCHANGE = """
import asyncio, sys
from pathlib import Path
from engine.config import load_config
from gateway.exchange import serve
asyncio.run(serve(load_config(Path(sys.argv[1]))))
"""


class Exchange:
    """A process of its own that is killed and started again; `ask` asks until it is answered."""

    def __init__(self, config: Config, settings: Path) -> None:
        self.config, self.settings = config, settings
        self.door: DoorClient | None = None
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", _EXCHANGE, str(self.settings)],
                                        stdout=subprocess.DEVNULL, cwd=Path(__file__).parents[2])

    async def kill(self) -> None:
        self.process.kill()
        await asyncio.to_thread(self.process.wait)
        self.start()

    async def ask(self, method: str, **params: Any) -> tuple[int, Any]:
        for _ in range(3000):
            with contextlib.suppress(OSError, ConnectionError, TimeoutError):
                door = await DoorClient.connect(self.config.paths.door)
                try:
                    async with asyncio.timeout(5):
                        status, body = await door.call(0, method, params)
                    if status < 500:
                        return status, msgspec.json.decode(body)
                finally:
                    await door.close()
            await asyncio.sleep(0.02)
        raise TimeoutError(f"{method} {params} was never answered")

    async def ok(self, method: str, **params: Any) -> Any:
        status, body = await self.ask(method, **params)
        assert status == 200, (method, params, body)
        return body


@contextlib.asynccontextmanager
async def exchange(folder: Path, dsn: str) -> AsyncIterator[Exchange]:
    settings = folder / "venue.toml"
    settings.write_text(f'data_dir = "{folder}/data"\npostgres.dsn = "{dsn}"\nexchange.port = 0\n'
                        f'journal.segment_bytes = 4194304\ntransfers.holds_account = {HOLDS}\n'
                        'snapshots.commands = 20\nsnapshots.told_commands = 1\n')
    venue = Exchange(load_config(settings), settings)
    try:
        yield venue
    finally:
        venue.process.kill()
        await asyncio.to_thread(venue.process.wait)


async def one_hold(venue: Exchange, number: int, chance: random.Random, from_snapshot: asyncio.Event) -> int:
    """A whole life of a hold, each step asked for twice; what BOB got. Half end after a start from a snapshot."""
    name, amount = f"h{number}", chance.randint(1, 50)
    for _ in range(2):
        await venue.ok("admin.hold.create", id=name, account=ALICE, asset="USDT", amount=str(amount), beneficiary=BOB)
    if number % 2:
        await from_snapshot.wait()
        await venue.ok("admin.hold.create", id=name, account=ALICE, asset="USDT", amount=str(amount), beneficiary=BOB)
    posted = chance.choice((0, amount, chance.randint(1, amount)))
    for _ in range(2):
        if posted:
            await venue.ok("admin.hold.post", id=name, amount=str(posted))
        else:
            await venue.ok("admin.hold.void", id=name)
    return posted


def test_every_hold_happens_once(tmp_path: Path):
    async def story(dsn: str) -> None:
        chance, from_snapshot = random.Random(17), asyncio.Event()
        async with exchange(tmp_path, dsn) as venue:
            await venue.ok("admin.asset", asset=USDT, code="USDT", scale=2)
            for account in (ALICE, BOB):
                await venue.ok("admin.account", account=account, label=str(account))
            await venue.ok("admin.credit", account=ALICE, asset="USDT", amount="100000", reference="gift")
            with ledger_process(venue.config) as ledger:
                role = asyncio.create_task(Snapshots(venue.config).run())

                async def killing() -> None:
                    for number in range(KILLS):
                        await asyncio.sleep(chance.uniform(0.2, 0.6))
                        if number == KILLS // 2:
                            await until(lambda: list_snapshots(venue.config.paths.snapshots))
                        await venue.kill()
                        if number == KILLS // 2:
                            from_snapshot.set()
                        if number % 2:
                            ledger.restart()
                killer = asyncio.create_task(killing())
                posted = sum(await asyncio.gather(*(
                    one_hold(venue, number, chance, from_snapshot) for number in range(HOLDS_WANTED))))
                await killer
                role.cancel()
                await asyncio.wait([role])
                end = await venue.ok("engine.position")
                await reached(dsn, end["seq"], ledger.check)
            assert dict(await fetch(dsn, "SELECT account, balance FROM wallet")) == {
                0: -10_000_000, ALICE: 10_000_000 - 100 * posted, BOB: 100 * posted, HOLDS: 0}
            assert await fetch(dsn, "SELECT count(*), sum(posted)::bigint, max(state), min(end_seq) > 0 FROM transfer"
                               ) == [(HOLDS_WANTED, 100 * posted, 3, True)]
            report = await verify(venue.config)
            assert report.ok, [proof for proof in report.proofs if not proof.ok]
            assert {proof.name: proof.checked for proof in report.proofs}["transfers_equal_replay"] == HOLDS_WANTED

    with PostgresServer(fsync=False) as server:
        asyncio.run(asyncio.wait_for(story(server.database()), 240))


DAMAGE = (
    "UPDATE transfer SET posted = 0 WHERE id = 'b'", "DELETE FROM transfer WHERE id = 'a'",
    "UPDATE transfer SET state = 3 WHERE id = 'a'", "UPDATE transfer SET beneficiary = 9 WHERE id = 'a'")


def test_a_changed_transfer_is_found(tmp_path: Path):
    async def story(dsn: str) -> None:
        async with exchange(tmp_path, dsn) as venue:
            await venue.ok("admin.asset", asset=USDT, code="USDT", scale=2)
            for account in (ALICE, BOB):
                await venue.ok("admin.account", account=account, label=str(account))
                await venue.ok("admin.credit", account=account, asset="USDT", amount="1000", reference="gift")
            for name in ("a", "b"):
                await venue.ok("admin.hold.create", id=name, account=ALICE, asset="USDT", amount="5", beneficiary=BOB)
            await venue.ok("admin.hold.post", id="b")
            end = await venue.ok("engine.position")
            with ledger_process(venue.config) as ledger:
                await reached(dsn, end["seq"], ledger.check)
            assert (await verify(venue.config)).ok
            assert await fetch(dsn, "SELECT id, state, holder FROM transfer ORDER BY id") == [
                ("a", 1, HOLDS), ("b", 2, HOLDS)]
            await fetch(dsn, "CREATE TABLE sound AS SELECT * FROM transfer")
            for damage in DAMAGE:
                await fetch(dsn, damage)
                failed = [proof.name for proof in (await verify(venue.config)).proofs if not proof.ok]
                assert failed == ["transfers_equal_replay"], damage
                await fetch(dsn, "DELETE FROM transfer")
                await fetch(dsn, "INSERT INTO transfer SELECT * FROM sound")
            assert (await verify(venue.config)).ok

    with PostgresServer(fsync=False) as server:
        asyncio.run(asyncio.wait_for(story(server.database()), 120))
