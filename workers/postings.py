"""Events to rows: what a batch of trades and money movements writes into `trade` and `entry`, as numpy arrays.

Pure and vectorised; knows no Postgres. A trade has four party legs and up to two fee legs, each asset's legs sum to 0:

| leg | account     | asset | amount                       |
|-----|-------------|-------|------------------------------|
| 0   | seller      | base  | - qty_lots * lot_value       |
| 1   | buyer       | base  | + the same, less its fee     |
| 2   | buyer       | quote | - quote_amount               |
| 3   | seller      | quote | + the same, less its fee     |
| 4   | fee account | base  | + the buyer's fee, if any    |
| 5   | fee account | quote | + the seller's fee, if any   |

A fee below 0 is a rebate: it turns the signs of its leg and of its share in the party's.

entry.n is trade.n * 8 + leg, so an entry names its trade and legs are in an order in which no wallet dips below zero.
A deposit or withdrawal has two legs: n = 0 the external account, n = 1 the user's.
"""
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from engine.core.codes import EXTERNAL_ACCOUNT, FEE_ACCOUNT, EventKind, Side

Rows = NDArray[np.void]
LEGS_PER_TRADE = 8      # room for 6

TRADE_ROW = np.dtype([
    ("instrument", "i8"), ("n", "i8"), ("seq", "i8"), ("trade_id", "i8"), ("fill_id", "i8"), ("time_ns", "i8"),
    ("price_ticks", "i8"), ("qty_lots", "i8"), ("quote_amount", "i8"), ("taker_order_id", "i8"),
    ("maker_order_id", "i8"), ("taker_fee", "i8"), ("maker_fee", "i8"), ("taker_account", "i8"),
    ("maker_account", "i8"), ("taker_side", "i8")])
ENTRY_ROW = np.dtype([
    ("account", "i8"), ("asset", "i8"), ("seq", "i8"), ("amount", "i8"), ("balance_after", "i8"), ("n", "i8"),
    ("kind", "i8")])

_SAME_NAME = ("instrument", "seq", "trade_id", "fill_id", "time_ns", "price_ticks", "qty_lots", "quote_amount",
              "maker_order_id", "taker_fee", "maker_fee", "maker_account")


class EntryKind(IntEnum):
    """entry.kind"""

    TRADE = 1
    FEE = 2
    DEPOSIT = 3
    WITHDRAWAL = 4
    BUST = 5


def trade_rows(events: Rows) -> Rows:
    """The TRADE events as rows of `trade`. A command's events must all be here: n counts them from 0."""
    trades = events[events["kind"] == EventKind.TRADE]
    rows = np.zeros(len(trades), TRADE_ROW)
    for name in _SAME_NAME:
        rows[name] = trades[name]
    rows["taker_order_id"], rows["taker_account"] = trades["order_id"], trades["account"]
    rows["taker_side"] = trades["side"]
    place, first = np.arange(len(trades)), np.ones(len(trades), bool)
    first[1:] = rows["seq"][1:] != rows["seq"][:-1]
    rows["n"] = place - np.maximum.accumulate(np.where(first, place, 0))
    return rows


