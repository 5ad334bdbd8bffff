"""The one command that is being applied. All that orders and cancels need is in its first cache line; the rest is 0.

The line is written in two halves of 32 bytes because the core copies it in such pieces right afterwards: a load wider
than the stores it reads from has to wait until they have reached the cache. Only one module may cimport this.
"""
from libc.stdint cimport uint64_t

from engine.core.types cimport Command

cdef extern from *:
    """
    typedef long long buttonwood_half __attribute__((vector_size(32)));
    static struct { buttonwood_half half[4]; } buttonwood_command __attribute__((aligned(128)));
    #define buttonwood_command_line ((void *)&buttonwood_command)

    static inline __attribute__((always_inline)) void buttonwood_write(
            uint64_t kind, uint64_t side, uint64_t time_in_force, uint64_t account, uint64_t instrument, uint64_t slot,
            uint64_t seq, uint64_t time_ns, uint64_t order_id, uint64_t price_ticks, uint64_t qty_lots) {
        uint64_t who = kind | side << 8 | time_in_force << 24 | account << 32, where = instrument | slot << 32;
        buttonwood_command.half[0] = (buttonwood_half){who, where, seq, time_ns};
        buttonwood_command.half[1] = (buttonwood_half){order_id, price_ticks, qty_lots, 0};
    }
    """
    Command* command "buttonwood_command_line"
    # kind .. qty_lots of Command; a limit order unless it is a cancel
    void write_order_line "buttonwood_write"(
        uint64_t kind, uint64_t side, uint64_t time_in_force, uint64_t account, uint64_t instrument, uint64_t slot,
        uint64_t seq, uint64_t time_ns, uint64_t order_id, uint64_t price_ticks, uint64_t qty_lots) noexcept nogil
