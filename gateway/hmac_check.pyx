"""Checks HMAC-SHA256 signatures of one key: both hashes are keyed once and copied for each request.

The hashing is OpenSSL's, through hashlib; RFC 2104 says how the two are keyed. Compared in constant time.
"""
import hashlib
from hmac import compare_digest

__all__ = ["HmacCheck"]

cdef enum:
    BLOCK_BYTES = 64
    INNER_PAD = 0x36
    OUTER_PAD = 0x5C


cdef class HmacCheck:
    """For one secret."""
    cdef object _inner, _outer

    def __init__(self, bytes secret not None):
        short = secret if len(secret) <= BLOCK_BYTES else hashlib.sha256(secret).digest()
        block = short.ljust(BLOCK_BYTES, b"\0")
        self._inner, self._outer = [
            hashlib.sha256(bytes([byte ^ pad for byte in block])) for pad in (INNER_PAD, OUTER_PAD)]

    def verify(self, bytes payload not None, str signature not None):
        """Whether this is the payload's signature, in hex of either case."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(payload)
        outer.update(inner.digest())
        return signature.isascii() and compare_digest(outer.hexdigest(), signature.lower())
