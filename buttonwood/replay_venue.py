"""Where a replay goes: a private venue of its own, with an instrument and funded traders, or one that runs already.

A private venue lives in a temporary folder, or in --data DIR when its ledger shall be kept.
"""
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from buttonwood.embedded import prepare
from buttonwood.listing import AccountTerms, AssetTerms, InstrumentTerms, Listing
from buttonwood.replay_wire import Key
from buttonwood.resolved import running_settings
from buttonwood.venue import Addresses, Venue
from engine.config import Config, load_config
from engine.core.codes import FIRST_USER_ACCOUNT
from engine.errors import ConfigError, VenueError
from gateway.keys import KeyRecord, add_keys, read_keys

SYMBOL = "STOCKUSD"
BASE, QUOTE = "STOCK", "USD"
TRADERS = 100
PURSE = {BASE: "10000000", QUOTE: "100000000"}      # of each trader: no order of an hour of NASDAQ is refused for money
MAKER_FEE_PPM, TAKER_FEE_PPM = 100, 300
ACCOUNTS_MAX = 1000
JOURNAL_FILE_BYTES = 32 * 1024 * 1024


class Target(Struct, frozen=True):
    """A venue to replay on; `config` of one whose ledger can be read from here."""

    orders: str
    streams: str
    rest: str
    symbol: str
    keys: list[Key]
    config: Config | None


def target_at(addresses: Addresses, symbol: str, keys: list[Key], config: Config | None) -> Target:
    """A venue at its addresses."""
    return Target(addresses.orders, addresses.streams.removesuffix("/stream/ws"), addresses.rest, symbol, keys, config)


@asynccontextmanager
async def private_venue(data_dir: Path) -> AsyncIterator[tuple[Venue, Target]]:
    """A running venue of our own in an empty folder, with funded traders. Raises VenueError."""
    config = private_config(data_dir)
    if config.paths.keys.exists():
        raise ConfigError(f"{data_dir}: holds another venue's data; name a new folder")
    prepare(config)
    keys = private_keys(config)
    async with Venue(config, listing=private_listing()) as venue:
        yield venue, target_at(venue.addresses, SYMBOL, keys, venue.config)


def private_config(data_dir: Path) -> Config:
    """Settings of a private venue: free ports and small journal files, everything else as by default."""
    any_port = {"port": 0}
    return load_config(None, data_dir=str(data_dir), exchange=any_port, feed=any_port, rest=any_port,
                       journal={"segment_bytes": JOURNAL_FILE_BYTES})


def private_listing(traders: int = TRADERS) -> Listing:
    """One instrument with a tick of a cent and lots of one share, and the traders' accounts."""
    instrument = InstrumentTerms(
        symbol=SYMBOL, base=BASE, quote=QUOTE, tick="0.01", lot="1", max_price="1000000", max_quantity="10000000",
        maker_fee_ppm=MAKER_FEE_PPM, taker_fee_ppm=TAKER_FEE_PPM)
    accounts = [AccountTerms(id=FIRST_USER_ACCOUNT + trader, label=f"trader-{trader}", balances=PURSE)
                for trader in range(traders)]
    return Listing(assets=[AssetTerms(code=QUOTE), AssetTerms(code=BASE)], instruments=[instrument], accounts=accounts)


def private_keys(config: Config, traders: int = TRADERS) -> list[Key]:
    """A new HMAC key for each trader, written to the venue's key file. Raises ConfigError."""
    keys = [Key(secrets.token_hex(32), secrets.token_hex(32)) for _ in range(traders)]
    add_keys(config.paths.keys, [
        KeyRecord(api_key=key.api_key, kind="hmac", account=account, label="replay", secret=key.secret)
        for account, key in enumerate(keys, FIRST_USER_ACCOUNT)])
    return keys


def running_venue(data_dir: Path) -> Config | None:
    """The settings of the venue that runs on this data directory, None if none does."""
    if not data_dir.exists():
        return None
    return running_settings(load_config(None, data_dir=str(data_dir)))


def keys_of_venue(config: Config) -> list[Key]:
    """One HMAC key of each account of a venue on this machine. Raises VenueError if there is none."""
    by_account = {record.account: record for record in read_keys(config.paths.keys) if record.kind == "hmac"}
    if not by_account:
        raise VenueError(f"{config.paths.keys}: no HMAC keys in it: make some with `buttonwood keys make --account N`")
    records = [by_account[account] for account in sorted(by_account)]
    return [Key(record.api_key, record.secret) for record in records[:ACCOUNTS_MAX]]


def keys_of_file(path: Path) -> list[Key]:
    """Keys from a JSON list of {"apiKey", "secret"}. Raises VenueError."""
    try:
        keys = msgspec.json.decode(path.read_bytes(), type=list[Key])
    except (OSError, msgspec.DecodeError) as error:
        raise VenueError(f'{path}: {error}; write [{{"apiKey": "...", "secret": "..."}}, ...]') from None
    if not keys or len(keys) > ACCOUNTS_MAX:
        raise VenueError(f"{path}: {len(keys)} keys; give 1 to {ACCOUNTS_MAX}, each of another account")
    return keys
