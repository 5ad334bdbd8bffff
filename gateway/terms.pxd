"""An instrument's numbers and names as native code wants them; made of a catalog's Instrument and valid as long as that
one is the catalog's: the catalog replaces it when anything changes, so compare identities."""
from libc.stdint cimport int64_t

from gateway.text_buffer cimport TextBuffer


cdef class Terms:
    cdef object source            # the Instrument
    cdef readonly int64_t id
    cdef int64_t tick_e8, lot_e8, min_lots, max_lots, max_ticks, lot_value
    cdef int base_scale, quote_scale
    cdef bytes symbol, base, quote    # as JSON texts, with their quotes
    cdef int add_price(self, TextBuffer out, int64_t ticks) except -1
    cdef int add_qty(self, TextBuffer out, int64_t lots) except -1


cdef class TermsTable:
    cdef dict _by_id, _by_symbol, _known
    cdef Terms by_id(self, int64_t number)        # KeyError when there is none
    cdef Terms by_symbol(self, str symbol)        # None when there is none, or it is out of our range
    cdef Terms _of(self, object instrument)
