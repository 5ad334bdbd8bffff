"""The index of client order ids and that of wallets while they grow, move and lose entries, audited on the way."""
import random

from engine.core.batch import Batch
from engine.core.exchange import Exchange
from engine.records import ORDER, WALLET

ORDERS, STEPS = 3000, 12
ACCOUNTS, ASSETS, FEE_WALLETS = 60, 7, 2


def exchange(accounts: int, assets: int) -> tuple[Exchange, Batch]:
    """Every account has some of every asset, opened asset by asset so that accounts take turns."""
    core, batch = Exchange(orders=4, wallets=4, accounts=4), Batch(2**14)
    for asset in range(1, assets + 1):
        batch.asset(asset, 8, f"A{asset}")
    batch.instrument(1, text="AB", base_asset=1, quote_asset=2, lot_value=1, tick_value=1)
    for account in range(2, accounts + 2):
        batch.account(account)
    for asset in range(1, assets + 1):
        for account in range(2, accounts + 2):
            batch.credit(account, asset, 1000 * asset + account)
    apply(core, batch)
    return core, batch


def apply(core: Exchange, batch: Batch) -> None:
    batch.stamp(core.seq + 1, 0)
    core.apply(batch)
    batch.clear()


def test_orders_are_found_while_the_index_grows_and_loses_entries() -> None:
    core, batch = exchange(2, 2)
    batch.credit(2, 2, 2**50)
    apply(core, batch)
    chance, open_names = random.Random(7), set[str]()
    for step in range(STEPS):
        for number in range(ORDERS // STEPS):
            name = f"order-{step}-{number}"
            batch.place(2, 1, 0, 0, 0, 1 + number, 1, text=name)
            open_names.add(name)
        apply(core, batch)
        core.check()
        for name in chance.sample(sorted(open_names), len(open_names) // 3):
            batch.cancel(2, 1, text=name)
            open_names.remove(name)
        apply(core, batch)
        core.check()
    assert {name for name in open_names if core.find(2, name.encode()) != (0, 0)} == open_names
    assert len(core.open_orders(2)) == len(open_names) * ORDER.itemsize


def test_wallets_are_found_whatever_the_order_they_were_opened_in() -> None:
    core, _ = exchange(ACCOUNTS, ASSETS)
    core.check()
    loaded = Exchange(wallets=4)
    loaded.load(core.dump())
    loaded.check()
    assert loaded.wallets() == core.wallets()
    assert core.balance(5, 3) == (3005, 0)
    assert len(core.wallets()) == ((ACCOUNTS + 1) * ASSETS + FEE_WALLETS) * WALLET.itemsize  # 1 for the outside world
