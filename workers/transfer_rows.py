"""Transfers in two steps (engine/transfers.py) as rows of the table `transfer`: from a batch's events, and back."""
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec.structs import astuple

from engine.transfers import State, Transfer, Transfers
from workers.postings import Rows

Row = tuple[Any, ...]


def take_events(transfers: Transfers, events: Rows) -> list[Row]:
    """Follow the MONEY events among these; the rows of the transfers they began or ended, as they stand now."""
    return [astuple(transfer) for transfer in transfers.apply_rows(events)]


def known_transfers(rows: Iterable[Sequence[Any]]) -> Transfers:
    """Those of the table, whose columns are the fields of Transfer."""
    transfers = Transfers()
    names = Transfer.__struct_fields__
    for row in rows:
        values = dict(zip(names, row, strict=True))
        transfers.keep(Transfer(**(values | {"state": State(values["state"])})))
    return transfers


def differences(expected: Transfers, found: Iterable[Sequence[Any]], balances: dict[tuple[int, int], int]) -> list[str]:
    """Where the table, or the balance of an account that keeps held money, is not what the journal makes of them."""
    ours, theirs = ({each.id: each for each in some.known.values()} for some in (expected, known_transfers(found)))
    different = [f"transfer {name}: replay {ours.get(name)}, Postgres {theirs.get(name)}"
                 for name in sorted(ours.keys() | theirs.keys()) if ours.get(name) != theirs.get(name)]
    held: dict[tuple[int, int], int] = {}
    for each in expected.known.values():
        key = each.holder, each.asset
        held[key] = held.get(key, 0) + (each.amount if each.state is State.HELD else 0)
    return different + [
        f"account {account} asset {asset}: transfers hold {amount}, the balance is {balances.get((account, asset))}"
        for (account, asset), amount in sorted(held.items()) if balances.get((account, asset), 0) != amount]
