"""Sections of the resting orders and of the free slots."""
from libc.stdint cimport uint32_t, uint64_t

from engine.core.sections cimport OrderItem
from engine.core.state cimport State

cdef bytes dump_orders(State* state)
# One order as an item; an item's order at its slot and in the client index, in no queue: false if it cannot be right.
cdef void fill_item(State* state, uint32_t slot, OrderItem* item) noexcept nogil
cdef bint keep_order(State* state, OrderItem* item) noexcept nogil
cdef bytes dump_free_slots(State* state)
cdef int load_orders(State* state, const char* data, uint64_t count, size_t item_bytes) except -1
cdef int load_free_slots(State* state, const char* data, uint64_t count, size_t item_bytes) except -1
