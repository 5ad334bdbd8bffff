"""The file of API keys (keys.json, mode 0600): read, and changed by making, adding and revoking keys.

HMAC keys keep their secret here, as the venue must compute the same signature; of Ed25519 and RSA keys only the public
half is kept. Secrets are handed out once, when the key is made. A change is atomic: a new file takes the old one's name
(writers take turns over all processes).
"""
import fcntl
import os
import secrets
import string
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)
from msgspec import Struct

from engine.errors import ConfigError

Kind = Literal["hmac", "ed25519", "rsa"]
PublicKey = Ed25519PublicKey | RSAPublicKey
RSA_BITS, RSA_BITS_MAX = 2048, 4096
KEY_LENGTH = 64
KEYS_MAX = 1_000_000
_ALPHABET = string.ascii_letters + string.digits


class KeyRecord(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One key as the file holds it."""

    api_key: str
    kind: Kind
    account: int
    label: str = ""
    secret: str = ""       # hmac
    public_key: str = ""   # ed25519 and rsa, PEM


class KeyFile(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    keys: list[KeyRecord] = []


class NewKey(Struct, frozen=True):
    """A key just made; `secret` (HMAC secret or private PEM) is shown now and never again."""

    api_key: str
    secret: str


def make_key(path: Path, account: int, kind: Kind = "hmac", label: str = "") -> NewKey:
    """Make a key for an account and write it to the file. Raises ConfigError."""
    api_key = _random_text()
    if kind == "hmac":
        secret = _random_text()
        record = KeyRecord(api_key=api_key, kind=kind, account=account, label=label, secret=secret)
    else:
        private = Ed25519PrivateKey.generate() if kind == "ed25519" else generate_private_key(65537, RSA_BITS)
        secret = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        record = KeyRecord(api_key=api_key, kind=kind, account=account, label=label, public_key=public)
    add_keys(path, [record])
    return NewKey(api_key, secret)


def add_keys(path: Path, records: list[KeyRecord]) -> None:
    """Add keys made elsewhere, all in one write. Raises ConfigError for a taken name or a key that cannot be used."""
    with _locked(path):
        known = read_keys(path)
        names = [record.api_key for record in known + records]
        if len(set(names)) != len(names):
            raise ConfigError(f"{path}: an api_key is already in use: choose another")
        if len(names) > KEYS_MAX:
            raise ConfigError(f"{path}: more than {KEYS_MAX} keys: revoke some")
        for record in records:
            if record.kind != "hmac":
                load_public_key(record.public_key, record.kind)
        _write(path, known + records)


def revoke_key(path: Path, api_key: str) -> bool:
    """Take a key away; False when there was none of that name. Raises ConfigError."""
    with _locked(path):
        known = read_keys(path)
        left = [record for record in known if record.api_key != api_key]
        if len(left) == len(known):
            return False
        _write(path, left)
        return True


def read_keys(path: Path) -> list[KeyRecord]:
    """What the file holds, nothing when it does not exist. Raises ConfigError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=KeyFile).keys
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}: mend the file or move it away") from None


def load_public_key(pem: str, kind: Kind) -> PublicKey:
    """The key in a PEM text; RSA keys have 2048 to 4096 bits. Raises ConfigError."""
    try:
        key = load_pem_public_key(pem.encode())
    except ValueError:
        key = None
    if kind == "ed25519" and isinstance(key, Ed25519PublicKey):
        return key
    if kind == "rsa" and isinstance(key, RSAPublicKey) and RSA_BITS <= key.key_size <= RSA_BITS_MAX:
        return key
    raise ConfigError(f"public_key is no {kind} public key in PEM form that can be used")


def _random_text() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(KEY_LENGTH))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One writer at a time, over all processes."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _write(path: Path, records: list[KeyRecord]) -> None:
    """Write a new file, make it durable, give it the old one's name."""
    new = path.with_name(path.name + ".new")
    data = msgspec.json.format(msgspec.json.encode(KeyFile(records)), indent=1) + b"\n"
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)
