"""Decimal text to integers and back, against Python's own decimals."""
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.decimals import format_decimal, parse_decimal

INT64_MAX = 2**63 - 1
MALFORMED, TOO_PRECISE, TOO_LARGE = -1, -2, -3


@pytest.mark.parametrize(("text", "places", "value"), [
    ("0", 0, 0), ("0", 18, 0), ("1", 8, 10**8), ("1.5", 8, 150_000_000), ("0.00000001", 8, 1), ("007.10", 1, 71),
    ("1.500000000000", 1, 15), ("1.05", 1, TOO_PRECISE), ("1.50", 0, TOO_PRECISE), ("12.0", 0, 12),
    ("9223372036854775807", 0, INT64_MAX), ("9223372036854775808", 0, TOO_LARGE),
    ("9.223372036854775807", 18, INT64_MAX),
    ("9.223372036854775808", 18, TOO_LARGE), ("92233720368.54775808", 8, TOO_LARGE), ("9" * 40, 0, TOO_LARGE),
    ("9" * 40, 18, TOO_LARGE), ("0" * 39 + "1", 8, 10**8), ("18446744073709551617", 0, TOO_LARGE),
    ("0." + "0" * 38, 2, 0), ("0." + "0" * 37 + "1", 2, TOO_PRECISE)])
def test_numbers(text: str, places: int, value: int) -> None:
    assert parse_decimal(text, places) == value
    assert parse_decimal(text.encode(), places) == value


@pytest.mark.parametrize("text", [
    "", ".", "1.", ".5", "-1", "+1", "1e5", "1E5", " 1", "1 ", "1,000", "1_000", "0x10", "nan", "inf", "1.2.3", "..",
    "1\n",
    "1\0", "\u0661", "\uff11", "½", "\ud800", "0" * 41, "1" * 1000])
def test_anything_but_digits_is_malformed(text: str) -> None:
    assert parse_decimal(text, 8) == MALFORMED


def test_bytes_that_are_no_text() -> None:
    assert parse_decimal(b"\xff1", 8) == parse_decimal(b"1\x80", 8) == MALFORMED


@pytest.mark.parametrize(("value", "places", "text"), [
    (0, 0, "0"), (0, 8, "0.00000000"), (1, 8, "0.00000001"), (-1, 8, "-0.00000001"), (10**8, 8, "1.00000000"),
    (-12, 1, "-1.2"),
    (INT64_MAX, 0, "9223372036854775807"), (-(2**63), 18, "-9.223372036854775808"), (123, 0, "123"),
    (-(2**63), 0, str(-(2**63)))])
def test_formatting(value: int, places: int, text: str) -> None:
    assert format_decimal(value, places) == text


@settings(max_examples=300, deadline=None)
@given(st.integers(0, INT64_MAX), st.integers(0, 18))
def test_round_trip(value: int, places: int) -> None:
    text = format_decimal(value, places)
    assert Decimal(text) == Decimal(value).scaleb(-places)
    assert parse_decimal(text, places) == value


@settings(max_examples=500, deadline=None)
@given(st.text("0123456789.", max_size=42), st.integers(0, 18))
def test_against_python_decimals(text: str, places: int) -> None:
    result = parse_decimal(text, places)
    if result >= 0:
        assert Decimal(text).scaleb(places) == result
        return
    before, _, after = text.partition(".")
    well_formed = before.isdigit() and ("." not in text or after.isdigit()) and len(text) <= 40
    precise = well_formed and len(after.rstrip("0")) > places
    assert result == (MALFORMED if not well_formed else TOO_PRECISE if precise else TOO_LARGE)
    assert result != TOO_LARGE or Decimal(text).scaleb(places) > INT64_MAX


def test_bad_arguments() -> None:
    for places in (-1, 19):
        with pytest.raises(ValueError, match="places"):
            parse_decimal("1", places)
        with pytest.raises(ValueError, match="places"):
            format_decimal(1, places)
    with pytest.raises(OverflowError):
        format_decimal(2**63, 8)
    with pytest.raises(TypeError):
        parse_decimal(5, 8)  # type: ignore[arg-type]
