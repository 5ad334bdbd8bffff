"""`buttonwood up`: a whole venue until Ctrl-C. Prints one line when it is ready, and nothing more while all is well.

The line is made of NAME=VALUE words, so that a person and a script can read it. Its own log is DATA/logs/up.log; the
other processes' logs lie beside it.
"""
import asyncio
import logging
import sys
from pathlib import Path

from buttonwood.demo import CUSTOMERS, demo_keys
from buttonwood.embedded import prepare
from buttonwood.listing import Listing, read_listing
from buttonwood.process_log import configure
from buttonwood.run_command import refuse, until_signal
from buttonwood.venue import Venue
from engine.config import Config, Logs
from engine.errors import ConfigError, VenueError


def run_up(config: Config, demo: bool, listing_file: Path | None) -> int:
    """Run a venue until it is told to stop; the exit status. Plain asyncio: nothing here is in a hurry."""
    if demo and listing_file:
        raise ConfigError("--demo brings its own listing: give either --demo or --listing")
    listing = read_listing(listing_file) if listing_file else None
    prepare(config)
    _log_to(config.paths.logs / "up.log", config.logs)
    try:
        asyncio.run(until_signal(_up(config, demo, listing)))
    except VenueError as error:
        return refuse(error, config.logs)
    return 0


async def _up(config: Config, demo: bool, listing: Listing | None) -> None:
    async with Venue(config, demo=demo, listing=listing) as venue:
        print(ready_line(venue, demo), flush=True)
        await venue.failed


def ready_line(venue: Venue, demo: bool) -> str:
    """Addresses, and with the demo its first customer's API key."""
    addresses = venue.addresses
    words = [f"rest={addresses.rest}", f"orders={addresses.orders}", f"streams={addresses.streams}"]
    if demo:
        record = demo_keys(venue.config)[next(iter(CUSTOMERS))]
        words += [f"key={record.api_key}", f"secret={record.secret}"]
    return "buttonwood is ready: " + " ".join(words)


def _log_to(file: Path, logs: Logs) -> None:
    """Everything into the file, warnings to the terminal as well."""
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setLevel(logging.WARNING)
    configure(logs, "up", logging.FileHandler(file), terminal)
