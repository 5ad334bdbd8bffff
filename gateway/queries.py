"""The reading methods: answered at once from the durable state of the core and the order store, without the engine.

Public ones have the shape (params, unit_ns) -> JSON, those about an account (account, params, unit_ns) -> JSON. All
raise Refusal. Lists are bounded by their `limit` or by what an account can have open.
"""
import time

import numpy as np

from engine.core.codes import PPM, AccountStatus, Side
from engine.core.decimals import format_decimal
from engine.core.exchange import Exchange
from engine.instruments import PLACES, Catalog
from engine.records import ORDER
from gateway.exchange_info import exchange_info
from gateway.order_replies import order_state
from gateway.order_store import Order, OrderStore
from gateway.order_terms import Params, client_order_id, find_instrument, needed, order_id
from gateway.protocol import EMPTY_RESULT, AccountState, Balance, CommissionRates, Depth, OrderState, encode
from gateway.rates import Rates
from gateway.recent_trades import TRADES_MAX, RecentTrades
from gateway.refusals import (
    CLIENT_ORDER_ID_MISMATCH,
    INVALID_PARAMETER,
    NO_SUCH_ORDER,
    ONE_OF_TWO,
    REJECTED_API_KEY,
    Refusal,
)
from gateway.small_shapes import OrderDepth, ServerTime

DEPTH_LIMIT, DEPTH_LIMIT_MAX = 100, 5000
TRADES_LIMIT = 500
_BUY, _SELL = int(Side.BUY), int(Side.SELL)
_E8_PER_PPM = 10**PLACES // PPM
_BASIS_POINT_PPM = 100


