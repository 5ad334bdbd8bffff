"""The venue of one client's day: two instruments, two accounts for each kind of key, one that makes traffic.

BTCUSDT is the busy one, on ETHUSDT nobody but the bot trades, so that every fill there is known beforehand.
"""
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from buttonwood.embedded import temporary_data_dir
from engine.config import load_config
from gateway.key_file import Kind
from gateway.keys import make_key
from tests.clients.environments import ROOT
from tests.system.running_venue import RunningVenue

BUSY, QUIET = "BTCUSDT", "ETHUSDT"
MAKER_PPM, TAKER_PPM = 1000, 2000
PAIRS: dict[Kind, tuple[int, int]] = {"hmac": (2, 3), "ed25519": (4, 5)}
TRAFFIC_ACCOUNT = 9
ACCOUNTS = (2, 3, 4, 5, TRAFFIC_ACCOUNT)
STOP_SECONDS_MAX = 120
_LISTING = "\n".join([
    *(f'[[assets]]\ncode = "{code}"' for code in ("USDT", "BTC", "ETH")),
    *(f'[[instruments]]\nsymbol = "{base}USDT"\nbase = "{base}"\nquote = "USDT"\ntick = "0.01"\nlot = "0.00001"\n'
      f'max_price = "1000000"\nmax_quantity = "9000"\nmin_notional = "5"\nmaker_fee_ppm = {MAKER_PPM}\n'
      f'taker_fee_ppm = {TAKER_PPM}' for base in ("BTC", "ETH")),
    *(f'[[accounts]]\nid = {number}\nlabel = "{number}"\n'
      f'balances = {{ USDT = "100000000", BTC = "10000", ETH = "10000" }}' for number in ACCOUNTS)])


class DayVenue:
    """A running venue as a bot is told about it, and what is done to it on a bot's wish."""

    def __init__(self, venue: RunningVenue, rate: float) -> None:
        self._venue, self._rate = venue, rate
        self._traffic: subprocess.Popen[str] | None = None
        keys = load_config(None, data_dir=str(venue.data_dir)).paths.keys
        self._keys = {kind: [make_key(keys, account, kind) for account in pair] for kind, pair in PAIRS.items()}
        self._own = make_key(keys, TRAFFIC_ACCOUNT, "hmac")

    def told(self) -> dict[str, Any]:
        """Addresses and keys."""
        return {**self._venue.words, "busy": BUSY, "quiet": QUIET, "maker_ppm": MAKER_PPM, "taker_ppm": TAKER_PPM,
                "keys": {kind: [{"api_key": key.api_key, "secret": key.secret} for key in pair]
                         for kind, pair in self._keys.items()}}

    def carry_out(self, wish: dict[str, Any]) -> dict[str, Any]:
        """`traffic` true or false; `kill`, the process that shall die and be started again by its supervisor."""
        if "kill" in wish:
            self._venue.part(wish["kill"]).kill()
            return {}
        return self._start_traffic() if wish["traffic"] else self.stop_traffic()

    def _start_traffic(self) -> dict[str, Any]:
        self._traffic = subprocess.Popen(
            [sys.executable, "-m", "tests.clients.load", self._venue.words["orders"], self._own.api_key,
             self._own.secret, BUSY, str(self._rate)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return {}

    def stop_traffic(self) -> dict[str, Any]:
        """What it did, nothing if there was none."""
        if self._traffic is None:
            return {}
        output, _ = self._traffic.communicate(timeout=STOP_SECONDS_MAX)
        self._traffic = None
        done: dict[str, Any] = json.loads(output)
        return done


@contextlib.contextmanager
def day_venue(rate: float) -> Iterator[DayVenue]:
    """A new venue; ended and deleted afterwards."""
    with temporary_data_dir() as folder:
        listing = Path(folder) / "listing.toml"
        listing.write_text(_LISTING, encoding="utf-8")
        with RunningVenue(Path(folder) / "venue", "--listing", str(listing)) as running:
            venue = DayVenue(running, rate)
            try:
                yield venue
            finally:
                venue.stop_traffic()
