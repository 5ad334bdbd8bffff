"""The native check of HMAC signatures against the standard library's hmac, for secrets around the hash's block."""
import hmac
import random

import pytest

from gateway.hmac_check import HmacCheck


def changed(choose: random.Random, signature: str) -> str:
    """Another text of about that length."""
    place = choose.randrange(len(signature))
    return signature[:place] + choose.choice(("", "g", "é", "\0", "€" * 3, signature)) + signature[place + 1:]


@pytest.mark.parametrize("secret_bytes", [0, 1, 63, 64, 65, 128, 5000])
def test_agrees_with_the_standard_library(secret_bytes: int) -> None:
    choose = random.Random(secret_bytes)
    secret = choose.randbytes(secret_bytes)
    check = HmacCheck(secret)
    for size in (0, 1, 55, 56, 63, 64, 65, 300, 70_000):
        payload = choose.randbytes(size)
        signature = hmac.digest(secret, payload, "sha256").hex()
        assert check.verify(payload, signature) and check.verify(payload, signature.upper())
        assert not check.verify(payload + b"x", signature)
        altered = [changed(choose, signature) for _ in range(9)]
        for wrong in ("", "\0", "é" * 64, signature[:-1], signature + "0", *altered):
            assert not check.verify(payload, wrong)


def test_what_is_no_bytes_and_no_text_is_refused() -> None:
    check = HmacCheck(b"secret")
    for payload, signature in ((None, ""), (b"", None), ("", ""), (b"", b"")):
        with pytest.raises(TypeError):
            check.verify(payload, signature)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        HmacCheck(None)  # type: ignore[arg-type]
