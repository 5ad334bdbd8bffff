"""order.test and account.commission: what an order would be told and would cost, without placing it.

Balances are not looked at. Fees belong to an instrument and the account's tier and are taken from what is received.
There are no special ones, no taxes and no discounts: those parts of the protocol's replies are zero.
"""
from engine.core.codes import PPM, InstrumentStatus
from engine.core.decimals import format_decimal
from engine.core.exchange import Exchange
from engine.instruments import PLACES, Catalog, Instrument
from gateway.order_terms import PLACE_PARAMS, Params, check_filters, client_order_id, find_instrument, read_order
from gateway.orders import wanted_reply
from gateway.protocol import (
    EMPTY_RESULT,
    ZERO,
    AccountCommission,
    CommissionRates,
    Discount,
    OrderCommission,
    TestCommission,
    encode,
)
from gateway.refusals import INVALID_PARAMETER, MARKET_CLOSED, Refusal

_PARAMS = PLACE_PARAMS | {"computeCommissionRates"}
_E8_PER_PPM = 10**PLACES // PPM
_NONE_FOR_ORDER = OrderCommission(ZERO, ZERO)
_NONE = CommissionRates(ZERO, ZERO, ZERO, ZERO)


class OrderCheck:
    """Methods take (account, params, unit_ns), give JSON and raise Refusal."""

    def __init__(self, core: Exchange, catalog: Catalog) -> None:
        self._core, self._catalog = core, catalog

    def test(self, account: int, params: Params, unit_ns: int) -> bytes:
        """order.test: all that can be said before the core sees it."""
        instrument = find_instrument(params, self._catalog.by_symbol)
        terms = read_order(params, instrument, _PARAMS)
        client_order_id(params, "newClientOrderId")
        wanted_reply(params, terms)
        compute = params.get("computeCommissionRates", "false")
        if compute not in ("true", "false"):
            raise Refusal(INVALID_PARAMETER, "computeCommissionRates")
        check_filters(terms, instrument, self._core.last_price(instrument.id))
        if instrument.status != InstrumentStatus.TRADING:
            raise Refusal(MARKET_CLOSED)
        if compute == "false":
            return EMPTY_RESULT
        return encode(TestCommission(
            OrderCommission(*self._rates(account, instrument)), _NONE_FOR_ORDER, _NONE_FOR_ORDER, Discount()))

    def commission(self, account: int, params: Params, unit_ns: int) -> bytes:
        """account.commission"""
        instrument = find_instrument(params, self._catalog.by_symbol)
        rates = CommissionRates(*self._rates(account, instrument), ZERO, ZERO)
        return encode(AccountCommission(instrument.symbol, rates, _NONE, _NONE, Discount()))

    def _rates(self, account: int, instrument: Instrument) -> tuple[str, str]:
        """Maker's and taker's fee as fractions of what is received; below zero it is paid to the account."""
        maker, taker = (_fraction(ppm) for ppm in self._core.fees(instrument.id, self._core.tier(account)))
        return maker, taker


def _fraction(ppm: int) -> str:
    text = format_decimal(abs(ppm) * _E8_PER_PPM, PLACES)
    return f"-{text}" if ppm < 0 else text
