"""The same out of line."""


cdef void place_plain(State* state, Command* command) noexcept nogil:
    place_plain_here(state, command)


cdef void cancel(State* state, Command* command) noexcept nogil:
    cancel_here(state, command)
