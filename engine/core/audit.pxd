"""Walks every invariant of the state; for tests and for an operator who doubts. O(state)."""
from engine.core.state cimport State

cdef int audit(State* state) except -1
