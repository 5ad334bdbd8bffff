"""The parts of the exchange process behind its two doors: the engine, what is remembered of it, the table of methods.

Both the WebSocket sessions and the Unix-socket door find their methods here. `applied` hears of every frame, from the
first one of the replay at start-up on, before anybody is answered. If it fails, what is remembered is no longer true:
`failed` is resolved and the process must end, to be started again from the journal.
"""
import asyncio
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, Protocol, Self

from engine.config import Config
from engine.core.batch import Batch
from engine.core.codes import EventKind
from engine.core.exchange import Exchange
from engine.core.unpack import Event
from engine.frames import Frame
from engine.instruments import Catalog
from engine.service import Engine
from engine.snapshots import AtHand
from gateway.amendments import Amendments
from gateway.answers import Desk
from gateway.keys import KeyStore
from gateway.list_desk import LEGS_AND_HEADER, ListDesk
from gateway.listen_keys import ListenKeys
from gateway.order_batches import OrderBatches
from gateway.order_check import OrderCheck
from gateway.order_lists import ListQueries, OrderLists
from gateway.order_replace import CANCEL_ONLY, OrderReplacer
from gateway.order_replies import EXPIRY_REASONS
from gateway.order_store import OrderStore
from gateway.order_terms import Params
from gateway.orders import Finish, OrderDesk
from gateway.prevented_matches import PreventedMatches
from gateway.queries import Queries
from gateway.questions import Questions
from gateway.rates import RateRefusal, Rates
from gateway.recent_trades import RecentTrades
from gateway.refusals import LEDGER_BEHIND, STORAGE_FULL, Refusal
from gateway.ticker import Ticker
from gateway.ticker_queries import TickerQueries
from gateway.user_events import UserStreams

Command = Callable[[Batch, int, Params, int], Finish]      # batch, account, params, unit_ns
Placing = Callable[[Batch, int, Params, int, int], Finish]   # and the session
Private = Callable[[int, Params, int], bytes]              # account, params, unit_ns
Public = Callable[[Params, int], bytes]                    # params, unit_ns
_MONEY, _CONFIGURED = int(EventKind.MONEY), int(EventKind.CONFIGURED)


class Tag(NamedTuple):
    """Where a reply belongs."""

    id: bytes
    show_limits: bool
    limits: bytes = b"[]"   # those the request counts towards, as JSON


class Closing(Protocol):
    """A connection that wants to hear of a shutdown."""

    def shutting_down(self, now_ns: int) -> None:
        """The process is about to close."""


