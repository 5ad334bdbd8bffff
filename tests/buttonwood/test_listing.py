"""A listing in people's terms becomes the core's integers, exactly or not at all."""
import pytest
from msgspec.structs import replace

from buttonwood.demo import demo_listing
from buttonwood.listing import AccountTerms, AssetTerms, InstrumentTerms, Listing, read_listing
from engine.errors import ConfigError

BTC = InstrumentTerms(symbol="BTCUSDT", base="BTC", quote="USDT", tick="0.01", lot="0.00001", max_price="1000000",
                      max_quantity="9000", min_notional="5")
ASSETS = [AssetTerms(code="USDT"), AssetTerms(code="BTC")]


def listing(**changes: object) -> Listing:
    return Listing(assets=ASSETS, instruments=[replace(BTC, **changes)])


def test_terms_become_integers():
    assert listing().requests() == [
        ("admin.asset", {"asset": 1, "scale": 8, "code": "USDT"}),
        ("admin.asset", {"asset": 2, "scale": 8, "code": "BTC"}),
        ("admin.instrument", {
            "instrument": 1, "symbol": "BTCUSDT", "status": 0, "base_asset": 2, "quote_asset": 1, "lot_value": 1000,
            "tick_value": 10, "min_lots": 1, "max_lots": 900_000_000, "max_ticks": 100_000_000,
            "min_notional": 500_000_000, "maker_fee_ppm": 1000, "taker_fee_ppm": 1000}),
    ]


def test_accounts_are_opened_then_credited():
    funded = Listing(assets=ASSETS, instruments=[], accounts=[AccountTerms(id=2, label="a", balances={"USDT": "1.5"})])
    assert funded.requests()[2:] == [
        ("admin.account", {"account": 2, "status": 0, "label": "a"}),
        ("admin.credit", {"account": 2, "asset": "USDT", "amount": "1.5", "reference": "opening"})]


def test_scales_other_than_eight():
    coarse = Listing(assets=[AssetTerms(code="USDT", scale=2), AssetTerms(code="BTC", scale=0)],
                     instruments=[replace(BTC, lot="1", tick="0.05")])
    terms = coarse.requests()[2][1]
    assert (terms["lot_value"], terms["tick_value"], terms["max_ticks"]) == (1, 5, 20_000_000)


@pytest.mark.parametrize(("changes", "words"), [
    ({"base": "DOGE"}, "base 'DOGE' is no asset"),
    ({"tick": "0"}, "tick = '0': write a positive"),
    ({"tick": "-1"}, "tick = '-1': write a positive"),
    ({"lot": "1e-5"}, "lot = '1e-5': write a positive"),
    ({"lot": "0.0000000001"}, "at most 9 places"),
    ({"tick": "0.0001", "lot": "0.000001"}, "finer than one minor unit"),
    ({"max_price": "0.015"}, "max_price is no whole number of steps"),
    ({"min_notional": "x"}, "min_notional = 'x'"),
])
def test_terms_that_would_round_money_are_refused(changes, words):
    with pytest.raises(ConfigError, match=f"instrument BTCUSDT: .*{words}"):
        listing(**changes).requests()


def test_the_venues_own_accounts_cannot_be_given_away():
    with pytest.raises(ConfigError, match="id 1 is the venue's own: use 2 or more"):
        Listing(assets=ASSETS, instruments=[], accounts=[AccountTerms(id=1, label="me")]).requests()


def test_a_file_is_read_and_mistakes_are_named(tmp_path):
    file = tmp_path / "listing.toml"
    file.write_text("""
        assets = [{ code = "USDT" }, { code = "BTC", scale = 8 }]
        [[instruments]]
        symbol = "BTCUSDT"
        base = "BTC"
        quote = "USDT"
        tick = "0.01"
        lot = "0.00001"
        max_price = "1000000"
        max_quantity = "9000"
        min_notional = "5"
    """)
    assert read_listing(file).requests() == listing().requests()
    file.write_text("asets = []")
    with pytest.raises(ConfigError, match=r"listing\.toml: .*asets"):
        read_listing(file)
    with pytest.raises(ConfigError, match=r"missing\.toml: cannot be read"):
        read_listing(tmp_path / "missing.toml")


def test_the_demo_listing_is_sound():
    methods = [method for method, _ in demo_listing().requests()]
    assert methods.count("admin.asset") == 4 and methods.count("admin.instrument") == 3
    assert methods.index("admin.instrument") > 3 and "admin.credit" in methods
