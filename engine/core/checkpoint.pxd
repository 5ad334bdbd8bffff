"""CHECKPOINT: proof that everybody who applies the same commands has the same state.

A CHECKPOINT with of_seq 0 is a mark: whoever cares keeps the state's hash right after it. Somebody who had time to
hash (the writer of a snapshot) tells what he found with a second CHECKPOINT that names the mark. Whoever has the hash
of that mark too compares; a difference is remembered in `refuted`, and the exchange must stop. Nothing of this is
state: who hashes nothing stays equal to who does.
"""
from engine.core.state cimport State
from engine.core.types cimport Command

cdef void checkpoint(State* state, Command* command) noexcept nogil
