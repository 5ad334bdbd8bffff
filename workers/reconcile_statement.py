"""The last proof: what the venue owes its customers lies with those who keep it, as their statement says.

A statement is a text file with a line `CODE,total` per asset: what banks and custodians hold for the venue, in units.
The external account is the mirror of it. Money held for a payout may have left already: so much less is in order.
"""
from decimal import Decimal, InvalidOperation
from pathlib import Path

from engine.core.codes import EXTERNAL_ACCOUNT
from engine.core.exchange import Exchange
from engine.errors import ConfigError
from engine.transfers import State, Transfers

Statement = dict[str, Decimal]


def read_statement(path: Path) -> Statement:
    """Asset's code to total. Empty lines and lines that begin with # are skipped. Raises ConfigError."""
    found: Statement = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        code, _, total = (part.strip() for part in line.partition(","))
        try:
            value = Decimal(total)
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite() or code in found:
            raise ConfigError(f"{path} line {number}: expected `CODE,total`, each asset once")
        found[code] = value
    return found


def differences(core: Exchange, transfers: Transfers, statement: Statement) -> list[str]:
    """Assets whose total is not the external account's, within what is held for payouts; unknown ones too."""
    paying: dict[int, int] = {}
    for each in transfers.known.values():
        if each.state is State.HELD and each.beneficiary == EXTERNAL_ACCOUNT:
            paying[each.asset] = paying.get(each.asset, 0) + each.amount
    wrong, known = [], set()
    for asset, code, scale in core.assets():
        known.add(code)
        unit = Decimal(10) ** -scale
        owed = -sum(core.balance(EXTERNAL_ACCOUNT, asset)) * unit
        least, total = owed - paying.get(asset, 0) * unit, statement.get(code, Decimal(0))
        if not least <= total <= owed:
            wrong.append(f"{code}: the venue owes {owed:f}, of which {owed - least:f} may be on its way out; the "
                         f"statement says {total:f}")
    unknown = sorted(statement.keys() - known)
    return wrong + [f"{code}: the statement has an asset that the venue has not" for code in unknown]
