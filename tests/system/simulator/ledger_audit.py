"""Compares the simulated Postgres with a replay of the journal: to the unit, each row once.

Shares no code with the ledger.
"""
from collections import defaultdict

import numpy as np

from engine.core.codes import EventKind
from engine.core.exchange import Exchange
from engine.records import EVENT, WALLET
from tests.system.simulator.small_core import small_core
from tests.system.simulator.store import SimPostgres

_TRADE = ("fill_id", "trade_id", "price_ticks", "qty_lots", "quote_amount", "taker_fee", "maker_fee", "maker_account")


def differences(journal: list[bytes], postgres: SimPostgres) -> list[str]:
    """What is wrong at the position of Postgres; nothing when it is exact."""
    if postgres.seq > len(journal):
        return [f"the ledger is at command {postgres.seq}, the journal ends at {len(journal)}"]
    core = small_core()
    events = np.frombuffer(bytes(core.apply(b"".join(journal[:postgres.seq]))), EVENT)
    return [*_wallets(core, postgres), *_trades(events, postgres), *_entries(postgres)]


def _wallets(core: Exchange, postgres: SimPostgres) -> list[str]:
    ours = {(int(row["account"]), int(row["asset"])): (int(row["available"] + row["held"]), int(row["held"]))
            for row in np.frombuffer(core.wallets(), WALLET)}
    theirs = {key: row[2:4] for key, row in postgres.wallets.items()}
    keys = sorted(ours.keys() | theirs.keys())
    return [f"wallet {key}: core {ours.get(key)}, ledger {theirs.get(key)}" for key in keys
            if ours.get(key, (0, 0)) != theirs.get(key, (0, 0))]


def _trades(events: np.ndarray, postgres: SimPostgres) -> list[str]:
    ours = [tuple(int(row[name]) for name in _TRADE) for row in events[events["kind"] == EventKind.TRADE]]
    rows = sorted(postgres.trades.values(), key=lambda row: row["fill_id"])
    theirs = [tuple(row[name] for name in _TRADE) for row in rows]
    return [] if ours == theirs else [f"the engine has {len(ours)} trades, the ledger {len(theirs)}, or others"]


def _entries(postgres: SimPostgres) -> list[str]:
    sums: dict[int, int] = defaultdict(int)
    balances: dict[tuple[int, int], int] = defaultdict(int)
    wrong = []
    for (account, asset, seq, n), row in sorted(postgres.entries.items()):
        sums[asset] += row["amount"]
        balances[account, asset] += row["amount"]
        if balances[account, asset] != row["balance_after"]:
            wrong.append(f"entry {seq}.{n} of account {account} asset {asset} breaks the running balance")
    wrong += [f"asset {asset} sums to {total}" for asset, total in sums.items() if total]
    wrong += [f"wallet {key} has {postgres.wallets[key][2]}, its entries give {total}"
              for key, total in balances.items() if postgres.wallets[key][2] != total]
    return wrong
