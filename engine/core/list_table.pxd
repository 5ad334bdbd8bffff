"""Order lists as records: which orders belong together, and what has happened to them in this command."""
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from engine.core.types cimport Command

cdef enum:
    LEGS_MAX = 3

cdef enum Stage:
    WORKING = 0             # OTO, OTOCO: the first leg is open, the others are pending
    PAIR = 1                # two legs, of which one will do
    SINGLE = 2              # what is left runs like any order

cdef struct List:
    uint64_t list_id        # seq of its PLACE_LIST, and leg n has the order_id list_id + n; 0: a free record
    int64_t excess          # PAIR: held beyond the hold of the leg that has one
    uint32_t account
    uint32_t instrument
    uint32_t[3] slots       # of its legs; 0: ended
    uint32_t pay_wallet     # of its pair
    uint32_t next           # in the free list
    uint8_t list_type
    uint8_t stage
    uint8_t legs
    uint8_t acted           # bits by leg: traded or set off in this command
    uint8_t filled          # ended by trading
    uint8_t canceled        # ended otherwise
    uint8_t[2] reserved
    char[36] text
    uint32_t next_touched

cdef struct Lists:
    List* items             # record 0 is none
    uint32_t capacity
    uint32_t fresh          # lowest never used
    uint32_t free           # last given up; 0: none
    uint32_t touched_first  # lists something happened to in this command
    uint32_t touched_last
    uint32_t gathered       # commands of a list on its way in
    uint32_t expected       # how many it has, the PLACE_LIST included; 0: none is on its way
    Command[4] commands

cdef void lists_free(Lists* lists) noexcept nogil
# A zeroed record, 0 when memory ran out.
cdef uint32_t list_open(Lists* lists) noexcept nogil
cdef void list_close(Lists* lists, uint32_t place) noexcept nogil
# Makes records up to a place exist; false when memory ran out.
cdef bint list_reserve(Lists* lists, uint32_t place) noexcept nogil
