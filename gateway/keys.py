"""API keys in use: finds the key a request names and verifies its signature. A key belongs to one account.

Several processes read the same file (key_file.py). A new key is known at once, because a name that is not known makes
the file be looked at (one stat, 1 us); a key taken away is refused within `reload_seconds`. Neither needs a restart.
"""
import base64
import binascii
import logging
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from engine.errors import ConfigError
from gateway.hmac_check import HmacCheck
from gateway.key_file import KeyRecord, NewKey, PublicKey, add_keys, load_public_key, make_key, read_keys, revoke_key

__all__ = ["Key", "KeyRecord", "KeyStore", "NewKey", "add_keys", "make_key", "read_keys", "revoke_key"]
_log = logging.getLogger(__name__)


class Key:
    """A key ready to verify signatures.

    verify(payload, signature): whether this key signed it; HMAC-SHA256 as hex in either case, Ed25519 and RSA as
    base64.
    """

    __slots__ = ("_public", "account", "api_key", "kind", "label", "verify")

    def __init__(self, record: KeyRecord) -> None:
        self.api_key, self.kind = record.api_key, record.kind
        self.account, self.label = record.account, record.label
        self.verify: Callable[[bytes, str], bool]
        if record.kind == "hmac":
            self.verify = HmacCheck(record.secret.encode()).verify
        else:
            self._public: PublicKey = load_public_key(record.public_key, record.kind)
            self.verify = self._verify_public

    def _verify_public(self, payload: bytes, signature: str) -> bool:
        try:
            signed = base64.b64decode(signature, validate=True)
            if isinstance(self._public, RSAPublicKey):
                self._public.verify(signed, payload, PKCS1v15(), SHA256())
            else:
                self._public.verify(signed, payload)
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True


class KeyStore:
    """All keys by name, read again when the file has changed. If it becomes unreadable, the last good one stays."""

    def __init__(self, path: Path, reload_seconds: float = 1.0) -> None:
        self._path = path
        self._reload_seconds = reload_seconds
        self._seen = _stamp(path)
        self._keys = _ready(read_keys(path))
        self._look_again_at = time.monotonic() + reload_seconds

    def find(self, api_key: str) -> Key | None:
        """The key of that name, None when there is none."""
        if api_key not in self._keys or time.monotonic() >= self._look_again_at:
            self._reload()
        return self._keys.get(api_key)

    def _reload(self) -> None:
        self._look_again_at = time.monotonic() + self._reload_seconds
        stamp = _stamp(self._path)
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._keys = _ready(read_keys(self._path))
        except ConfigError as error:
            _log.error("%s; the keys read before stay in force", error)


def _ready(records: list[KeyRecord]) -> dict[str, Key]:
    return {record.api_key: Key(record) for record in records}


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
