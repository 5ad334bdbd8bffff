"""A small seeded market for tests: three assets, two instruments with fees, some accounts, and orders that collide.

Prices stay within ten ticks and quantities are small, so that fills, partial fills, cancels and refusals are frequent.
"""
import random
from collections import deque

from engine.core.batch import Batch
from engine.core.codes import AccountStatus, InstrumentStatus, OrderType, Side, TimeInForce

USD, COIN, TOKEN = 1, 2, 3
COIN_USD, TOKEN_COIN = 1, 2
FIRST_ACCOUNT = 2


class Flow:
    """`setup`, then `commands` for as many as wanted; the same seed gives the same commands."""

    def __init__(self, seed: int = 1, accounts: int = 20) -> None:
        self.random = random.Random(seed)
        self.accounts = range(FIRST_ACCOUNT, FIRST_ACCOUNT + accounts)
        self._order = 0
        self._recent = deque([(FIRST_ACCOUNT, COIN_USD, "none")], maxlen=60)

    def setup(self) -> Batch:
        """Configuration, and deposits for everyone."""
        batch = Batch()
        for asset, scale, code in ((USD, 2, "USD"), (COIN, 8, "COIN"), (TOKEN, 0, "TOKEN")):
            batch.asset(asset, scale, code)
        batch.instrument(COIN_USD, text="COINUSD", base_asset=COIN, quote_asset=USD, lot_value=1000, tick_value=3,
                         max_lots=10_000, max_ticks=10**6, maker_fee_ppm=1000, taker_fee_ppm=2500)
        batch.instrument(TOKEN_COIN, text="TOKENCOIN", base_asset=TOKEN, quote_asset=COIN, lot_value=1, tick_value=7,
                         max_lots=10_000, max_ticks=10**6, taker_fee_ppm=500_000)
        for account in self.accounts:
            batch.account(account, label=f"trader {account}")
            for asset in (USD, COIN, TOKEN):
                batch.credit(account, asset, 10**6, reference=f"start {account}")
        return batch

    def commands(self, count: int) -> Batch:
        """The next `count` commands: mostly orders, some of all other kinds."""
        batch = Batch()
        while len(batch) < count:
            chance = self.random.random()
            if chance < 0.7:
                self._place(batch)
            elif chance < 0.95:
                self._withdraw_order(batch)
            else:
                self._administer(batch)
        return batch

    def fills(self, count: int) -> Batch:
        """A resting order of `count` lots and as many takers of one lot; nothing else may stand at its price."""
        maker, *takers = self.accounts
        batch = Batch()
        batch.credit(maker, COIN, count * 1000)
        batch.place(maker, COIN_USD, Side.SELL, OrderType.LIMIT, TimeInForce.GTC, 1, count)
        for number in range(count):
            batch.place(takers[number % len(takers)], COIN_USD, Side.BUY, OrderType.LIMIT, TimeInForce.IOC, 1, 1)
        return batch

    def _place(self, batch: Batch) -> None:
        self._order += 1
        kind = self.random.choices(list(OrderType)[:3], (8, 1, 2))[0]
        market = kind == OrderType.MARKET
        force = TimeInForce.GTC if kind != OrderType.LIMIT else self.random.choices(list(TimeInForce)[:3], (8, 1, 1))[0]
        account, instrument, text = self.random.choice(self.accounts), self._instrument(), f"o{self._order}"
        batch.place(account, instrument, self.random.choice(list(Side)), kind, force,
                    0 if market else self.random.randint(95, 105), self.random.randint(1, 30), text=text)
        self._recent.append((account, instrument, text))

    def _withdraw_order(self, batch: Batch) -> None:
        account, instrument, text = self.random.choice(self._recent)
        chance = self.random.random()
        if chance < 0.1:
            batch.cancel_all(account)
        elif chance < 0.4:
            batch.reduce(account, instrument, self.random.randint(1, 10), text=text)
        else:
            batch.cancel(account, instrument, text=text)

    def _instrument(self) -> int:
        return self.random.choice((COIN_USD, TOKEN_COIN))

    def _administer(self, batch: Batch) -> None:
        account, asset = self.random.choice(self.accounts), self.random.choice((USD, COIN, TOKEN))
        chance = self.random.random()
        if chance < 0.4:
            batch.credit(account, asset, self.random.randint(1, 5000))
        elif chance < 0.8:
            batch.debit(account, asset, self.random.randint(1, 5000))
        elif chance < 0.9:
            status = self.random.choices(list(AccountStatus), (5, 1))[0]
            batch.account(account, status=status, label=f"trader {account}")
        else:
            batch.instrument(COIN_USD, text="COINUSD", base_asset=COIN, quote_asset=USD, lot_value=1000, tick_value=3,
                             max_lots=10_000, max_ticks=10**6, maker_fee_ppm=self.random.randint(0, 1000),
                             taker_fee_ppm=2500, status=InstrumentStatus.TRADING)
