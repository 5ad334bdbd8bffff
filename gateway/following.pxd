"""What follows an event within its command: only together do a command's events say what each of them means.

O(events of the command).
"""
from engine.core.list_table cimport LEGS_MAX
from engine.core.types cimport ACCEPTED, CANCELED, LIST, OCO, PREVENTED, TRADE
from engine.core.unpack cimport Event


cdef inline bint is_pending_leg(list events, Py_ssize_t index) except -1:
    """Whether this ACCEPTED is of a leg that waits for its list's first: its LIST follows and says what it is."""
    cdef Event event = <Event?>events[index]
    cdef Event following
    for index in range(index + 1, min(index + LEGS_MAX + 1, len(events))):
        following = <Event?>events[index]
        if following.record.seq != event.record.seq or following.record.kind not in (ACCEPTED, LIST):
            return False
        if following.record.kind == LIST:
            return following.record.order_type != OCO and event.record.order_id > following.record.order_id + 1
    return False


cdef inline bint is_taker_done(Event event, Event following) noexcept:
    """Whether the taker is done after `event`: no further trade or end of it follows in the same command."""
    cdef int kind = following.record.kind
    if following.record.seq != event.record.seq or following.record.order_id != event.record.order_id:
        return True
    return kind != TRADE and kind != CANCELED and kind != PREVENTED


cdef inline bint is_orders_last(list events, Py_ssize_t index) except -1:
    """Whether no event of the same order follows in the same command."""
    cdef Event event = <Event?>events[index]
    cdef Event following
    for index in range(index + 1, len(events)):
        following = <Event?>events[index]
        if following.record.seq != event.record.seq:
            return True
        if following.record.order_id == event.record.order_id:
            return False
    return True


cdef inline bint is_canceled(list events, Py_ssize_t index, order_id) except -1:
    """Whether a CANCELED of that order follows in the same command."""
    cdef Event event = <Event?>events[index]
    cdef Event following
    for index in range(index + 1, len(events)):
        following = <Event?>events[index]
        if following.record.seq != event.record.seq:
            return False
        if following.record.kind == CANCELED and following.record.order_id == order_id:
            return True
    return False
