"""verify: a sound ledger is proven while it is written, and every kind of planted damage is found and named."""
import asyncio
import shutil
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from engine.config import Config
from tests.support.flow import COIN_USD, Flow
from tests.support.ledger import check_task, config_for, execute, fetch, open_engine, reached, running, submit
from tests.support.postgres import PostgresServer
from workers.ledger_errors import LedgerRefused
from workers.reconcile import EngineState, Report, verify
from workers.reconcile_mark import Mark, write_mark

MOST = 2**63 - 1
# damage to a sound ledger, and the proofs that must notice
DAMAGE = {
    "an entry's amount": (
        "UPDATE entry SET amount = amount + 1 WHERE ctid = (SELECT max(ctid) FROM entry)",
        {"assets_sum_to_zero", "running_balances_unbroken", "entries_equal_replay"}),
    "a money-making pair of entries": (
        "UPDATE entry SET amount = amount + sign(amount) WHERE seq = (SELECT max(seq) FROM entry WHERE kind IN (3, 4))",
        {"running_balances_unbroken", "wallets_end_at_their_balance", "entries_equal_replay"}),
    "a huge amount": (
        f"UPDATE entry SET amount = {MOST}, balance_after = {MOST} WHERE ctid = (SELECT max(ctid) FROM entry)",
        {"assets_sum_to_zero", "running_balances_unbroken"}),
    "a running balance": (
        "UPDATE entry SET balance_after = balance_after - 5 WHERE ctid = (SELECT max(ctid) FROM entry)",
        {"running_balances_unbroken", "entries_equal_replay"}),
    "a removed entry": (
        "DELETE FROM entry WHERE ctid = (SELECT max(ctid) FROM entry WHERE kind = 2)",
        {"assets_sum_to_zero", "trades_match_entries", "wallets_end_at_their_balance", "entries_equal_replay"}),
    "an added entry": (
        f"INSERT INTO entry VALUES (2, 1, {10**7}, 5, 5, 0, 3)",
        {"assets_sum_to_zero", "running_balances_unbroken", "wallets_end_at_their_balance", "entries_equal_replay"}),
    "an entry moved in time": (
        "UPDATE entry SET seq = seq + 1000000 WHERE ctid = (SELECT max(ctid) FROM entry WHERE kind = 1)",
        {"trades_match_entries", "entries_equal_replay"}),
    "an entry's kind": (
        "UPDATE entry SET kind = 4 WHERE ctid = (SELECT max(ctid) FROM entry WHERE kind = 3)",
        {"entries_equal_replay"}),
    "a wallet's balance": (
        "UPDATE wallet SET balance = balance + 1 WHERE account = 5 AND asset = 1",
        {"wallets_end_at_their_balance", "balances_equal_core", "wallets_equal_replay"}),
    "a wallet's held": (
        "UPDATE wallet SET held = held + 1 WHERE account = 5 AND asset = 1",
        {"balances_equal_core", "wallets_equal_replay"}),
    "a wallet's entries": (
        "UPDATE wallet SET entries = entries + 1 WHERE account = 5 AND asset = 1",
        {"wallets_end_at_their_balance", "wallets_equal_replay"}),
    "a removed wallet": (
        "DELETE FROM wallet WHERE account = 5 AND asset = 1",
        {"wallets_end_at_their_balance", "balances_equal_core", "wallets_equal_replay"}),
    "an added wallet": (
        "INSERT INTO wallet VALUES (900, 1, 0, 0, 0, 0)",
        {"wallets_end_at_their_balance", "wallets_equal_replay"}),
    "a removed trade": (
        "DELETE FROM trade WHERE fill_id = 20",
        {"trades_dense", "trades_match_entries", "trades_equal_replay"}),
    "the removed last trade": (
        "DELETE FROM trade WHERE fill_id = (SELECT max(fill_id) FROM trade)",
        {"trades_match_entries", "trades_equal_replay"}),
    "a doubled trade": (
        "INSERT INTO trade SELECT instrument, n + 9, " + ", ".join((
            "seq", "trade_id", "fill_id", "time_ns", "price_ticks", "qty_lots", "quote_amount", "taker_order_id",
            "maker_order_id", "taker_fee", "maker_fee", "taker_account", "maker_account", "taker_side"))
        + " FROM trade WHERE fill_id = 20",
        {"trades_dense", "trades_match_entries", "trades_equal_replay"}),
    "a trade's quantity": (
        f"UPDATE trade SET qty_lots = {2**62} WHERE fill_id = 20", {"trades_match_entries", "trades_equal_replay"}),
    "a trade's price": ("UPDATE trade SET price_ticks = 1 WHERE fill_id = 20", {"trades_equal_replay"}),
    "a trade's fee": (
        "UPDATE trade SET taker_fee = taker_fee + 1 WHERE fill_id = 20",
        {"trades_match_entries", "trades_equal_replay"}),
    "a trade's maker": (
        "UPDATE trade SET maker_account = 900 WHERE fill_id = 20", {"trades_match_entries", "trades_equal_replay"}),
    "a trade's order": ("UPDATE trade SET maker_order_id = 1 WHERE fill_id = 20", {"trades_equal_replay"}),
    "an asset": ("UPDATE asset SET scale = 7 WHERE asset = 2", {"configuration_equals_replay"}),
    "an instrument": (
        f"UPDATE instrument SET lot_value = 1001 WHERE instrument = {COIN_USD}",
        {"configuration_equals_replay", "trades_match_entries"}),
    "a removed instrument": (
        f"DELETE FROM instrument WHERE instrument = {COIN_USD}",
        {"configuration_equals_replay", "trades_match_entries"}),
    "an account": ("UPDATE account SET label = 'x' WHERE account = 5", {"configuration_equals_replay"}),
    "a position set back": ("UPDATE watermark SET seq = seq - 700", {"trades_equal_replay", "position_equals_journal"}),
    "a position set forward": ("UPDATE watermark SET seq = seq + 400", {"replay_sound"}),
    "the position's time": ("UPDATE watermark SET time_ns = time_ns - 1", {"position_equals_journal"}),
}


