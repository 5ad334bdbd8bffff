"""Matches that self-trade prevention prevented, for myPreventedMatches: the latest `most` of the venue.

Fed with the events of every applied frame. Older ones are forgotten; what they did to an order is in its own reports.
"""
from collections import deque
from collections.abc import Iterator
from itertools import islice

from msgspec import UNSET, Struct, UnsetType

from engine.core.codes import Code, EventKind
from engine.core.exchange import Exchange
from engine.core.unpack import Event
from engine.event_kinds import events_of_kind
from engine.instruments import Catalog, Instrument
from gateway.order_terms import INT64_MAX, Params, find_instrument, needed, order_id
from gateway.protocol import NO_GROUP, STP_MODES, PreventedMatch, encode
from gateway.refusals import BAD_COMBINATION, INVALID_PARAMETER, ONE_OF_TWO, Refusal

LIMIT, LIMIT_MAX = 500, 1000
_PREVENTED, _CANCELED, _REDUCED = int(EventKind.PREVENTED), int(EventKind.CANCELED), int(EventKind.REDUCED)


class _Match(Struct, gc=False):
    """The event, and what each order lost: 0 for one that lost nothing."""

    event: Event
    taker_lots: int
    maker_lots: int


class PreventedMatches:
    """`most` is a number of matches. Looking one up is O(matches kept)."""

    def __init__(self, most: int) -> None:
        self._matches: deque[_Match] = deque(maxlen=most)

    def apply(self, events: list[Event]) -> None:
        """Take the prevented matches out of a frame's events."""
        if not events_of_kind(events, _PREVENTED):
            return
        for index, event in enumerate(events):
            if event.kind == _PREVENTED:
                lost = dict(_losses(event, events, index))
                self._matches.append(_Match(
                    event, lost.get(event.order_id, 0), lost.get(event.maker_order_id, 0)))

    def find(self, core: Exchange, catalog: Catalog, account: int, params: Params, unit_ns: int) -> bytes:
        """myPreventedMatches: one by preventedMatchId, or those of an order. Raises Refusal."""
        instrument = find_instrument(params, catalog.by_symbol)
        wanted, of_order = order_id(params, "preventedMatchId"), order_id(params)
        first = order_id(params, "fromPreventedMatchId") or 0
        if (wanted is None) == (of_order is None):
            raise Refusal(ONE_OF_TWO, "preventedMatchId", "orderId") if wanted is None else Refusal(BAD_COMBINATION)
        if wanted is not None and ("fromPreventedMatchId" in params or "limit" in params):
            raise Refusal(BAD_COMBINATION)
        group = core.trade_group(account) or NO_GROUP
        found = (_row(match, instrument, group, unit_ns) for match in self._matches
                 if match.event.instrument == instrument.id
                 and account in (match.event.account, match.event.maker_account)
                 and wanted in (None, match.event.trade_id)
                 and of_order in (None, match.event.order_id, match.event.maker_order_id)
                 and match.event.trade_id >= first)
        return encode(list(islice(found, _limit(params))))


def _losses(match: Event, events: list[Event], index: int) -> Iterator[tuple[int, int]]:
    """(order id, lots) of the events that follow from a prevented match."""
    for event in islice(events, index + 1, index + 3):
        if event.seq != match.seq or event.order_id not in (match.order_id, match.maker_order_id):
            return
        if event.kind == _CANCELED and event.code == Code.STP:
            yield event.order_id, event.qty_lots
        elif event.kind == _REDUCED:
            yield event.order_id, match.qty_lots
        else:
            return


def _row(match: _Match, instrument: Instrument, group: int, unit_ns: int) -> PreventedMatch:
    event = match.event
    return PreventedMatch(
        symbol=instrument.symbol, prevented_match_id=event.trade_id, taker_order_id=event.order_id,
        maker_symbol=instrument.symbol, maker_order_id=event.maker_order_id, trade_group_id=group,
        self_trade_prevention_mode=STP_MODES[event.flags], price=instrument.price_text(event.price_ticks),
        taker_prevented_quantity=_quantity(match.taker_lots, instrument),
        maker_prevented_quantity=_quantity(match.maker_lots, instrument), transact_time=event.time_ns // unit_ns)


def _quantity(lots: int, instrument: Instrument) -> str | UnsetType:
    return instrument.qty_text(lots) if lots else UNSET


def _limit(params: Params) -> int:
    if "limit" not in params:
        return LIMIT
    text = needed(params, "limit")
    if not (text.isascii() and text.isdigit() and len(text) <= 10) or not 0 < int(text) <= INT64_MAX:
        raise Refusal(INVALID_PARAMETER, "limit")
    return min(int(text), LIMIT_MAX)
