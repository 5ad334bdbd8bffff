"""The only place that knows all of them."""
from engine.core.auction cimport auction
from engine.core.busting cimport bust
from engine.core.fees cimport set_fees, set_tier
from engine.core.mass cimport kill, mass_cancel
from engine.core.once cimport set_remembered
from engine.core.protection cimport set_protection
from engine.core.ticking cimport tick
from engine.core.timers cimport set_timer
from engine.core.types cimport (
    ACCOUNT_TIER, AUCTION_COMMAND, BUST, FEES, KILL_COMMAND, MASS_CANCEL_COMMAND, PROTECTION, REMEMBER, TICK,
    TIMER_COMMAND, Command, TradeEvent)


cdef bint control(State* state, ControlCommand* command) noexcept nogil:
    if command.kind == AUCTION_COMMAND:
        auction(state, command)
    elif command.kind == BUST:
        bust(state, <TradeEvent*>command)
    elif command.kind == TICK:
        tick(state, <Command*>command)
    elif command.kind == TIMER_COMMAND:
        set_timer(state, command)
    elif command.kind == MASS_CANCEL_COMMAND:
        mass_cancel(state, command)
    elif command.kind == KILL_COMMAND:
        kill(state, command)
    elif command.kind == PROTECTION:
        set_protection(state, command)
    elif command.kind == REMEMBER:
        set_remembered(state, command)
    elif command.kind == FEES:
        set_fees(state, command)
    elif command.kind == ACCOUNT_TIER:
        set_tier(state, command)
    else:
        return False
    return True
