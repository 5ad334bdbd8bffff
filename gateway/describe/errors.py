"""Every refusal of the gateway as schemas and examples, by HTTP status, from the tables of gateway/refusals.py."""
from typing import Any

from gateway import refusals
from gateway.refusals import Terms

TERMS: dict[str, Terms] = {name: terms for name, terms in vars(refusals).items() if isinstance(terms, Terms)}
REPLACE_DATA = ("REPLACE_PARTIAL", "REPLACE_FAILED")          # these carry what became of the two halves
WAIT_DATA = ("TOO_MUCH_WEIGHT", "BANNED", "TOO_MANY_ORDERS")  # these say when to try again
PLACED_DATA = ("DUPLICATE_ORDER", "CLIENT_ID_REUSED")           # of idempotent orders: the one placed before
_FILL = "..."   # stands in the examples where a refusal names a parameter or a number
STATUS_TEXTS = {
    400: "Refused: nothing was done", 401: "Refused: who asks is not known", 404: "No such path",
    405: "The path has no such method", 409: "One of two things was done", 413: "The body is too large",
    415: "The body is no plain form", 418: "Banned for a while", 429: "Too many requests",
    431: "The headers are too large", 500: "A bug of the venue", 503: "Busy, stopping, or unknown: the code tells"}
ALWAYS = (400, 418, 429, 431, 500, 503)   # what any request may be answered with


def statuses() -> list[int]:
    """Those that refusals have."""
    return sorted({terms.status for terms in TERMS.values()})


def of_status(status: int) -> dict[str, Terms]:
    """Names and terms of the refusals with this status."""
    return {name: terms for name, terms in TERMS.items() if terms.status == status}


def schema_of(status: int, ref: str) -> dict[str, Any]:
    """The schema of the body; `ref` is where shapes are, with {name} in it."""
    names = of_status(status)
    data = [ref.format(name="CancelReplaced")] * any(name in REPLACE_DATA for name in names)
    data += [ref.format(name="Wait")] * any(name in WAIT_DATA for name in names)
    data += [ref.format(name="PlacedBefore")] * any(name in PLACED_DATA for name in names)
    properties: dict[str, Any] = {
        "code": {"type": "integer", "enum": sorted({terms.code for terms in names.values()}, reverse=True)},
        "msg": {"type": "string"}}
    if data:
        properties["data"] = {"anyOf": [{"$ref": place} for place in data]}
    return {"type": "object", "required": ["code", "msg"], "properties": properties}


def examples_of(status: int) -> dict[str, Any]:
    """One example for each refusal with this status, by its name."""
    return {name: {"summary": terms.msg, "value": {"code": terms.code, "msg": terms.msg.replace("%s", _FILL)}}
            for name, terms in of_status(status).items()}
