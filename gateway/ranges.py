"""Numbers, limits and spans of time in the parameters of questions about the past. All raise Refusal."""
from collections.abc import Mapping

from gateway.refusals import ILLEGAL_CHARACTERS, INVALID_PARAMETER, LOOKUP_TOO_BIG, Refusal

LIMIT, LIMIT_MAX = 500, 1000
SPAN_HOURS_MAX = 24
INT64_MAX = 2**63 - 1
_SPAN_NS_MAX = SPAN_HOURS_MAX * 3600 * 10**9
_MICROSECONDS_FROM = 10**14

Params = Mapping[str, str]


def number(params: Params, name: str) -> int | None:
    """A number that may be left out."""
    text = params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise Refusal(ILLEGAL_CHARACTERS, name, "^[0-9]{1,20}$")
    if int(text) > INT64_MAX:
        raise Refusal(INVALID_PARAMETER, name)
    return int(text)


def limit(params: Params) -> int:
    """How many rows at most."""
    value = number(params, "limit")
    if value is None:
        return LIMIT
    if value == 0:
        raise Refusal(INVALID_PARAMETER, "limit")
    return min(value, LIMIT_MAX)


def span_ns(params: Params, hours_max: bool = True) -> tuple[int, int]:
    """First and last nanosecond of startTime and endTime: all time where not sent; with both, at most 24 hours."""
    start, end = number(params, "startTime"), number(params, "endTime")
    first_ns = 0 if start is None else _time_ns(start)
    last_ns = INT64_MAX if end is None else _time_ns(end) + (999_999 if end < _MICROSECONDS_FROM else 999)
    if start is not None and end is not None:
        if first_ns > last_ns:
            raise Refusal(INVALID_PARAMETER, "startTime")
        if hours_max and last_ns - first_ns > _SPAN_NS_MAX + 1_000_000:
            raise Refusal(LOOKUP_TOO_BIG, SPAN_HOURS_MAX)
    return min(first_ns, INT64_MAX), min(last_ns, INT64_MAX)


def _time_ns(value: int) -> int:
    """Milliseconds, or microseconds if so great, in nanoseconds."""
    return value * (1000 if value >= _MICROSECONDS_FROM else 1_000_000)
