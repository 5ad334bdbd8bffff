"""Invariants of orders that have more than plain ones: waiting orders and their extras."""
from engine.core.state cimport State

# Walks an instrument's triggers and adds what waiting orders hold to held[wallet]; returns their number.
cdef object audit_triggers(State* state, instrument, dict held)
# (open lists, pending legs); adds what lists hold to held[wallet].
cdef object audit_lists(State* state, dict held)
cdef int audit_extras(State* state) except -1
# Icebergs and their number per book.
cdef int audit_icebergs(State* state) except -1
