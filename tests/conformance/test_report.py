"""Which results count as good: refusing binary messages does, with that code only, and only where one was sent."""
import pytest

from tests.conformance.report import FAILED, NOT_OFFERED, OK, REFUSED, failures, table, verdict


def result(case: str, behavior: str = "OK", close: str = "OK", code: int | None = 1000, echoes: bool = True):
    return {"case": case, "behavior": behavior, "close": close, "code": code, "echoes": echoes}


@pytest.mark.parametrize(("found", "word"), [
    (result("1.1.1"), OK), (result("6.4.1", "NON-STRICT"), OK),
    (result("7.13.1", "INFORMATIONAL", "INFORMATIONAL"), OK),
    (result("12.1.1", "UNIMPLEMENTED"), NOT_OFFERED), (result("1.2.1", "FAILED", "FAILED", 1003), REFUSED),
    (result("1.2.1", "FAILED", "FAILED", 1002), FAILED), (result("7.1.5", "FAILED", "WRONG CODE", 1002), FAILED),
    (result("3.1", "FAILED", "FAILED", 1003, echoes=False), FAILED), (result("2.1", "OK", "UNCLEAN", None), FAILED)])
def test_verdicts(found, word):
    assert verdict(found) == word
    assert bool(failures([found])) == (word == FAILED)


def test_the_table_counts_by_group():
    shown = table({"one": [result("1.1.1"), result("1.1.2"), result("1.2.1", "FAILED", "FAILED", 1003)]})
    assert "| 1 framing | 2 passed, 1 binary refused with 1003 |" in shown