class Venue:
    """Made by `open`; closed by closing its engine and its questions."""

    engine: Engine
    desk: Desk
    new_order_id: Callable[[], str]

    def __init__(self, config: Config) -> None:
        self.config = config
        self.keys = KeyStore(config.paths.keys)
        self.streams = UserStreams(config.limits, config.paths.resume_accounts)
        self.store = OrderStore(
            config.limits.closed_orders_max, self.streams.subscribers, self.streams.order_changed)
        self.listen_keys = ListenKeys(self.streams, config.limits.listen_key_seconds)
        self.trades = RecentTrades()
        self.lists = OrderLists(self.store, config.limits.closed_orders_max, self.streams.list_changed)
        self.prevented = PreventedMatches(config.limits.closed_orders_max)
        self.amendments = Amendments(self.store, config.limits.closed_orders_max)
        self.questions = Questions(config)
        self.rates = Rates(config.rates)
        self.sessions: set[Closing] = set()
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.commands: dict[str, Command] = {}
        self.placing: dict[str, Placing] = {}   # those commands that a session may own
        self.groups: dict[str, Command] = {}    # those that become any number of commands, at most group_max
        self.group_max = max(config.limits.batch_orders_max, LEGS_AND_HEADER)
        self.private: dict[str, Private] = {}
        self.keyed: dict[str, Private] = {      # by whoever names a key; there is no signature
            "userDataStream.start": self.listen_keys.start, "userDataStream.ping": self.listen_keys.ping,
            "userDataStream.stop": self.listen_keys.stop}
        self.public: dict[str, Public] = {}
        self._replayed: tuple[Exchange, Catalog] | None = None   # while a start tells subscribers what there was

    @classmethod
    async def open(cls, config: Config, at_hand: AtHand | None = None) -> Self:
        """Recover the engine, and what is remembered of orders; connect the parts. Raises what Engine.open raises."""
        venue = cls(config)
        venue.engine = await Engine.open(config, venue.applied, begin=venue._restore, at_hand=at_hand)
        venue.streams.restored()
        venue._replayed = None
        venue.store.apply([])   # forgets what the last frames told closed beyond the limit, as a next frame would
        venue._connect()
        venue.questions.start()
        return venue

    def _restore(self, core: Exchange) -> None:
        """What is open before the first frame that is heard of."""
        self.store.restore(core.all_orders())
        self.lists.restore(core.order_lists())
        self.streams.restore()
        if self.streams.subscribers:
            self._replayed = core, Catalog.of(core)
            self.streams.attach(*self._replayed)

    def applied(self, frame: Frame, events: list[Event]) -> None:
        """A frame is durable and applied."""
        try:
            if self._replayed is not None and any(event.kind == _CONFIGURED for event in events):
                core, catalog = self._replayed
                catalog.update(core)
            self.amendments.apply(events)
            self.store.apply(events)
            self.trades.apply(events)
            self.prevented.apply(events)
            self.lists.apply(events)
            if self.streams.subscribers:
                for event in events:
                    if event.kind == _MONEY:
                        self.streams.money_changed(event)
        except Exception as error:
            if not self.failed.done():
                self.failed.set_exception(error)
            raise

    def _connect(self) -> None:
        core, catalog = self.engine.core, self.engine.catalog
        self.ticker = Ticker(self.engine)
        self.streams.attach(core, catalog)
        desk = OrderDesk(core, catalog, self.store, self.lists, self.streams)
        replacer, check = OrderReplacer(core, catalog, desk), OrderCheck(core, catalog)
        self.desk = Desk(catalog, self.store, self.streams, Tag, EXPIRY_REASONS)
        self.new_order_id = desk.new_id
        queries = Queries(core, catalog, self.store, self.trades, self.rates)
        tickers = TickerQueries(core, catalog)
        self.commands |= {
            "order.place": self._unless_refused(desk.place),
            "order.cancelReplace": self._unless_refused(replacer.replace, replacer.cancel_only),
            "order.cancel": desk.cancel,
            "order.amend.keepPriority": desk.amend,
            "openOrders.cancelAll": desk.cancel_all,
            "openOrders.cancelAllAfter": desk.cancel_all_after,
        }
        self.placing["order.place"] = self._unless_refused(desk.place)
        batches = OrderBatches(
            self._unless_refused(desk.place), desk.cancel, self.config.limits.batch_orders_max)
        questions = ListQueries(catalog, self.lists)
        lists = ListDesk(catalog, desk, self.lists, questions, self.streams)
        self.groups |= {
            "orderList.place": self._unless_refused(lists.old_oco),
            "orderList.place.oco": self._unless_refused(lists.oco),
            "orderList.place.oto": self._unless_refused(lists.oto),
            "orderList.place.otoco": self._unless_refused(lists.otoco)}
        self.commands["orderList.cancel"] = lists.cancel
        self.private |= {
            "orderList.status": questions.status, "openOrderLists.status": questions.open,
            "allOrderLists": questions.everything}
        self.groups |= {"order.placeBatch": batches.place, "order.cancelBatch": batches.cancel}
        self.private |= {
            "order.test": check.test,
            "account.commission": check.commission,
            "myPreventedMatches": partial(self.prevented.find, core, catalog),
            "myAllocations": queries.allocations,
            "order.amendments": partial(self.amendments.find, catalog),
            "order.status": queries.order_status,
            "openOrders.status": queries.open_orders,
            "account.status": queries.account,
            "account.rateLimits.orders": queries.order_limits,
        }
        self.public |= {
            "ping": queries.ping,
            "time": queries.time,
            "exchangeInfo": queries.exchange_info,
            "depth": queries.depth,
            "depth.l3": queries.order_depth,
            "trades.recent": queries.recent_trades,
            "ticker.book": tickers.book,
            "ticker.price": tickers.price,
        }

    def _unless_refused(
            self, command: Callable[..., Finish], too_many: Callable[..., Finish] | None = None,
    ) -> Callable[..., Finish]:
        """Orders are refused one by one (also when too many), so that a cancel read with one is not refused too.

        too_many: what to do instead when they are too many, if the client wants that.
        """
        def checked(batch: Batch, account: int, params: Params, unit_ns: int, *session: int) -> Finish:
            if self.engine.orders_refused:
                raise Refusal(STORAGE_FULL if self.engine.storage_low else LEDGER_BEHIND)
            if self.rates.counts_orders:
                try:
                    self.rates.order(account)
                except RateRefusal as refusal:
                    if too_many is None or params.get("orderRateLimitExceededMode") != CANCEL_ONLY:
                        raise
                    return too_many(batch, account, params, unit_ns, refusal)
            return command(batch, account, params, unit_ns, *session)
        return checked
