"""The one command that is being applied. All that orders and cancels need is in its first cache line; the rest is 0.

Two numbers that the core copies together right afterwards are written together: a load wider than the stores it reads
from has to wait until they have reached the cache. Only one module may cimport this.
"""
from libc.stdint cimport uint64_t

from engine.core.types cimport CANCEL, PLACE, Command

cdef extern from *:
    """
    typedef long long buttonwood_two __attribute__((vector_size(16), aligned(8)));
    static struct {
        unsigned long long who, where;
        buttonwood_two when;                    /* seq, time_ns */
        unsigned long long order_id;
        buttonwood_two what;                    /* price_ticks, qty_lots */
        unsigned long long none[9];
    } buttonwood_command __attribute__((aligned(128)));
    #define buttonwood_command_line ((void *)&buttonwood_command)

    static inline __attribute__((always_inline)) void buttonwood_write(
            uint64_t who, uint64_t where, uint64_t seq, uint64_t time_ns, uint64_t order_id, uint64_t price_ticks,
            uint64_t qty_lots) {
        buttonwood_command.who = who;
        buttonwood_command.where = where;
        buttonwood_command.when = (buttonwood_two){seq, time_ns};
        buttonwood_command.order_id = order_id;
        buttonwood_command.what = (buttonwood_two){price_ticks, qty_lots};
    }
    """
    Command* command "buttonwood_command_line"
    void write_line "buttonwood_write"(
        uint64_t who, uint64_t where, uint64_t seq, uint64_t time_ns, uint64_t order_id, uint64_t price_ticks,
        uint64_t qty_lots) noexcept nogil


cdef inline void write_order(
    uint64_t side, uint64_t time_in_force, uint64_t account, uint64_t instrument, uint64_t seq, uint64_t time_ns,
    uint64_t price_ticks, uint64_t qty_lots
) noexcept nogil:
    """A limit order, GTC or IOC."""
    write_line(PLACE | side << 8 | time_in_force << 24 | account << 32, instrument, seq, time_ns, 0, price_ticks,
               qty_lots)


cdef inline void write_cancel(
    uint64_t account, uint64_t instrument, uint64_t slot, uint64_t seq, uint64_t time_ns, uint64_t order_id
) noexcept nogil:
    write_line(CANCEL | account << 32, instrument | slot << 32, seq, time_ns, order_id, 0, 0)
