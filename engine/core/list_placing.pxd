"""An order list on its way in: PLACE_LIST says how many legs there are, the PLACE commands that follow are the legs.

Nothing happens and nothing is told until the last leg is there; then all of them are accepted or the list is refused as
a whole. Any other command in between ends the wait: the list is refused (BAD_LIST), the command is carried out.
"""
from engine.core.state cimport State
from engine.core.types cimport Command

cdef void begin_list(State* state, Command* command) noexcept nogil
# Takes a command as a leg of the list on its way in; false if it is none.
cdef bint gather(State* state, Command* command) noexcept nogil
