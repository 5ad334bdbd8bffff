"""What a story asks of a client library: one account's orders, in the names of Binance's API, with its raw answers."""
import abc
from decimal import Decimal
from typing import Any

Answer = dict[str, Any]


class Account(abc.ABC):
    """One account behind one key. Parameters and answers have the venue's own names; numbers may be floats or texts."""

    symbol: str
    errors: dict[str, str]      # "insufficient": "ClassName -2010", ... as `explain` writes them
    can_gtd = True              # whether the library lets a time in force through that Binance does not have

    @abc.abstractmethod
    async def place(self, **params: Any) -> Answer:
        """order.place."""

    @abc.abstractmethod
    async def order(self, order_id: int) -> Answer:
        """order.status."""

    @abc.abstractmethod
    async def cancel(self, order_id: int) -> Answer:
        """order.cancel."""

    @abc.abstractmethod
    async def cancel_all(self) -> None:
        """openOrders.cancelAll; raises when there is none."""

    @abc.abstractmethod
    async def open_orders(self) -> list[Answer]:
        """openOrders.status."""

    @abc.abstractmethod
    async def amend(self, order_id: int, quantity: float) -> Answer:
        """order.amend.keepPriority."""

    @abc.abstractmethod
    async def replace(self, order_id: int, **params: Any) -> Answer:
        """order.cancelReplace, STOP_ON_FAILURE; the new order."""

    @abc.abstractmethod
    async def place_list(self, kind: str, **params: Any) -> Answer:
        """orderList.place.oco, .oto, .otoco."""

    @abc.abstractmethod
    async def cancel_list(self, list_id: int) -> Answer:
        """orderList.cancel."""

    @abc.abstractmethod
    async def balances(self) -> dict[str, tuple[Decimal, Decimal]]:
        """Free and locked by asset."""

    @abc.abstractmethod
    async def trades(self) -> list[Answer]:
        """myTrades: all of this symbol."""

    @abc.abstractmethod
    def explain(self, error: Exception) -> str:
        """Class and code of an error of this library."""

    @abc.abstractmethod
    async def stranger(self, what: str) -> None:
        """Ask for the balances with a `secret` or a `clock` that is wrong; must raise."""

    async def events(self) -> list[Answer] | None:
        """Private events so far, None where the library has none."""
        return None


async def clear(*accounts: Account) -> None:
    """No orders left of these; that there was none is no error."""
    for account in accounts:
        if await account.open_orders():
            await account.cancel_all()
