"""Picking events by their kind natively: most readers care for few of the many events of a frame."""
from engine.core.unpack cimport Event

__all__ = ["events_of_kind"]


def events_of_kind(list events not None, int kind):
    """Those of these events that are of this kind, in order."""
    cdef list found = []
    for event in events:
        if (<Event?>event).record.kind == kind:
            found.append(event)
    return found
