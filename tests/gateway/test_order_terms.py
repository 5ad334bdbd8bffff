"""Order parameters: exact ticks, lots and minor units, and one refusal per way of being wrong."""
import pytest

from engine.core.batch import Batch
from engine.core.codes import OrderType, Side, TimeInForce
from engine.core.exchange import Exchange
from engine.instruments import Catalog, Instrument
from gateway.order_terms import OrderTerms, read_order
from gateway.refusals import Refusal


def listed(**changes: int) -> Instrument:
    """Tick 0.01, lot 0.001, quantities from 0.001 to 1,000,000, prices to 1,000,000."""
    fields = {"lot_value": 10, "tick_value": 1, "max_lots": 10**9, "max_ticks": 10**8, **changes}
    batch = Batch()
    batch.asset(1, 4, "ABC")
    batch.asset(2, 5, "USD")
    batch.instrument(7, text="ABCUSD", base_asset=1, quote_asset=2, **fields)
    batch.stamp(1, 1)
    core = Exchange()
    core.apply(batch)
    return Catalog.of(core).by_id[7]


INSTRUMENT = listed()
LIMIT = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "12.34", "quantity": "5"}
MARKET = {"side": "SELL", "type": "MARKET"}
PRICE_FILTER, LOT_SIZE = (-1013, "Filter failure: PRICE_FILTER"), (-1013, "Filter failure: LOT_SIZE")


def terms(params: dict[str, str], **changes: str | None) -> OrderTerms:
    merged = params | changes
    return read_order({name: value for name, value in merged.items() if value is not None}, INSTRUMENT)


def refused(params: dict[str, str], **changes: str | None) -> tuple[int, str]:
    with pytest.raises(Refusal) as caught:
        terms(params, **changes)
    return caught.value.code, caught.value.msg


def test_the_greatest_price_and_quantity_can_be_written():
    """Their texts in 1e-8 are beyond 64 bits; the ticks and lots are not."""
    wide = listed(max_ticks=2**53, max_lots=2**53)
    found = read_order(
        LIMIT | {"price": "90071992547409.92", "quantity": wide.qty_text(2**53)}, wide)
    assert (found.price_ticks, found.qty_lots) == (2**53, 2**53)
    assert read_order(LIMIT | {"price": wide.price_text(2**53 - 1)}, wide).price_ticks == 2**53 - 1
    for price, code in (("90071992547409.93", -1013), ("90071992547409.915", -1013),
                        ("90071992547409.910000001", -1111), ("900719925474099200000000000000.00", -1013)):
        with pytest.raises(Refusal) as caught:
            read_order(LIMIT | {"price": price}, wide)
        assert caught.value.code == code


def test_terms():
    assert terms(LIMIT) == (7, Side.BUY, OrderType.LIMIT, TimeInForce.GTC, 1234, 5000, 0, 0, 0, 0, 0, 0, False)
    assert terms(LIMIT, side="SELL", timeInForce="FOK", quantity="0.001", price="1000000.00000000") == (
        7, Side.SELL, OrderType.LIMIT, TimeInForce.FOK, 10**8, 1, 0, 0, 0, 0, 0, 0, False)
    assert terms(LIMIT, type="LIMIT_MAKER", timeInForce=None)[2:6] == (OrderType.LIMIT_MAKER, 0, 1234, 5000)
    assert terms(MARKET, quantity="2") == (7, Side.SELL, OrderType.MARKET, 0, 0, 2000, 0, 0, 0, 0, 0, 0, False)
    assert terms(MARKET, quoteOrderQty="2.00001") == (
        7, Side.SELL, OrderType.MARKET, 0, 0, 0, 200_001, 0, 0, 0, 0, 0, False)
    assert terms(LIMIT, type="STOP_LOSS_LIMIT", stopPrice="12")[2:] == (
        OrderType.STOP_LOSS_LIMIT, TimeInForce.GTC, 1234, 5000, 0, 0, 1200, 0, 0, 0, False)
    assert terms(MARKET, type="TAKE_PROFIT", quantity="2", stopPrice="12")[2:] == (
        OrderType.TAKE_PROFIT, TimeInForce.GTC, 0, 2000, 0, 0, 1200, 0, 0, 0, False)
    assert terms(MARKET, type="STOP_LOSS", quantity="2", trailingDelta="2000")[2:] == (
        OrderType.STOP_LOSS, TimeInForce.GTC, 0, 2000, 0, 0, 0, 0, 2000, 0, False)


@pytest.mark.parametrize("name", ["price", "quantity"])
@pytest.mark.parametrize("value, code", [
    ("-1", -1100), ("0", -1013), ("-0", -1100), ("NaN", -1100), ("Infinity", -1100), ("1e3", -1100), ("0x1", -1100),
    ("1_000", -1100), (" 1", -1100), ("1\n", -1100), ("１", -1100), ("", -1102), (None, -1102), ("true", -1100),
    ("[]", -1100), ("1.5.5", -1100), (".", -1100), ("+1", -1100), ("1.000000001", -1111),
    ("9007199254740992", -1013), ("9223372036854775807", -1013), ("9223372036854775808", -1013),
    ("1" + "0" * 40, -1100), ("0.000000001", -1111), ("0.00000001", -1013),
])
def test_hostile_numbers(name, value, code):
    """-1013 names the filter of that field."""
    found = refused(LIMIT, **{name: value})
    assert found[0] == code
    if code == -1013:
        assert found == (PRICE_FILTER if name == "price" else LOT_SIZE)
    else:
        assert f"'{name}'" in found[1]


