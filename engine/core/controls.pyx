"""The only place that knows all of them."""
from engine.core.fees cimport set_fees, set_tier
from engine.core.types cimport ACCOUNT_TIER, FEES


cdef bint control(State* state, ControlCommand* command) noexcept nogil:
    if command.kind == FEES:
        set_fees(state, command)
    elif command.kind == ACCOUNT_TIER:
        set_tier(state, command)
    else:
        return False
    return True
