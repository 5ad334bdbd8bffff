"""All of an instrument's are replaced at once."""
from engine.core.reports cimport report_control
from engine.core.settings cimport watch_book
from engine.core.state cimport PPM, book_known
from engine.core.tags cimport DAY_S
from engine.core.types cimport BAD_COMMAND, CONFIGURED, NONE, UNKNOWN_INSTRUMENT, Code


cdef void set_protection(State* state, ControlCommand* command) noexcept nogil:
    cdef Code code = NONE
    if command.slippage_ppm > PPM or command.day_end_s >= DAY_S:
        code = BAD_COMMAND
    elif not book_known(state, command.instrument):
        code = UNKNOWN_INSTRUMENT
    else:
        state.books[command.instrument].day_end_s = command.day_end_s
        state.books[command.instrument].stops_max = command.stops_max
        state.books[command.instrument].slippage_ppm = command.slippage_ppm
        watch_book(&state.books[command.instrument])
    report_control(state, command, CONFIGURED, code)
