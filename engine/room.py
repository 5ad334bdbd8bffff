"""Room in the core for what the configuration expects, made at the start, so that no batch waits for memory later.

Without it tables grow as they fill, which copies nothing, but the kernel finds and clears the memory while commands
wait: up to 1 ms a huge page, more where its host is busy. Nothing but time depends on it.
"""
from engine.config import Core
from engine.core.exchange import Exchange
from engine.errors import ConfigError

LEAVES_PER_INSTRUMENT = 8   # of 64 prices: two a side of the book, and of its triggers
EVENTS = 65_536             # of one frame


def make_room(core: Exchange, expected: Core) -> None:
    """Raises ConfigError when there is not so much memory."""
    if not any((expected.expected_orders, expected.expected_accounts, expected.expected_wallets,
                expected.expected_instruments)):
        return
    try:
        core.reserve(
            orders=expected.expected_orders, accounts=expected.expected_accounts, wallets=expected.expected_wallets,
            instruments=expected.expected_instruments, leaves=expected.expected_instruments * LEAVES_PER_INSTRUMENT,
            events=EVENTS)
    except MemoryError as error:
        raise ConfigError(f"core.expected_*: {error}") from None
