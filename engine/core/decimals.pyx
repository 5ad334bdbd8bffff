"""Decimal text to scaled integers and back, exactly: no float and no rounding anywhere."""
from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.stdint cimport INT64_MAX, int64_t, uint64_t

__all__ = ["format_decimal", "parse_decimal"]

cdef enum:
    TEXT_MAX = 40
    PLACES_MAX = 18

cdef enum:
    MALFORMED = -1
    TOO_PRECISE = -2
    TOO_LARGE = -3


def parse_decimal(text, int places):
    """value * 10**places of digits[.digits] (str or bytes); -1 malformed, -2 more than places decimals, -3 over int64.

    Zeros after the last place are allowed. At most 40 characters; no sign, no exponent, no blanks.
    """
    cdef Py_ssize_t length = 0
    cdef const char* data
    _check_places(places)
    if isinstance(text, bytes):
        data = <bytes>text
        length = len(<bytes>text)
    else:
        try:
            data = PyUnicode_AsUTF8AndSize(text, &length)
        except UnicodeEncodeError:
            return MALFORMED
    return _parse(data, length, places)


def format_decimal(int64_t value, int places):
    """value / 10**places with exactly that many decimals."""
    cdef char[24] digits
    cdef int position = 24
    cdef int written = 0
    cdef uint64_t rest = <uint64_t>value if value >= 0 else -<uint64_t>value
    _check_places(places)
    while rest != 0 or written <= places:
        if written == places and places > 0:
            position -= 1
            digits[position] = b"."
        position -= 1
        digits[position] = <char>(48 + rest % 10)
        rest //= 10
        written += 1
    if value < 0:
        position -= 1
        digits[position] = b"-"
    return digits[position:24].decode("ascii")


cdef int _check_places(int places) except -1:
    if not 0 <= places <= PLACES_MAX:
        raise ValueError(f"places {places}: use 0 to {PLACES_MAX}")
    return 0


cdef int64_t _parse(const char* data, Py_ssize_t length, int places) noexcept nogil:
    cdef Py_ssize_t position
    cdef int decimals = -1  # -1: before the point
    cdef int digit
    cdef uint64_t value = 0
    cdef bint too_precise = False
    cdef bint too_large = False
    if length > TEXT_MAX or not _well_formed(data, length):
        return MALFORMED
    for position in range(length):
        if data[position] == b".":
            decimals = 0
            continue
        digit = data[position] - 48
        if decimals == places:
            too_precise |= digit != 0
            continue
        decimals += decimals >= 0
        too_large |= value > (<uint64_t>INT64_MAX - <uint64_t>digit) // 10
        value = value * 10 + <uint64_t>digit
    for _ in range(decimals if decimals > 0 else 0, places):
        too_large |= value > <uint64_t>INT64_MAX // 10
        value *= 10
    if too_precise:
        return TOO_PRECISE
    return TOO_LARGE if too_large else <int64_t>value


cdef bint _well_formed(const char* data, Py_ssize_t length) noexcept nogil:
    """digits[.digits]"""
    cdef Py_ssize_t position
    cdef int points = 0
    if length == 0 or data[0] == b"." or data[length - 1] == b".":
        return False
    for position in range(length):
        if data[position] == b".":
            points += 1
        elif not 48 <= data[position] <= 57:
            return False
    return points <= 1
