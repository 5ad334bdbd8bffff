"""See terms.pxd."""
from libc.stdint cimport int64_t, uint64_t

import msgspec

from gateway.text_buffer cimport TextBuffer, wide_product


cdef class Terms:
    """Of one Instrument."""

    def __init__(self, instrument):
        self.source = instrument
        self.id = instrument.id
        self.tick_e8, self.lot_e8 = instrument.tick_e8, instrument.lot_e8
        self.min_lots, self.max_lots = instrument.min_lots, instrument.max_lots
        self.max_ticks, self.lot_value = instrument.max_ticks, instrument.lot_value
        self.base_scale, self.quote_scale = instrument.base_scale, instrument.quote_scale
        self.symbol = msgspec.json.encode(instrument.symbol)
        self.base, self.quote = msgspec.json.encode(instrument.base), msgspec.json.encode(instrument.quote)

    cdef int add_price(self, TextBuffer out, int64_t ticks) except -1:
        return out.add_e8(wide_product(<uint64_t>ticks, <uint64_t>self.tick_e8))

    cdef int add_qty(self, TextBuffer out, int64_t lots) except -1:
        return out.add_amount(wide_product(<uint64_t>lots, <uint64_t>self.lot_value), self.base_scale)


cdef class TermsTable:
    """Beside a Catalog: the Terms of each Instrument, made when they are first asked for."""

    def __init__(self, catalog):
        self._by_id, self._by_symbol = catalog.by_id, catalog.by_symbol
        self._known = {}

    cdef Terms by_id(self, int64_t number):
        return self._of(self._by_id[number])

    cdef Terms by_symbol(self, str symbol):
        instrument = self._by_symbol.get(symbol)
        return None if instrument is None else self._of(instrument)

    cdef Terms _of(self, object instrument):
        cdef Terms terms = self._known.get(instrument.symbol)
        if terms is None or terms.source is not instrument:
            try:
                terms = self._known[instrument.symbol] = Terms(instrument)
            except OverflowError:   # a step beyond 64 bits in 1e-8: allowed, and left to the general path
                return None
        return terms