def trade_entries(trades: Rows, instruments: Rows) -> Rows:
    """The legs of these trades, without balance_after. `instruments`: INSTRUMENT_COMMAND records in order of id."""
    terms = instruments[np.searchsorted(instruments["instrument"], trades["instrument"])]
    taker_buys = trades["taker_side"] == Side.BUY
    taker, maker = trades["taker_account"], trades["maker_account"]
    buyer, seller = np.where(taker_buys, taker, maker), np.where(taker_buys, maker, taker)
    buyer_fee = np.where(taker_buys, trades["taker_fee"], trades["maker_fee"])
    seller_fee = np.where(taker_buys, trades["maker_fee"], trades["taker_fee"])
    base, quote = trades["qty_lots"] * terms["lot_value"], trades["quote_amount"]
    fees = np.full(len(trades), FEE_ACCOUNT)
    legs = np.zeros((len(trades), 6), ENTRY_ROW)
    legs["account"] = np.stack([seller, buyer, buyer, seller, fees, fees], axis=1)
    legs["amount"] = np.stack([-base, base - buyer_fee, -quote, quote - seller_fee, buyer_fee, seller_fee], axis=1)
    legs["asset"] = np.stack([terms["base_asset"], terms["quote_asset"]], axis=1)[:, [0, 0, 1, 1, 0, 1]]
    legs["seq"] = trades["seq"][:, None]
    legs["n"] = trades["n"][:, None] * LEGS_PER_TRADE + np.arange(6)
    legs["kind"] = [EntryKind.TRADE] * 4 + [EntryKind.FEE] * 2
    charged = np.ones(legs.shape, bool)
    charged[:, 4:] = legs["amount"][:, 4:] != 0
    return legs[charged]


def bust_entries(events: Rows, instruments: Rows) -> Rows:
    """The legs of each BUSTED event: those of its trade with their signs turned; n is the leg, seq the bust's.

    A BUST is a command of its own, so (seq, n) is unique. Legs 0 and 2 of the trade, which paid, get theirs back first.
    """
    busted = events[events["kind"] == EventKind.BUSTED]
    rows = np.zeros(len(busted), TRADE_ROW)
    for name in _SAME_NAME:
        rows[name] = busted[name]
    rows["taker_order_id"], rows["taker_account"] = busted["order_id"], busted["account"]
    rows["taker_side"] = busted["side"]
    legs = trade_entries(rows, instruments)
    legs["amount"] *= -1
    legs["kind"] = EntryKind.BUST
    return legs


def money_entries(events: Rows) -> Rows:
    """The two legs of each MONEY event, without balance_after."""
    money = events[events["kind"] == EventKind.MONEY]
    legs = np.zeros((len(money), 2), ENTRY_ROW)
    legs["account"] = np.stack([np.full(len(money), EXTERNAL_ACCOUNT), money["account"].astype("i8")], axis=1)
    legs["amount"] = np.stack([-money["amount"], money["amount"]], axis=1)
    legs["asset"], legs["seq"] = money["instrument"][:, None], money["seq"][:, None]
    legs["n"] = np.arange(2)
    legs["kind"] = np.where(money["amount"] > 0, EntryKind.DEPOSIT, EntryKind.WITHDRAWAL)[:, None]
    return legs.reshape(-1)


def sorted_entries(*parts: Rows) -> Rows:
    """All of these in the order of entry's primary key: a wallet's rows stand together, in the order of time."""
    entries = np.concatenate(parts)
    return entries[np.lexsort((entries["n"], entries["seq"], wallet_keys(entries)))]


def wallet_keys(rows: Rows) -> NDArray[np.int64]:
    """One number per row that orders like (account, asset)."""
    keys: NDArray[np.int64] = rows["account"].astype("i8") << 32 | rows["asset"].astype("i8")
    return keys


def set_balances(entries: Rows, starts: NDArray[np.intp], opening: NDArray[np.int64]) -> None:
    """Fill in balance_after of sorted entries; wallet k's rows begin at starts[k] and its balance was opening[k]."""
    if len(entries) == 0:
        return
    total = np.cumsum(entries["amount"])
    before = total[starts] - entries["amount"][starts]
    counts = np.diff(starts, append=len(entries))
    entries["balance_after"] = np.repeat(opening - before, counts) + total


def asset_sums(entries: Rows) -> dict[int, int]:
    """Asset to the sum of its amounts: 0 for each, or money was made or lost."""
    if len(entries) == 0:
        return {}
    ordered = entries[np.argsort(entries["asset"], kind="stable")]
    assets, starts = np.unique(ordered["asset"], return_index=True)
    sums = np.add.reduceat(ordered["amount"], starts)
    return {int(asset): int(total) for asset, total in zip(assets, sums, strict=True)}
