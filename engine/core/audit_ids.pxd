"""Invariants of the client order ids that are remembered."""
from engine.core.id_ring cimport IdRing

cdef int audit_ids(IdRing* ring) except -1
