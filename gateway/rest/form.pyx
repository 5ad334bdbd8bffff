"""Reads names and values of a form or query natively; parameters.py says what is refused and what escapes mean.

Nothing is read beyond the bytes given: each step ends at an `&` or at their end.
"""
from cpython.bytes cimport PyBytes_AS_STRING
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.string cimport memchr

from gateway.refusals import DUPLICATE_PARAMETER, ILLEGAL, Refusal

__all__ = ["read_pairs"]


def read_pairs(bytes data not None, unescape):
    """Texts by name; `unescape(bytes)` gives the bytes that one with % or + stands for. Raises Refusal."""
    cdef dict found = {}
    cdef const char* at = PyBytes_AS_STRING(data)
    cdef const char* end = at + len(data)
    cdef const char* stop
    cdef const char* equals
    while True:
        stop = _find(at, end, b"&")
        equals = _find(at, stop, b"=")
        name = _text(at, equals, unescape)
        if name in found:
            raise Refusal(DUPLICATE_PARAMETER)
        if stop != at:
            found[name] = _text(equals + (equals != stop), stop, unescape)
        if stop == end:
            return found
        at = stop + 1


cdef const char* _find(const char* at, const char* end, const char* sign) noexcept:
    """Where the sign is, the end if it is not there."""
    cdef const char* place = <const char*>memchr(at, sign[0], <size_t>(end - at))
    return end if place == NULL else place


cdef str _text(const char* at, const char* end, unescape):
    try:
        if _find(at, end, b"%") != end or _find(at, end, b"+") != end:
            return (<bytes?>unescape(at[:end - at])).decode()
        return PyUnicode_DecodeUTF8(at, end - at, NULL)
    except UnicodeDecodeError:
        raise Refusal(ILLEGAL) from None
