"""Commands of the operator: assets, instruments, accounts. What others rely on never changes once set."""
from libc.stdint cimport uint8_t, uint32_t

from engine.core.state cimport Book, Limits, State
from engine.core.types cimport AccountCommand, AssetCommand, InstrumentCommand, LimitsCommand

cdef void set_asset(State* state, AssetCommand* command) noexcept nogil
cdef void set_instrument(State* state, InstrumentCommand* command) noexcept nogil
cdef void set_account(State* state, AccountCommand* command) noexcept nogil
cdef void set_limits(State* state, LimitsCommand* command) noexcept nogil
# What the commands do once they are found good; state.failed when memory ran out. Also the way back from a snapshot.
cdef void keep_asset(State* state, uint32_t asset, uint8_t scale, const char* text) noexcept nogil
cdef void keep_instrument(State* state, InstrumentCommand* command) noexcept nogil
# Settles whether orders ask for limits at all: call it when one of them, or the status, changes.
cdef void watch_book(Book* book) noexcept nogil
cdef void keep_limits(Book* book, Limits* limits) noexcept nogil
