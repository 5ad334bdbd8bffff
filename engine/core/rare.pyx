"""What an order with ONCE leaves is noted when it was accepted; a refused one may be sent again."""
from libc.stdint cimport uint64_t

from engine.core.iceberg cimport place_iceberg
from engine.core.matching cimport place_any
from engine.core.once cimport once_code, once_keep
from engine.core.reports cimport report_refused
from engine.core.stops cimport place_stop
from engine.core.types cimport ACCEPTED, MARKET, NONE, ONCE, Code


cdef void place(State* state, Command* command) noexcept nogil:
    cdef uint64_t first_event = state.events.count
    cdef uint64_t order_id = command.order_id
    cdef Code code
    if command.mode & ONCE:
        code = once_code(state, command, &order_id)
        if code != NONE:
            report_refused(state, command, code)
            state.events.items[first_event].order_id = order_id
            return
    if command.order_type > MARKET or command.trailing_bps | command.trigger_ticks != 0:
        place_stop(state, command)
    elif command.display_lots != 0:
        place_iceberg(state, command)
    else:
        place_any(state, command)
    if command.mode & ONCE and not state.failed and state.events.items[first_event].kind == ACCEPTED:
        once_keep(state, command)
