"""The whole state as a list of sections, and back: equal in everything that will ever be answered, slots included."""
from engine.core.state cimport State

# [(id, version, item_bytes, items)] in the order in which they must be loaded.
cdef list snapshot_dump(State* state)
# Fills a state nothing was applied to. ValueError: unknown section, newer version, items that contradict each other;
# MemoryError. After an error the state is of no use.
cdef int snapshot_load(State* state, sections) except -1
