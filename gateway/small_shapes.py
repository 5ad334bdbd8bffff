"""The shapes on the wire of replies that say one or two things; only data."""
from msgspec import UNSET, Struct, UnsetType


class OrderDepth(Struct, rename="camel"):
    """Reply to depth.l3: [price, quantity shown, order id] in the order in which they would trade."""

    last_update_id: int
    bids: list[tuple[str, str, int]]
    asks: list[tuple[str, str, int]]


class Empty(Struct):
    """An object without members."""


class ServerTime(Struct, rename="camel"):
    """Reply to time."""

    server_time: int


class ListenKey(Struct, rename="camel"):
    """Reply to userDataStream.start."""

    listen_key: str


class Countdown(Struct, rename="camel"):
    """Reply to openOrders.cancelAllAfter; symbol is null when it is for all."""

    symbol: str | None
    countdown_time: int
    end_time: int


class DisconnectMode(Struct):
    """Reply to session.cancelOnDisconnect."""

    mode: str


class Subscription(Struct, rename="camel"):
    """Reply to userDataStream.subscribe, and one row of session.subscriptions.

    resumed: to who asked, whether it goes on without a gap or begins anew.
    """

    subscription_id: int
    resumed: bool | UnsetType = UNSET
