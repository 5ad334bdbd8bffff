"""Sums of trades, and the texts that are made of them."""
import pytest

from engine.bars import Bar, average_text, percent_text, statistics_of
from tests.workers.market_kit import Market


def bar(open_ms: int, price: int, lots: int, number: int) -> Bar:
    return Bar(open_ms, price, price, price, price, lots, lots, price * lots * 100, lots, price * lots * 100, number,
               number, number, number, number)


def test_a_bar_takes_in_the_one_that_follows():
    whole = bar(0, 10, 3, 1)
    whole.extend(bar(5, 12, 4, 2))
    whole.extend(bar(9, 9, 1, 3))
    assert whole == Bar(0, 10, 12, 9, 9, 1, 8, (30 + 48 + 9) * 100, 8, 8700, 1, 3, 1, 1, 3)


def test_statistics_of_nothing_keep_the_last_price():
    day = statistics_of(77, [], 50, 3)
    assert (day.open_ms, day.open, day.high, day.low, day.last, day.last_lots, day.lots, day.first_id, day.last_id,
            day.before, day.count, day.change) == (77, 0, 0, 0, 50, 3, 0, -1, -1, 50, 0, 0)


def test_statistics_of_bars():
    day = statistics_of(0, [bar(1, 20, 1, 4), bar(2, 10, 5, 5), bar(3, 25, 2, 6)], 30, 9)
    assert (day.open, day.high, day.low, day.last, day.last_lots, day.lots, day.first_id, day.last_id, day.before,
            day.count, day.change) == (20, 25, 10, 25, 2, 8, 4, 6, 30, 3, 5)


@pytest.mark.parametrize(("change", "of", "text"), [
    (0, 100, "0.000"), (5, 0, "0.000"), (1, 3, "33.333"), (2, 3, "66.667"), (-1, 3, "-33.333"), (-1, 10**9, "0.000"),
    (-1, 200_000, "-0.001"), (1, 200_000, "0.001"), (3, 2, "150.000"), (-95960, 100_000, "-95.960")])
def test_percent(change, of, text):
    assert percent_text(change, of) == text


def test_average_price():
    instrument = Market().instrument   # tick 0.01, tick_value 100
    assert average_text(instrument, 0, 0) == "0.00000000"
    assert average_text(instrument, 10_050 * 30 * 100, 30) == "100.50000000"
    assert average_text(instrument, (1 * 1 + 2 * 2) * 100, 3) == "0.01666667"
    assert average_text(instrument, 10**22 * 3 * 100, 3) == f"{10**20}.00000000"


def test_sums_beyond_64_bits_have_texts():
    instrument = Market().instrument
    assert instrument.qty_text(10**18) == f"{10**14}.00000000"
    assert instrument.quote_text(12345678901234567890123) == "123456789012345.67890123"
