"""The mirror against a plain dict."""
import numpy as np

from workers.postings import wallet_keys
from workers.wallet_mirror import WALLET_ROW, WalletMirror


def random_rows(random: np.random.Generator, count: int) -> np.ndarray:
    keys = np.unique(random.integers(0, 60, count) << 32 | random.integers(1, 5, count))
    rows = np.zeros(len(keys), WALLET_ROW)
    rows["account"], rows["asset"] = keys >> 32, keys & 0xFFFFFFFF
    rows["balance"] = random.integers(-2**60, 2**60, len(keys))
    return rows


def test_store_and_find_agree_with_a_dict():
    random, plain = np.random.default_rng(4), {}
    mirror = WalletMirror(np.zeros(0, WALLET_ROW))
    for _ in range(40):
        rows = random_rows(random, 15)
        mirror.store(rows)
        plain |= {int(key): row for key, row in zip(wallet_keys(rows), rows.tolist(), strict=True)}
        asked = wallet_keys(random_rows(random, 30))
        found, known = mirror.find(asked)
        assert known.tolist() == [int(key) in plain for key in asked]
        empty = [(int(key) >> 32, int(key) & 0xFFFFFFFF, 0, 0, 0, 0) for key in asked]
        assert found.tolist() == [plain.get(int(key), row) for key, row in zip(asked, empty, strict=True)]
    assert mirror.rows.tolist() == [plain[key] for key in sorted(plain)]


def test_starts_from_rows_in_any_order():
    rows = random_rows(np.random.default_rng(5), 50)
    shuffled = np.random.default_rng(6).permutation(rows)
    assert WalletMirror(shuffled).rows.tolist() == rows.tolist()


def test_found_rows_are_copies():
    rows = random_rows(np.random.default_rng(5), 50)
    mirror = WalletMirror(rows)
    found, _ = mirror.find(wallet_keys(rows))
    found["balance"] += 1
    assert mirror.rows.tolist() == rows.tolist()
