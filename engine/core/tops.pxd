"""TOP events: the best prices of a book after a command that changed them. Only compared when asked for."""
from libc.stdint cimport uint64_t

from engine.core.state cimport Book, State, Top
from engine.core.types cimport Command

cdef Top book_top(State* state, Book* book) noexcept nogil
# Publishes the books of the events written since first_event, in order of appearance, each at most once.
cdef void publish_tops(State* state, Command* command, uint64_t first_event) noexcept nogil