@pytest.fixture(scope="module")
def sound(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A ledger with some thousand trades; tests copy its database before they damage it."""
    config = config_for(tmp_path_factory.mktemp("venue"), postgres.database())

    async def fill() -> None:
        flow = Flow(11)
        async with open_engine(config) as engine, running(config) as task:
            await submit(engine, flow.setup(), *(flow.commands(500) for _ in range(6)))
            await reached(config.postgres.dsn, engine.seq, check_task(task))

    asyncio.run(fill())
    return config


def copied(sound: Config, postgres: PostgresServer) -> Config:
    return config_for(Path(sound.data_dir), postgres.database(copy_of=sound.postgres.dsn))


def failing(report: Report) -> set[str]:
    assert report.ok == all(proof.ok for proof in report.proofs)
    assert all(proof.ok == (not proof.differences) for proof in report.proofs)
    return {proof.name for proof in report.proofs if not proof.ok}


def test_a_sound_ledger_is_proven(sound: Config):
    report = asyncio.run(verify(sound))
    assert report.ok and failing(report) == set()
    checked = {proof.name: proof.checked for proof in report.proofs}
    assert checked["running_balances_unbroken"] > 3000 and checked["trades_dense"] > 500
    assert checked["balances_equal_core"] == checked["wallets_equal_replay"] > 60
    assert report.seq == checked["replay_sound"]
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_found(what: str, sound: Config, postgres: PostgresServer):
    statement, expected = DAMAGE[what]
    config = copied(sound, postgres)
    asyncio.run(execute(config.postgres.dsn, statement))
    report = asyncio.run(verify(config))
    assert expected <= failing(report), report


def test_a_statement_of_what_is_kept_outside_is_compared(sound: Config, postgres: PostgresServer):
    config = copied(sound, postgres)
    rows = asyncio.run(fetch(config.postgres.dsn, "SELECT code, scale, -balance FROM asset JOIN wallet USING (asset) "
                                                  "WHERE account = 0"))
    statement = {code: Decimal(amount).scaleb(-scale) for code, scale, amount in rows}
    assert len(statement) == 3 and asyncio.run(verify(config, statement=statement)).ok
    report = asyncio.run(verify(config, statement=statement | {"USD": statement["USD"] - 1}))
    assert failing(report) == {"external_equals_statement"}


def test_a_lost_journal_is_found(sound: Config, postgres: PostgresServer, tmp_path: Path):
    config = config_for(tmp_path, sound.postgres.dsn)
    report = asyncio.run(verify(config))
    assert failing(report) == {"replay_sound"}


def test_another_journal_is_found(sound: Config, tmp_path: Path):
    config = config_for(tmp_path, sound.postgres.dsn)

    async def other() -> None:
        async with open_engine(config) as engine:
            flow = Flow(12)
            await submit(engine, flow.setup(), *(flow.commands(500) for _ in range(6)), flow.commands(500))

    asyncio.run(other())
    report = asyncio.run(verify(config))
    assert {"balances_equal_core", "trades_equal_replay", "entries_equal_replay"} <= failing(report)


def test_proven_while_trading_goes_on(sound: Config, postgres: PostgresServer, tmp_path: Path):
    config = config_for(tmp_path / "venue", postgres.database(copy_of=sound.postgres.dsn),
                        ledger={"batch_seconds_max": 0.001})
    shutil.copytree(sound.data_dir, config.data_dir, ignore=shutil.ignore_patterns("*.sock"))

    async def story() -> list[Report]:
        flow = Flow(13)
        async with open_engine(config) as engine, running(config):
            verifying = asyncio.create_task(repeat(verify, config, 6))
            while not verifying.done():
                await submit(engine, flow.commands(20))
            return await verifying

    reports = asyncio.run(story())
    assert [report for report in reports if not report.ok] == []
    assert len({report.seq for report in reports}) > 1


async def repeat(check: Callable[[Config], Awaitable[Report]], config: Config, times: int) -> list[Report]:
    return [await check(config) for _ in range(times)]


def test_an_empty_database_is_no_ledger(tmp_path: Path, dsn: str):
    with pytest.raises(LedgerRefused, match="no ledger in this database"):
        asyncio.run(verify(config_for(tmp_path, dsn)))


# what came since the last proof

def own_mark(sound: Config, postgres: PostgresServer, folder: Path) -> Config:
    """A copy of database and data directory."""
    config = config_for(folder / "venue", postgres.database(copy_of=sound.postgres.dsn))
    shutil.copytree(sound.data_dir, config.data_dir, ignore=shutil.ignore_patterns("*.sock", "proven.mark"))
    return config


async def trade_on(config: Config, seed: int) -> None:
    flow = Flow(seed)
    async with open_engine(config) as engine, running(config) as task:
        await submit(engine, *(flow.commands(500) for _ in range(2)))
        await reached(config.postgres.dsn, engine.seq, check_task(task))


def test_the_next_proof_looks_at_what_came_since(sound: Config, postgres: PostgresServer, tmp_path: Path):
    config = own_mark(sound, postgres, tmp_path)
    first = asyncio.run(verify(config))
    assert first.ok and first.after_seq == 0
    nothing = asyncio.run(verify(config))
    assert nothing.ok and nothing.after_seq == first.seq == nothing.seq
    asyncio.run(trade_on(config, 14))
    second = asyncio.run(verify(config))
    assert second.ok and (second.after_seq, second.seq) == (first.seq, first.seq + 1000)
    checked = {name: [proof.checked for report in (first, second) for proof in report.proofs if proof.name == name]
               for name in ("running_balances_unbroken", "entries_equal_replay", "closed_orders_equal_replay")}
    assert all(0 < since < before for before, since in checked.values()), checked
    full = asyncio.run(verify(config, full=True))
    assert full.ok and full.after_seq == 0


@pytest.mark.parametrize("what", [
    "an entry's amount", "a running balance", "a removed entry", "an added entry", "a wallet's balance",
    "a wallet's entries", "a removed wallet", "an added wallet", "the removed last trade", "an instrument"])
def test_damage_to_what_came_since_is_found(
    what: str, sound: Config, proven_and_traded_on: Config, postgres: PostgresServer, tmp_path: Path
):
    config = config_for(tmp_path / "venue", postgres.database(copy_of=proven_and_traded_on.postgres.dsn))
    shutil.copytree(proven_and_traded_on.data_dir, config.data_dir, ignore=shutil.ignore_patterns("*.sock"))
    retarget(config)
    statement, expected = DAMAGE[what]
    asyncio.run(execute(config.postgres.dsn, statement))
    report = asyncio.run(verify(config))
    assert report.after_seq > 0 and expected <= failing(report), report
    assert asyncio.run(verify(config)).after_seq == report.after_seq     # what fails is not remembered


@pytest.fixture(scope="module")
def proven_and_traded_on(
    sound: Config, postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Config:
    config = own_mark(sound, postgres, tmp_path_factory.mktemp("proven"))
    assert asyncio.run(verify(config)).ok
    asyncio.run(trade_on(config, 15))
    return config


def retarget(config: Config) -> None:
    """Make the mark that of the copied database: a copy has another number."""
    mark = stored_mark(config)
    number = asyncio.run(fetch(config.postgres.dsn, "SELECT oid::bigint FROM pg_database "
                                                    "WHERE datname = current_database()"))
    write_mark(config.paths.proven, replace(mark, database=(mark.database[0], number[0][0])))


def stored_mark(config: Config) -> Mark:
    return msgspec.msgpack.decode(config.paths.proven.read_bytes()[12:], type=Mark)


@pytest.mark.parametrize("spoil", [
    lambda data: b"", lambda data: data[:-1], lambda data: data[:500] + b"x" + data[501:], lambda data: data + b"x"])
def test_a_damaged_mark_is_no_mark(
    spoil: Callable[[bytes], bytes], sound: Config, postgres: PostgresServer, tmp_path: Path
):
    config = own_mark(sound, postgres, tmp_path)
    assert asyncio.run(verify(config)).ok
    config.paths.proven.write_bytes(spoil(config.paths.proven.read_bytes()))
    report = asyncio.run(verify(config))
    assert report.ok and report.after_seq == 0


def test_a_mark_of_another_database_or_a_later_command_is_no_mark(
    sound: Config, postgres: PostgresServer, tmp_path: Path
):
    config = own_mark(sound, postgres, tmp_path)
    assert asyncio.run(verify(config)).ok
    other = config_for(Path(config.data_dir), postgres.database(copy_of=sound.postgres.dsn))
    assert asyncio.run(verify(other)).after_seq == 0
    mark = stored_mark(other)
    write_mark(other.paths.proven, replace(mark, seq=mark.seq + 1))
    assert asyncio.run(verify(other)).after_seq == 0


def test_an_engine_in_another_state_is_found(sound: Config, postgres: PostgresServer, tmp_path: Path):
    config = own_mark(sound, postgres, tmp_path)

    async def state() -> EngineState:
        async with open_engine(config) as engine:
            await submit(engine, Flow(16).commands(10))
            return EngineState(seq=engine.seq, state_hash=engine.core.state_hash())

    engine = asyncio.run(state())
    report = asyncio.run(verify(config, engine=engine))
    assert report.ok and report.proofs[-1].name == "engine_equals_replay"
    wrong = EngineState(seq=engine.seq, state_hash=engine.state_hash ^ 1)
    assert failing(asyncio.run(verify(config, engine=wrong))) == {"engine_equals_replay"}
    ahead = EngineState(seq=engine.seq + 1, state_hash=engine.state_hash)
    assert failing(asyncio.run(verify(config, engine=ahead))) == {"engine_equals_replay"}