class Queries:
    """Reads only; holds nothing of its own."""

    def __init__(
            self, core: Exchange, catalog: Catalog, store: OrderStore, trades: RecentTrades, rates: Rates) -> None:
        self._core = core
        self._catalog = catalog
        self._store = store
        self._trades = trades
        self._rates = rates

    # for everybody

    def ping(self, params: Params, unit_ns: int) -> bytes:
        """ping"""
        return EMPTY_RESULT

    def time(self, params: Params, unit_ns: int) -> bytes:
        """time"""
        return encode(ServerTime(time.time_ns() // unit_ns))

    def exchange_info(self, params: Params, unit_ns: int) -> bytes:
        """exchangeInfo"""
        return encode(exchange_info(
            self._catalog, params, time.time_ns() // unit_ns,
            self._rates.weight_limits(None) + self._rates.order_limits(None)))

    def depth(self, params: Params, unit_ns: int) -> bytes:
        """depth: straight from the book, so never older than what the streams have shown."""
        instrument = find_instrument(params, self._catalog.by_symbol)
        limit = _limit(params, DEPTH_LIMIT, DEPTH_LIMIT_MAX)
        bids, asks = (
            [(instrument.price_text(ticks), instrument.qty_text(lots))
             for ticks, lots in self._core.depth(instrument.id, side, limit)] for side in (_BUY, _SELL))
        return encode(Depth(self._core.update_id(instrument.id), bids, asks))

    def order_depth(self, params: Params, unit_ns: int) -> bytes:
        """depth.l3: the same, order by order, as `@l3` continues it."""
        instrument = find_instrument(params, self._catalog.by_symbol)
        limit = _limit(params, DEPTH_LIMIT, DEPTH_LIMIT_MAX)
        bids, asks = (
            [(instrument.price_text(ticks), instrument.qty_text(lots), number)
             for ticks, lots, number in self._core.queue(instrument.id, side, limit)] for side in (_BUY, _SELL))
        return encode(OrderDepth(self._core.update_id(instrument.id), bids, asks))

    def recent_trades(self, params: Params, unit_ns: int) -> bytes:
        """trades.recent"""
        instrument = find_instrument(params, self._catalog.by_symbol)
        return encode(self._trades.latest(instrument, _limit(params, TRADES_LIMIT, TRADES_MAX), unit_ns))

    # about an account

    def order_status(self, account: int, params: Params, unit_ns: int) -> bytes:
        """order.status: open orders, and closed ones as long as the store remembers them."""
        instrument = find_instrument(params, self._catalog.by_symbol)
        order = self._order(account, params)
        if order is None or order.instrument != instrument.id:
            raise Refusal(NO_SUCH_ORDER)
        return encode(self._state(order, unit_ns))

    def open_orders(self, account: int, params: Params, unit_ns: int) -> bytes:
        """openOrders.status: of one symbol, or of all."""
        instrument = find_instrument(params, self._catalog.by_symbol).id if "symbol" in params else 0
        ids = np.frombuffer(self._core.open_orders(account, instrument), ORDER)["order_id"].tolist()
        orders = [self._store.find_open(number) for number in ids]
        return encode([self._state(order, unit_ns) for order in orders if order is not None])

    def _state(self, order: Order, unit_ns: int) -> OrderState:
        """With the trigger of a trailing stop that follows the price: its moves are told by nothing else."""
        instrument = self._catalog.by_id[order.instrument]
        state = order_state(order, instrument, unit_ns)
        follows = order.trailing_ns and not order.working_ns
        record = self._core.order(order.id, order.slot) if follows else None
        if record is not None:
            state.trigger_price = instrument.price_text(int(np.frombuffer(record, ORDER)[0]["trigger_ticks"]))
        return state

    def account(self, account: int, params: Params, unit_ns: int) -> bytes:
        """account.status"""
        status = self._core.account_status(account)
        if status < 0:
            raise Refusal(REJECTED_API_KEY)
        maker_ppm, taker_ppm = self._fees_ppm()
        maker, taker = (format_decimal(ppm * _E8_PER_PPM, PLACES) for ppm in (maker_ppm, taker_ppm))
        return encode(AccountState(
            maker_commission=maker_ppm // _BASIS_POINT_PPM, taker_commission=taker_ppm // _BASIS_POINT_PPM,
            buyer_commission=0, seller_commission=0,
            commission_rates=CommissionRates(maker, taker, format_decimal(0, PLACES), format_decimal(0, PLACES)),
            can_trade=status == AccountStatus.ACTIVE, can_withdraw=False, can_deposit=False, brokered=False,
            require_self_trade_prevention=False, prevent_sor=False,
            update_time=self._store.changed_ns.get(account, 0) // unit_ns, account_type="SPOT",
            balances=self._balances(account, params.get("omitZeroBalances") == "true"), permissions=["SPOT"],
            uid=account))

    def allocations(self, account: int, params: Params, unit_ns: int) -> bytes:
        """myAllocations: none, as orders are not routed"""
        find_instrument(params, self._catalog.by_symbol)
        return b"[]"

    def order_limits(self, account: int, params: Params, unit_ns: int) -> bytes:
        """account.rateLimits.orders: the limits in force and what the account has used of them"""
        return encode(self._rates.order_limits(account))

    def _balances(self, account: int, omit_zero: bool) -> list[Balance]:
        wallets = {asset: (available, held) for asset, available, held in self._core.account_wallets(account)}
        balances = []
        for number in sorted(self._catalog.assets):
            asset = self._catalog.assets[number]
            available, held = wallets.get(number, (0, 0))
            if available or held or not omit_zero:
                balances.append(Balance(asset.code, asset.text(available), asset.text(held)))
        return balances

    def _fees_ppm(self) -> tuple[int, int]:
        """Fees belong to instruments; an account is shown the highest of them."""
        instruments = self._catalog.by_id.values()
        return (max((instrument.maker_fee_ppm for instrument in instruments), default=0),
                max((instrument.taker_fee_ppm for instrument in instruments), default=0))

    def _order(self, account: int, params: Params) -> Order | None:
        wanted, text = order_id(params), client_order_id(params, "origClientOrderId")
        if wanted is not None:
            order = self._store.get(account, wanted)
            if order is not None and text is not None and order.text != text:
                raise Refusal(CLIENT_ORDER_ID_MISMATCH)
            return order
        if text is None:
            raise Refusal(ONE_OF_TWO, "origClientOrderId", "orderId")
        open_id, _ = self._core.find(account, text.encode())
        return self._store.find_open(open_id) if open_id else self._store.last_closed(account, text)


def _limit(params: Params, usual: int, most: int) -> int:
    if "limit" not in params:
        return usual
    text = needed(params, "limit")
    if not (text.isascii() and text.isdigit() and len(text) <= 10) or int(text) == 0:
        raise Refusal(INVALID_PARAMETER, "limit")
    return min(int(text), most)
