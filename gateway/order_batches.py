"""order.placeBatch and order.cancelBatch, ours: many orders in one request, under one signature and one disk write.

Each element is what order.place or order.cancel takes, and is answered by itself in its place of the list: with the
result, or with {code, msg}. One that is refused keeps no other from being done; nothing of another customer comes
between those that reach the engine. More elements than `limits.batch_orders_max`, or no list of objects: -1130.
"""
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from msgspec import Raw

from engine.core.batch import Batch
from engine.core.unpack import Event
from gateway.answers import end_of_command
from gateway.order_terms import SECURITY_PARAMS, Params, needed, unread
from gateway.orders import Finish
from gateway.protocol import encode
from gateway.refusals import INVALID_PARAMETER, Refusal
from gateway.requests import param_text

Command = Callable[[Batch, int, Params, int], Finish]
_PARAMS = SECURITY_PARAMS | {"orders"}
_read = msgspec.json.Decoder(list[dict[str, Any]], float_hook=str).decode


class OrderBatches:
    """`place` and `cancel` are the methods for one order."""

    def __init__(self, place: Command, cancel: Command, orders_max: int) -> None:
        self._place, self._cancel, self._orders_max = place, cancel, orders_max

    def place(self, batch: Batch, account: int, params: Params, unit_ns: int) -> Finish:
        """order.placeBatch"""
        return self._each(self._place, batch, account, params, unit_ns)

    def cancel(self, batch: Batch, account: int, params: Params, unit_ns: int) -> Finish:
        """order.cancelBatch"""
        return self._each(self._cancel, batch, account, params, unit_ns)

    def _each(self, command: Command, batch: Batch, account: int, params: Params, unit_ns: int) -> Finish:
        parts: list[Finish | Refusal] = []
        for terms in self._orders(params):
            try:
                parts.append(command(batch, account, terms, unit_ns))
            except Refusal as refusal:
                parts.append(refusal)
        return partial(_finish, parts)

    def _orders(self, params: Params) -> list[dict[str, str]]:
        if not _PARAMS.issuperset(params):
            raise unread(params, _PARAMS)
        try:
            found = [{name: param_text(value) for name, value in terms.items()}
                     for terms in _read(needed(params, "orders"))]
        except (msgspec.DecodeError, ValueError, RecursionError):
            raise Refusal(INVALID_PARAMETER, "orders") from None
        if not 0 < len(found) <= self._orders_max or any(SECURITY_PARAMS & terms.keys() for terms in found):
            raise Refusal(INVALID_PARAMETER, "orders")
        return found


def _finish(parts: list[Finish | Refusal], events: list[Event]) -> bytes:
    """The answers in their order; each command has events of its own."""
    start, answers = 0, []
    for part in parts:
        if isinstance(part, Refusal):
            answers.append(Raw(part.body()))
            continue
        end = end_of_command(events, start)
        try:
            answers.append(Raw(part(events[start:end])))
        except Refusal as refusal:
            answers.append(Raw(refusal.body()))
        start = end
    return encode(answers)
