"""A custodian's statement against the external account: to the unit, but for payouts on their way."""
from decimal import Decimal
from pathlib import Path

import pytest

from engine.core.batch import Batch
from engine.core.exchange import Exchange
from engine.errors import ConfigError
from engine.transfers import State, Transfer, Transfers
from workers.reconcile_statement import differences, read_statement


@pytest.fixture
def core() -> Exchange:
    """It owes 12.34 USD and 3 COIN."""
    core, batch = Exchange(), Batch()
    batch.asset(1, 2, b"USD")
    batch.asset(2, 8, b"COIN")
    batch.account(2)
    batch.credit(2, 1, 1234)
    batch.credit(2, 2, 3 * 10**8)
    batch.stamp(1, 1)
    core.apply(bytes(batch))
    return core


def held(beneficiary: int, state: State = State.HELD) -> Transfers:
    transfers = Transfers()
    transfers.keep(Transfer(id="w1", account=2, beneficiary=beneficiary, asset=1, amount=234, until_ns=0, seq=9,
                            time_ns=9, state=state))
    return transfers


@pytest.mark.parametrize(("usd", "transfers", "holds"), [
    ("12.34", Transfers(), True), ("12.33", Transfers(), False), ("12.35", Transfers(), False),
    ("10", held(0), True), ("11", held(0), True), ("12.34", held(0), True), ("9.99", held(0), False),
    ("12.35", held(0), False), ("10", held(3), False), ("10", held(0, State.POSTED), False)])
def test_totals(core: Exchange, usd: str, transfers: Transfers, holds: bool):
    wrong = differences(core, transfers, {"USD": Decimal(usd), "COIN": Decimal(3)})
    assert (wrong == []) == holds, wrong


def test_missing_and_unknown_assets(core: Exchange):
    wrong = differences(core, Transfers(), {"USD": Decimal("12.34"), "GOLD": Decimal(1)})
    assert [text.split(":")[0] for text in wrong] == ["COIN", "GOLD"]


def test_the_file(tmp_path: Path):
    file = tmp_path / "statement.csv"
    file.write_text("# end of day\nUSD, 12.34\n\nCOIN,3\n")
    assert read_statement(file) == {"USD": Decimal("12.34"), "COIN": Decimal(3)}
    for bad in ("USD", "USD,much", "USD,1\nUSD,2", "USD,NaN"):
        file.write_text(bad)
        with pytest.raises(ConfigError, match="line"):
            read_statement(file)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_statement(tmp_path / "none")
