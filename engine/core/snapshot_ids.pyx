"""How many there may be stands with the counters, which are loaded before."""
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint32_t
from libc.string cimport memcpy

from engine.core.id_ring cimport PlacedId, ring_find, ring_item
from engine.core.once cimport once_restore
from engine.core.sections cimport PlacedIdItem, read_item
from engine.core.types cimport TEXT_BYTES


cdef bytes dump_placed_ids(State* state):
    cdef bytes items = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>state.placed_ids.count * sizeof(PlacedIdItem))
    cdef PlacedIdItem* item = <PlacedIdItem*>PyBytes_AS_STRING(items)
    cdef PlacedId* placed
    cdef uint32_t number
    for number in range(state.placed_ids.count):
        placed = ring_item(&state.placed_ids, number)
        item[number].order_id, item[number].terms = placed.order_id, placed.terms
        item[number].account = placed.account
        memcpy(item[number].text, placed.text, TEXT_BYTES)
    return items


cdef int load_placed_ids(State* state, const char* data, uint64_t count, size_t item_bytes) except -1:
    cdef PlacedIdItem item
    cdef uint64_t index
    if count > state.placed_ids.max:
        raise ValueError(f"{count} client order ids are remembered, at most {state.placed_ids.max} can be")
    for index in range(count):
        read_item(&item, sizeof(item), data, index, item_bytes)
        if ring_find(&state.placed_ids, item.account, item.text) != NULL:
            raise ValueError(f"a client order id of account {item.account} is remembered twice")
        if not once_restore(state, item.order_id, item.terms, item.account, item.text):
            raise MemoryError("no memory for the client order ids")
    return 0
