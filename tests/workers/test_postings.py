"""Legs of trades and money, running balances and sums, stated as plain rows."""
import numpy as np
import pytest

from engine.core.codes import EventKind, Side
from engine.records import EVENT, INSTRUMENT_COMMAND
from workers.postings import (
    ENTRY_ROW,
    EntryKind,
    asset_sums,
    money_entries,
    set_balances,
    sorted_entries,
    trade_entries,
    trade_rows,
    wallet_keys,
)

BASE, QUOTE = 1, 2
ALICE, BOB, FEES, OUTSIDE = 5, 7, 1, 0


def instruments() -> np.ndarray:
    rows = np.zeros(2, INSTRUMENT_COMMAND)
    rows["instrument"], rows["lot_value"] = [3, 9], [10, 1000]
    rows["base_asset"], rows["quote_asset"] = [BASE, 4], [QUOTE, BASE]
    return rows


def trade(seq: int, side: Side, taker: int, maker: int, lots: int = 2, quote: int = 500, taker_fee: int = 0,
          maker_fee: int = 0, instrument: int = 3) -> np.ndarray:
    event = np.zeros(1, EVENT)
    event["kind"], event["side"], event["seq"], event["instrument"] = EventKind.TRADE, side, seq, instrument
    event["account"], event["maker_account"], event["qty_lots"], event["quote_amount"] = taker, maker, lots, quote
    event["taker_fee"], event["maker_fee"], event["order_id"] = taker_fee, maker_fee, seq
    return event


def money(seq: int, account: int, asset: int, amount: int) -> np.ndarray:
    event = np.zeros(1, EVENT)
    event["kind"], event["seq"], event["account"] = EventKind.MONEY, seq, account
    event["instrument"], event["amount"] = asset, amount
    return event


def legs(entries: np.ndarray) -> list[tuple[int, ...]]:
    return [tuple(int(row[name]) for name in ("account", "asset", "seq", "n", "kind", "amount")) for row in entries]


def test_a_buyer_takes_and_both_pay_fees():
    trades = trade_rows(trade(11, Side.BUY, taker=ALICE, maker=BOB, taker_fee=1, maker_fee=3))
    assert legs(trade_entries(trades, instruments())) == [
        (BOB, BASE, 11, 0, EntryKind.TRADE, -20),
        (ALICE, BASE, 11, 1, EntryKind.TRADE, 19),
        (ALICE, QUOTE, 11, 2, EntryKind.TRADE, -500),
        (BOB, QUOTE, 11, 3, EntryKind.TRADE, 497),
        (FEES, BASE, 11, 4, EntryKind.FEE, 1),
        (FEES, QUOTE, 11, 5, EntryKind.FEE, 3),
    ]


def test_a_seller_takes_and_only_the_taker_pays():
    trades = trade_rows(trade(11, Side.SELL, taker=ALICE, maker=BOB, taker_fee=3))
    assert legs(trade_entries(trades, instruments())) == [
        (ALICE, BASE, 11, 0, EntryKind.TRADE, -20),
        (BOB, BASE, 11, 1, EntryKind.TRADE, 20),
        (BOB, QUOTE, 11, 2, EntryKind.TRADE, -500),
        (ALICE, QUOTE, 11, 3, EntryKind.TRADE, 497),
        (FEES, QUOTE, 11, 5, EntryKind.FEE, 3),
    ]


def test_trades_are_counted_within_their_command():
    events = np.concatenate([trade(seq, Side.BUY, ALICE, BOB) for seq in (11, 11, 11, 12, 15, 15)])
    assert trade_rows(events)["n"].tolist() == [0, 1, 2, 0, 0, 1]
    entries = trade_entries(trade_rows(events), instruments())
    assert sorted(set(entries["n"][entries["seq"] == 11])) == [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19]


def test_deposit_and_withdrawal():
    events = np.concatenate([money(4, ALICE, QUOTE, 900), money(6, ALICE, QUOTE, -100)])
    assert legs(money_entries(events)) == [
        (OUTSIDE, QUOTE, 4, 0, EntryKind.DEPOSIT, -900),
        (ALICE, QUOTE, 4, 1, EntryKind.DEPOSIT, 900),
        (OUTSIDE, QUOTE, 6, 0, EntryKind.WITHDRAWAL, 100),
        (ALICE, QUOTE, 6, 1, EntryKind.WITHDRAWAL, -100),
    ]


def test_each_instrument_has_its_own_terms():
    events = np.concatenate([trade(1, Side.BUY, ALICE, BOB, instrument=9), trade(2, Side.BUY, ALICE, BOB)])
    entries = trade_entries(trade_rows(events), instruments())
    assert [(row[1], row[5]) for row in legs(entries) if row[3] == 0] == [(4, -2000), (BASE, -20)]
    assert set(entries["asset"].tolist()) == {BASE, QUOTE, 4}


def test_running_balances_of_each_wallet():
    events = np.concatenate([money(4, ALICE, QUOTE, 900), trade(5, Side.BUY, ALICE, BOB), money(6, ALICE, QUOTE, -100)])
    entries = sorted_entries(trade_entries(trade_rows(events), instruments()), money_entries(events))
    keys, starts = np.unique(wallet_keys(entries), return_index=True)
    opening = np.where(keys == ALICE << 32 | QUOTE, 7, 0)
    set_balances(entries, starts, opening)
    alice = entries[(entries["account"] == ALICE) & (entries["asset"] == QUOTE)]
    assert alice[["seq", "balance_after"]].tolist() == [(4, 907), (5, 407), (6, 307)]
    others = entries[(entries["account"] == BOB)]
    assert others[["asset", "balance_after"]].tolist() == [(BASE, -20), (QUOTE, 500)]


def test_running_balances_agree_with_a_plain_loop():
    random = np.random.default_rng(5)
    entries = np.zeros(500, ENTRY_ROW)
    entries["account"], entries["asset"] = random.integers(0, 20, 500), random.integers(1, 4, 500)
    entries["amount"], entries["seq"] = random.integers(-2**60, 2**60, 500), random.permutation(500)
    entries = sorted_entries(entries)
    keys, starts = np.unique(wallet_keys(entries), return_index=True)
    set_balances(entries, starts, np.arange(len(keys)))
    balances = {int(key): number for number, key in enumerate(keys)}
    for row in sorted(entries, key=lambda row: row["seq"]):
        key = int(row["account"]) << 32 | int(row["asset"])
        balances[key] += int(row["amount"])
        assert (balances[key] - int(row["balance_after"])) % 2**64 == 0
    assert (np.diff(wallet_keys(entries)) >= 0).all()


@pytest.mark.parametrize("side", Side)
def test_each_asset_sums_to_zero(side: Side):
    events = np.concatenate([
        trade(5, side, ALICE, BOB, taker_fee=1, maker_fee=2), trade(5, side, ALICE, ALICE, taker_fee=2),
        trade(6, side, BOB, ALICE, maker_fee=1, instrument=9), money(7, BOB, 4, 12)])
    entries = sorted_entries(trade_entries(trade_rows(events), instruments()), money_entries(events))
    assert asset_sums(entries) == {BASE: 0, QUOTE: 0, 4: 0}
    entries["amount"][3] += 1
    assert set(asset_sums(entries).values()) == {0, 1}


def test_no_events_give_no_rows():
    nothing = np.zeros(0, EVENT)
    entries = sorted_entries(trade_entries(trade_rows(nothing), instruments()), money_entries(nothing))
    set_balances(entries, np.zeros(0, np.intp), np.zeros(0, "i8"))
    assert len(entries) == 0 and asset_sums(entries) == {}
