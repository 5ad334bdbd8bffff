"""The parameters of an HTTP request as texts: from the query, and from the form in the body where there is one.

A parameter in both counts as sent in the query. Refused: a name that comes twice in one of them, what is not UTF-8 or
not properly percent-encoded, more than PARAMETERS_MAX names. Values are not looked at: who needs a parameter judges it.
"""
import re
from urllib.parse import unquote_to_bytes

from gateway.refusals import ILLEGAL, TOO_MANY_PARAMETERS, Refusal
from gateway.rest.form import read_pairs

FORM = "application/x-www-form-urlencoded"
PARAMETERS_MAX = 64
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def read_parameters(query: bytes, body: bytes) -> dict[str, str]:
    """Names and values of both. Raises Refusal -1100 or -1101."""
    if not body:
        return _read_form(query)
    return _read_form(body) | _read_form(query)


def _read_form(data: bytes) -> dict[str, str]:
    if not data:
        return {}
    if data.count(b"&") >= PARAMETERS_MAX:
        raise Refusal(TOO_MANY_PARAMETERS)
    return read_pairs(data, _unescape)


def _unescape(data: bytes) -> bytes:
    if _BROKEN_ESCAPE.search(data):
        raise Refusal(ILLEGAL)
    return unquote_to_bytes(data.replace(b"+", b" "))
