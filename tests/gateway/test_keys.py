"""The file of API keys: made, listed, revoked, read again when changed, never half written, private."""
import os
import threading
from pathlib import Path

import pytest

from engine.errors import ConfigError
from gateway.auth import sign
from gateway.keys import KeyRecord, KeyStore, add_keys, make_key, read_keys, revoke_key


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "keys.json"


def test_make_list_revoke(path):
    first, second = make_key(path, 2, "hmac", "bot"), make_key(path, 3, "ed25519")
    assert len(first.api_key) == len(first.secret) == 64 and first.api_key.isalnum()
    assert second.secret.startswith("-----BEGIN PRIVATE KEY-----")
    found = read_keys(path)
    assert [(key.api_key, key.kind, key.account, key.label) for key in found] == [
        (first.api_key, "hmac", 2, "bot"), (second.api_key, "ed25519", 3, "")]
    assert not found[1].secret and "PRIVATE" not in path.read_text()
    assert revoke_key(path, first.api_key) and not revoke_key(path, first.api_key)
    assert [key.api_key for key in read_keys(path)] == [second.api_key]


def test_an_rsa_key_signs(path):
    new = make_key(path, 2, "rsa")
    key = KeyStore(path).find(new.api_key)
    assert key is not None and key.kind == "rsa" and "PRIVATE" not in path.read_text()
    signature = sign(new.secret, b"payload")
    assert key.verify(b"payload", signature) and not key.verify(b"other", signature)
    assert not key.verify(b"payload", "zz") and not key.verify(b"payload", signature[:-4])
    ed25519 = make_key(path, 3, "ed25519")
    assert not key.verify(b"payload", sign(ed25519.secret, b"payload"))
    public = read_keys(path)[1].public_key
    with pytest.raises(ConfigError, match="no rsa public key"):
        add_keys(path, [KeyRecord(api_key="x", kind="rsa", account=2, public_key=public)])


def test_mode_and_leftovers(path):
    before = os.umask(0)
    try:
        make_key(path, 2)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    path.with_name("keys.json.new").write_text("torn")
    make_key(path, 2)
    assert len(read_keys(path)) == 2 and not path.with_name("keys.json.new").exists()


def test_store_sees_changes(path):
    store = KeyStore(path, reload_seconds=0)
    assert store.find("x") is None
    new = make_key(path, 2)
    key = store.find(new.api_key)
    assert key is not None and key.verify(b"payload", sign(new.secret, b"payload"))
    assert not key.verify(b"other", sign(new.secret, b"payload"))
    revoke_key(path, new.api_key)
    assert store.find(new.api_key) is None


def test_a_new_key_is_known_at_once_and_a_revoked_one_within_the_interval(path):
    store = KeyStore(path, reload_seconds=3600)
    assert store.find("nobody") is None
    new = make_key(path, 7)
    found = store.find(new.api_key)
    assert found is not None and found.account == 7
    revoke_key(path, new.api_key)
    assert store.find(new.api_key) is not None
    assert KeyStore(path, reload_seconds=0).find(new.api_key) is None


def test_damaged_file_is_named_and_keeps_the_keys_in_force(path):
    new = make_key(path, 2)
    store = KeyStore(path, reload_seconds=0)
    for text in ("{", '{"keys":[{"api_key":1}]}', '{"keys":[],"x":1}',
                 '{"keys":[{"api_key":"a","kind":"rsa","account":1}]}',
                 '{"keys":[{"api_key":"a","kind":"ed25519","account":1,"public_key":"x"}]}', "\xff"):
        path.write_text(text, encoding="latin-1")
        assert store.find(new.api_key) is not None
    path.write_text("{")
    with pytest.raises(ConfigError, match=r"keys\.json: .*mend the file"):
        read_keys(path)
    with pytest.raises(ConfigError, match=r"keys\.json"):
        KeyStore(path)


def test_names_are_unique_and_keys_usable(path):
    record = KeyRecord(api_key="a", kind="hmac", account=2, secret="s")
    with pytest.raises(ConfigError, match="already in use"):
        add_keys(path, [record, record])
    add_keys(path, [record])
    with pytest.raises(ConfigError, match="already in use"):
        add_keys(path, [record])
    with pytest.raises(ConfigError, match="no ed25519 public key"):
        add_keys(path, [KeyRecord(api_key="b", kind="ed25519", account=2, public_key="-----BEGIN")])
    assert len(read_keys(path)) == 1


def test_writers_take_turns(path):
    threads = [threading.Thread(target=make_key, args=(path, account)) for account in range(2, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(key.account for key in read_keys(path)) == list(range(2, 10))
