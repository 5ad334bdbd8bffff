"""Commands of the operator: assets, instruments, accounts. What others rely on never changes once set."""
from engine.core.state cimport State
from engine.core.types cimport AccountCommand, AssetCommand, InstrumentCommand, LimitsCommand

cdef void set_asset(State* state, AssetCommand* command) noexcept nogil
cdef void set_instrument(State* state, InstrumentCommand* command) noexcept nogil
cdef void set_account(State* state, AccountCommand* command) noexcept nogil
cdef void set_limits(State* state, LimitsCommand* command) noexcept nogil
