"""Tokens that name an account for a while: JWT signed with HS256, for the web page and other holders of no API key.

The secret lies in the data directory (mode 0600), is made by whoever needs it first, and is read once per process.
"""
import os
import secrets
import time
from functools import lru_cache
from pathlib import Path

import jwt

from engine.config import Config
from gateway.refusals import REJECTED_API_KEY, Refusal

ISSUER = "buttonwood"
TTL_SECONDS_MAX = 30 * 86400
TOKEN_BYTES_MAX = 4096


def make_token(config: Config, account: int, ttl_seconds: int) -> str:
    """A token for `account`, good for at most 30 days. Raises ValueError when ttl_seconds is out of range."""
    if not 0 < ttl_seconds <= TTL_SECONDS_MAX:
        raise ValueError(f"ttl_seconds is {ttl_seconds}: choose 1 to {TTL_SECONDS_MAX}")
    now = int(time.time())
    claims = {"iss": ISSUER, "sub": str(account), "iat": now, "exp": now + ttl_seconds}
    return jwt.encode(claims, _secret(config.paths.token_secret), algorithm="HS256")


def read_token(config: Config, token: str) -> int:
    """The account a token stands for. Raises Refusal -2015 for a token that is not ours, altered or too old."""
    if len(token) > TOKEN_BYTES_MAX:
        raise Refusal(REJECTED_API_KEY)
    try:
        claims = jwt.decode(
            token, _secret(config.paths.token_secret), algorithms=["HS256"], issuer=ISSUER,
            options={"require": ["exp", "iat", "iss", "sub"]})
        return int(claims["sub"])
    except (jwt.InvalidTokenError, ValueError):
        raise Refusal(REJECTED_API_KEY) from None


@lru_cache(maxsize=16)
def _secret(path: Path) -> str:
    """Read the secret, or make it. Two processes that start together end with the same one: the first link wins."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = path.with_name(f"{path.name}.{os.getpid()}")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
        try:
            os.link(new, path)
        except FileExistsError:
            pass
        finally:
            new.unlink()
    return path.read_text().strip()
