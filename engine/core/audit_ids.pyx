"""Raises AssertionError naming the first thing that is not as it must be."""
from libc.stdint cimport uint32_t, uint64_t

from engine.core.id_ring cimport PlacedId, ring_digest, ring_find, ring_item


cdef int audit_ids(IdRing* ring) except -1:
    cdef PlacedId* placed
    cdef uint64_t digest = 0
    cdef uint64_t last = 0
    cdef uint32_t number
    if not ring.count <= ring.capacity <= ring.max:
        raise AssertionError(f"{ring.count} client order ids, room for {ring.capacity}, at most {ring.max}")
    if ring.count != ring.index.count:
        raise AssertionError(f"{ring.count} client order ids, {ring.index.count} in their index")
    for number in range(ring.count):
        placed = ring_item(ring, number)
        if placed.order_id <= last:
            raise AssertionError(f"client order id of order {placed.order_id} stands behind that of {last}")
        if ring_find(ring, placed.account, placed.text) != placed:
            raise AssertionError(f"the client order id of order {placed.order_id} is not found")
        last = placed.order_id
        digest += ring_digest(placed)
    if digest != ring.digest:
        raise AssertionError(f"digest of client order ids is {ring.digest:016x}, should be {digest:016x}")
    return 0
