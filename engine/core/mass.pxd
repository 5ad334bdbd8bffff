"""Many orders at once: of an account, an instrument, a session, or of everybody.

In order of account and order_id. O(open orders of the account), or O(accounts + all open orders) without an account:
a command for emergencies, which must also find orders that stand in no price level.
"""
from libc.stdint cimport uint32_t

from engine.core.state cimport State
from engine.core.types cimport Command, ControlCommand

cdef struct Selection:      # 0: any
    uint32_t account
    uint32_t instrument
    uint32_t session
    uint32_t time_in_force

# Cancels all of them with this reason; whether there was one.
cdef bint cancel_selected(State* state, Command* command, Selection* selection, int reason) noexcept nogil
cdef void mass_cancel(State* state, ControlCommand* command) noexcept nogil
cdef void kill(State* state, ControlCommand* command) noexcept nogil
# Settle whether new orders meet any obstacle, so that an order asks once: call them when status or switch change.
cdef void bar_account(State* state, uint32_t account) noexcept nogil
cdef void bar_book(State* state, uint32_t instrument) noexcept nogil
cdef void bar_books(State* state) noexcept nogil