@pytest.mark.parametrize("changes, code", [
    ({"price": "12.345"}, PRICE_FILTER), ({"price": "1000000.01"}, PRICE_FILTER),
    ({"quantity": "5.0005"}, LOT_SIZE), ({"quantity": "1000000.001"}, LOT_SIZE),
    ({"side": "buy"}, (-1117, "Invalid side.")), ({"type": "limit"}, (-1116, "Invalid orderType.")),
    ({"timeInForce": "GTX"}, (-1115, "Invalid timeInForce.")),
    ({"quoteOrderQty": "5"}, (-1106, "Parameter 'quoteOrderQty' sent when not required.")),
    ({"stopPrice": "5"}, (-1106, "Parameter 'stopPrice' sent when not required.")),
    ({"icebergQty": "5.001"}, (-1013, "Filter failure: ICEBERG_PARTS")),
    ({"type": "STOP_LOSS_LIMIT"},
     (-1102, "Param 'stopPrice' or 'trailingDelta' must be sent, but both were empty/null!")),
    ({"type": "STOP_LOSS_LIMIT", "stopPrice": "12.345"}, PRICE_FILTER),
    ({"type": "STOP_LOSS_LIMIT", "stopPrice": "0"}, PRICE_FILTER),
    ({"type": "TAKE_PROFIT", "stopPrice": "5"}, (-1106, "Parameter 'timeInForce' sent when not required.")),
    ({"type": "TAKE_PROFIT", "stopPrice": "5", "timeInForce": None},
     (-1106, "Parameter 'price' sent when not required.")),
    ({"type": "TAKE_PROFIT_LIMIT", "stopPrice": "NaN"},
     (-1100, "Illegal characters found in parameter 'stopPrice'; legal range is '^([0-9]{1,20})(\\.[0-9]{1,20})?$'.")),
    ({"selfTradePreventionMode": "EXPIRE_ALL"},
     (-1013, "This symbol does not allow the specified self-trade prevention mode.")),
    ({"quantitty": "5"}, (-1104, "Not all sent parameters were read; read '5' parameter(s) but was sent '6'.")),
    ({"type": "LIMIT_MAKER"}, (-1106, "Parameter 'timeInForce' sent when not required.")),
])
def test_rules_of_priced_orders(changes, code):
    assert refused(LIMIT, **changes) == code


@pytest.mark.parametrize("missing", ["side", "type", "timeInForce", "price", "quantity"])
def test_mandatory(missing):
    assert refused(LIMIT, **{missing: None}) == (
        -1102, f"Mandatory parameter '{missing}' was not sent, was empty/null, or malformed.")


def test_rules_of_market_orders():
    assert refused(MARKET)[0] == -1102
    assert refused(MARKET, quantity="1", quoteOrderQty="1") == (-1128, "Combination of optional parameters invalid.")
    assert refused(MARKET, quantity="1", price="1") == (-1106, "Parameter 'price' sent when not required.")
    assert refused(MARKET, quantity="1", timeInForce="GTC")[0] == -1106
    assert refused(MARKET, quoteOrderQty="1.000001") == (-1111, "Parameter 'quoteOrderQty' has too much precision.")
    assert refused(MARKET, quoteOrderQty="0") == (-1013, "Filter failure: NOTIONAL")
    assert refused(MARKET, quoteOrderQty="99999999999999999999") == (-1013, "Filter failure: NOTIONAL")
    assert refused(MARKET, quoteOrderQty="1e5")[0] == -1100


def test_what_ccxt_says_twice_is_passed_over():
    """Its own word beside the translation into ours; alone, the word is a parameter nobody reads."""
    assert terms(MARKET, quoteOrderQty="5", cost="5") == terms(MARKET, quoteOrderQty="5")
    maker = LIMIT | {"type": "LIMIT_MAKER"}
    assert terms(maker, timeInForce=None, postOnly="true") == terms(maker, timeInForce=None)
    stop = LIMIT | {"type": "STOP_LOSS_LIMIT", "stopPrice": "11"}
    assert terms(stop, stopLossPrice="11", triggerPrice="11") == terms(stop)
    assert terms(LIMIT, selfTradePreventionMode="EXPIRE_TAKER", selfTradePrevention="EXPIRE_TAKER") == terms(
        LIMIT, selfTradePreventionMode="EXPIRE_TAKER")
    for name, value in (("cost", "5"), ("postOnly", "true"), ("stopLossPrice", "11"), ("selfTradePrevention", "NONE"),
                        ("clientOrderId", "a"), ("cots", "5")):
        assert refused(LIMIT, **{name: value})[0] == -1104
