"""What the exchange and feed processes say to each other about listen keys, and how a key looks; see user_feed.py."""
import re

STARTED, EVENT, ENDED = "started", "event", "ended"
KEY_BYTES = 32
_KEY = re.compile(r"[0-9a-f]{64}")


def is_listen_key(name: str) -> bool:
    """Whether this may be a listen key; no name of a stream looks like one."""
    return _KEY.fullmatch(name) is not None
