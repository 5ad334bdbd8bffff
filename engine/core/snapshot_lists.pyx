"""Places come back as they were, because commands name them. Loaded after the legs: each must know its list."""
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint32_t
from libc.string cimport memcpy, memset

from engine.core.extras cimport extra_of
from engine.core.list_table cimport LEGS_MAX, SINGLE, List, list_reserve
from engine.core.pool cimport LISTED
from engine.core.sections cimport ListItem, read_item
from engine.core.types cimport TEXT_BYTES, Command

cdef enum:
    GATHERED_MAX = 3


cdef bytes dump_lists(State* state):
    cdef list items = []
    cdef ListItem item
    cdef List* kept
    cdef uint32_t place
    for place in range(1, state.lists.fresh):
        kept = &state.lists.items[place]
        if kept.list_id == 0:
            continue
        memset(&item, 0, sizeof(item))
        item.list_id, item.excess, item.place = kept.list_id, kept.excess, place
        item.account, item.instrument = kept.account, kept.instrument
        item.list_type, item.stage, item.legs, item.filled = kept.list_type, kept.stage, kept.legs, kept.filled
        memcpy(item.slots, kept.slots, sizeof(item.slots))
        memcpy(item.text, kept.text, TEXT_BYTES)
        items.append(PyBytes_FromStringAndSize(<char*>&item, sizeof(item)))
    return b"".join(items)


cdef int load_lists(State* state, const char* data, uint64_t count, size_t item_bytes) except -1:
    cdef ListItem item
    cdef List* kept
    cdef uint64_t index
    cdef int leg
    for index in range(count):
        read_item(&item, sizeof(item), data, index, item_bytes)
        if (item.list_id == 0 or item.place == 0 or item.place > state.pool.open_max or item.legs > LEGS_MAX
                or item.legs < 2 or item.stage > SINGLE):
            raise ValueError(f"a list {item.list_id} at place {item.place}, which cannot exist")
        if not list_reserve(&state.lists, item.place):
            raise MemoryError("no memory for the order lists")
        for leg in range(LEGS_MAX):
            if item.slots[leg] != 0 and (
                    item.slots[leg] >= state.pool.fresh or not state.pool.nodes[item.slots[leg]].flags & LISTED
                    or extra_of(&state.extras, item.slots[leg]).list != item.place):
                raise ValueError(f"slot {item.slots[leg]} is no leg of list {item.list_id}")
        kept = &state.lists.items[item.place]
        memset(kept, 0, sizeof(List))
        kept.list_id, kept.excess = item.list_id, item.excess
        kept.account, kept.instrument = item.account, item.instrument
        kept.list_type, kept.stage, kept.legs, kept.filled = item.list_type, item.stage, item.legs, item.filled
        memcpy(kept.slots, item.slots, sizeof(item.slots))
        for leg in range(LEGS_MAX):
            if kept.slots[leg] != 0:  # of the last leg: wallets may lie elsewhere than when this was written
                kept.pay_wallet = state.pool.nodes[kept.slots[leg]].pay_wallet
        memcpy(kept.text, item.text, TEXT_BYTES)
        state.lists.fresh = item.place + 1
        state.watched += 1
    return 0


cdef bytes dump_free_lists(State* state):
    """From the next one to be taken on."""
    cdef list items = []
    cdef uint32_t place = state.lists.free
    while place != 0:
        items.append(PyBytes_FromStringAndSize(<char*>&place, sizeof(place)))
        place = state.lists.items[place].next
    return b"".join(items)


cdef int load_free_lists(State* state, const char* data, uint64_t count, size_t item_bytes) except -1:
    """Comes after the open lists: together they are all places below lists.fresh."""
    cdef uint32_t place = 0
    cdef uint32_t after = 0
    cdef uint64_t index
    for index in range(count, 0, -1):
        read_item(&place, sizeof(place), data, index - 1, item_bytes)
        if place == 0 or place > state.pool.open_max or not list_reserve(&state.lists, place):
            raise ValueError(f"place {place} of no list cannot exist")
        if state.lists.items[place].list_id != 0:
            raise ValueError(f"place {place} is not free")
        state.lists.items[place].next = after
        state.lists.fresh = place + 1 if place >= state.lists.fresh else state.lists.fresh
        after = place
    state.lists.free = after
    return 0


cdef bytes dump_gathered(State* state):
    if state.lists.expected == 0:
        return b""
    return PyBytes_FromStringAndSize(<char*>state.lists.commands, state.lists.gathered * sizeof(Command))


cdef int load_gathered(State* state, const char* data, uint64_t count, size_t item_bytes) except -1:
    cdef uint64_t index
    if count > GATHERED_MAX:
        raise ValueError(f"{count} commands of a list on its way in, at most {GATHERED_MAX}")
    for index in range(count):
        read_item(&state.lists.commands[index], sizeof(Command), data, index, item_bytes)
    state.lists.gathered = <uint32_t>count
    if count != 0:
        state.lists.expected = 4 if state.lists.commands[0].mode == 2 else 3
    return 0
