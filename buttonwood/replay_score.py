"""What a replay shows: how many executions hit the order that NASDAQ recorded, and how many book states line up.

Pure: figures in, figures out. Sockets, files and clocks stay outside.
"""
from collections.abc import Iterable, Sequence
from itertools import groupby

from buttonwood.lobster import State, Step

ALIGN_REACH = 200          # how far ahead in the recorded states a state may be found
Fill = tuple[int, int, int]     # trade id, price in ticks, lots
Span = tuple[int, int]          # update ids (after, up to and including)
Top = tuple[int, State]         # update id, the state since then


def is_exact(step: Step, fills: Sequence[Fill], makers: dict[int, str]) -> bool:
    """One fill of the recorded size at the recorded price against the recorded order."""
    if len(fills) != 1:
        return False
    trade_id, price_ticks, qty_lots = fills[0]
    return (price_ticks, qty_lots, makers.get(trade_id)) == (step.price_ticks, step.qty_lots, step.maker)


def states_of(tops: Iterable[Top], spans: Sequence[Span]) -> list[State]:
    """The states in order, consecutive equal ones merged; of those inside a span only its last one counts.

    Both inputs are in order of update id. A span covers the orders that a replay places to prepare an event, and the
    event itself.
    """
    states: list[State] = []
    last_span, position = -1, 0
    for update_id, state in tops:
        while position < len(spans) and spans[position][1] < update_id:
            position += 1
        inside = position < len(spans) and spans[position][0] < update_id
        if inside and last_span == position:
            states.pop()
        last_span = position if inside else -1
        states.append(state)
    return [state for state, _ in groupby(states)]


def count_aligned(states: Iterable[State], truth: Sequence[State], reach: int = ALIGN_REACH) -> int:
    """How many states are found in the truth, each at most `reach` places after the one before."""
    position = aligned = 0
    for state in states:
        for candidate in range(position, min(position + reach, len(truth))):
            if truth[candidate] == state:
                aligned += 1
                position = candidate + 1
                break
    return aligned
