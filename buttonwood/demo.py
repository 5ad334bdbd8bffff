"""The demo venue: one stock-like instrument, BTCUSDT and ETHUSDT, two funded customers, and accounts for the simulated
traders. Keys are made once and stay the same. Money here is play money, which is why it may be printed.
"""
from buttonwood.listing import AccountTerms, AssetTerms, InstrumentTerms, Listing
from engine.config import Config
from gateway.keys import KeyRecord, make_key, read_keys

CUSTOMERS = {2: "demo", 3: "demo-two"}
MAKERS = {10: "demo-maker-one", 11: "demo-maker-two"}
TAKERS = {20: "demo-taker-one", 21: "demo-taker-two"}
OPENING_PRICES = {"AAPLUSDT": "190", "BTCUSDT": "60000", "ETHUSDT": "3000"}

_PURSE = {"USDT": "1000000", "BTC": "10", "ETH": "100", "AAPL": "1000"}
_DEEP_PURSE = {"USDT": "1000000000", "BTC": "20000", "ETH": "400000", "AAPL": "5000000"}


def demo_listing() -> Listing:
    """What `buttonwood up --demo` offers."""
    accounts = [AccountTerms(id=number, label=label, balances=_PURSE) for number, label in CUSTOMERS.items()]
    traders = MAKERS | TAKERS
    accounts += [AccountTerms(id=number, label=label, balances=_DEEP_PURSE) for number, label in traders.items()]
    return Listing(
        assets=[AssetTerms(code=code) for code in ("USDT", "BTC", "ETH", "AAPL")],
        instruments=[
            InstrumentTerms(symbol="AAPLUSDT", base="AAPL", quote="USDT", tick="0.01", lot="1", max_price="100000",
                            max_quantity="1000000", min_notional="1"),
            InstrumentTerms(symbol="BTCUSDT", base="BTC", quote="USDT", tick="0.01", lot="0.00001", max_price="1000000",
                            max_quantity="9000", min_notional="5"),
            InstrumentTerms(symbol="ETHUSDT", base="ETH", quote="USDT", tick="0.01", lot="0.0001", max_price="1000000",
                            max_quantity="9000", min_notional="5"),
        ],
        accounts=accounts)


def demo_keys(config: Config) -> dict[int, KeyRecord]:
    """The HMAC key of each demo account; those that do not exist yet are made. Raises ConfigError."""
    labels = CUSTOMERS | MAKERS | TAKERS
    known = {(record.account, record.label) for record in read_keys(config.paths.keys) if record.kind == "hmac"}
    for account, label in labels.items():
        if (account, label) not in known:
            make_key(config.paths.keys, account, "hmac", label)
    return {record.account: record for record in read_keys(config.paths.keys)
            if record.kind == "hmac" and labels.get(record.account) == record.label}
