"""`buttonwood setup`: tells a running exchange what it shall offer. `buttonwood up` does it by itself."""
from pathlib import Path

from buttonwood.bootstrap import bootstrap
from buttonwood.demo import demo_keys, demo_listing
from buttonwood.listing import read_listing
from engine.config import Config
from engine.errors import ConfigError, VenueError


async def run_setup(config: Config, demo: bool, listing_file: Path | None) -> int:
    """Send the demo's listing or the one in a file; doing it again sends what has changed. Raises VenueError."""
    if demo == (listing_file is not None):
        raise ConfigError("setup needs either --demo or --listing FILE")
    listing = read_listing(listing_file) if listing_file else demo_listing()
    try:
        sent = await bootstrap(config, listing)
    except ConnectionError as error:
        raise VenueError(str(error)) from None
    if demo:
        demo_keys(config)
    for method, params in sent:
        print(method, *(f"{name}={value}" for name, value in params.items()))
    print("done" if sent else "nothing to do: this exchange is as the listing says")
    return 0
