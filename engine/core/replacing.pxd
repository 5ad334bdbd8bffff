"""Cancel and place in one command, so that nothing comes between: REPLACE.

The events of both halves follow each other as those of a CANCEL and a PLACE would; a REJECTED says in its flags which
half it is. The new order has the command's seq as its order_id and stands behind all others at its price.
"""
from engine.core.state cimport State
from engine.core.types cimport Command

cdef void replace(State* state, Command* command) noexcept nogil
