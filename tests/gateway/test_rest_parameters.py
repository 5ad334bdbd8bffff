"""Reading forms: escapes, plus signs, empty values, which place wins, and what is refused."""
import pytest

from engine.config import Rates as Settings
from gateway.rates import Rates
from gateway.refusals import Refusal
from gateway.rest.parameters import PARAMETERS_MAX, read_parameters
from gateway.rest.usage import Usage
from gateway.windows import KEYS_MAX, Window


@pytest.mark.parametrize(("query", "body", "found"), [
    (b"", b"", {}),
    (b"a=1&b=2", b"", {"a": "1", "b": "2"}),
    (b"a=1", b"b=2", {"a": "1", "b": "2"}),
    (b"a=1", b"a=2&b=3", {"a": "1", "b": "3"}),
    (b"a", b"", {"a": ""}), (b"a=", b"", {"a": ""}), (b"a=b=c", b"", {"a": "b=c"}), (b"&a=1&", b"", {"a": "1"}),
    (b"s=%5B%22X%22%5D", b"", {"s": '["X"]'}), (b"a=x+y%2Bz", b"", {"a": "x y+z"}), (b"a=%e2%82%ac", b"", {"a": "€"}),
    ("a=€".encode(), b"", {"a": "€"}), (b"%61=1", b"", {"a": "1"}),
])
def test_read(query, body, found):
    assert read_parameters(query, body) == found


@pytest.mark.parametrize(("query", "code"), [
    (b"a=1&a=2", -1101), (b"a=1&%61=1", -1101), (b"a&a", -1101), (b"&".join([b"x"] * PARAMETERS_MAX), -1101),
    (b"&" * PARAMETERS_MAX, -1101), (b"a=%", -1100), (b"a=%4", -1100), (b"a=%xy", -1100), (b"%xy=1", -1100),
    (b"a=\xff", -1100), (b"a=%ff", -1100), (b"a=%c3", -1100), (b"a=%ed%a0%80", -1100),
])
def test_refused(query, code):
    for arguments in ((query, b""), (b"", query), (b"z=1", query)):
        with pytest.raises(Refusal, match=f"^{code} "):
            read_parameters(*arguments)


def test_windows_count_and_forget():
    window = Window(10)
    assert [window.add("a", 2, 100), window.add("a", 3, 109.9), window.add("b", 1, 109.9)] == [2, 5, 1]
    assert window.add("a", 1, 110) == 1


def test_windows_are_bounded():
    window = Window(60)
    for number in range(KEYS_MAX):
        window.add(number, 1, 0)
    assert [window.add("late", 1, 1), window.add("later", 1, 1), window.add(5, 1, 1)] == [1, 2, 2]


def test_headers():
    usage = Usage(Rates(Settings()))
    assert list(usage.weigh("1.2.3.4", 20)) == ["X-MBX-USED-WEIGHT-1M"]
    assert list(usage.order(2)) == ["X-MBX-ORDER-COUNT-10S", "X-MBX-ORDER-COUNT-1D"]
