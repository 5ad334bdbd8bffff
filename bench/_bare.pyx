"""The bare loop over the same records: reads each command and answers it with an event of the same size, no exchange.

What a machine gives any engine whose commands and events are these; a figure of the core is told beside it. Both lines
of a command are read, both of an event are written, in a buffer used again for each batch as the core's is.
"""
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy

from engine.core.types cimport Command, Event


def answer(const unsigned char[::1] commands, unsigned char[::1] events):
    """Returns the sum of all quantities; ValueError if the events have no room for as many records."""
    cdef uint64_t count = commands.shape[0] // sizeof(Command), at
    cdef const Command* command
    cdef Event* event
    cdef int64_t lots = 0
    if count == 0 or <uint64_t>events.shape[0] < count * sizeof(Event):
        raise ValueError(f"{commands.shape[0]} bytes of commands need as many for events, given {events.shape[0]}")
    command, event = <const Command*>&commands[0], <Event*>&events[0]
    with nogil:
        for at in range(count):
            memcpy(&event[at], &command[at], sizeof(Event))
            lots += command[at].qty_lots
            event[at].left_lots = lots
    return lots
