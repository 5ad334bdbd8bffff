"""An event as a Python object; native code reads its record itself, which the object owns and never changes."""
cimport cython

from engine.core.types cimport Event as Record
from engine.core.types cimport BUSTED, PREVENTED, TRADE, TopEvent, TradeEvent


@cython.final
cdef class Event:
    cdef Record record

    cdef inline TradeEvent* _trade(self) noexcept:
        return <TradeEvent*>&self.record

    cdef inline TopEvent* _top(self) noexcept:
        return <TopEvent*>&self.record

    cdef inline bint _is_trade(self) noexcept:
        return self.record.kind == TRADE or self.record.kind == PREVENTED or self.record.kind == BUSTED
