"""Records that queries return, as in engine/records.py: ORDER and WALLET."""
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef struct OrderRecord:
    uint64_t order_id
    uint32_t slot
    uint32_t account
    uint32_t instrument
    uint8_t side
    uint8_t order_type
    uint8_t time_in_force
    uint8_t flags           # NodeFlags of engine.core.pool
    int64_t price_ticks
    int64_t qty_lots
    int64_t left_lots
    int64_t quote_filled
    int64_t time_ns
    int64_t update_ns
    char[36] text
    uint8_t stp             # known of an order that has or had a trigger
    uint8_t reserved
    uint16_t trailing_bps
    int64_t stop_ticks      # the command's trigger_ticks
    int64_t trigger_ticks   # the price that sets it off, or did
    int64_t expires_ns      # 0: it does not
    uint32_t session
    uint32_t reserved_b
    int64_t display_lots    # what an iceberg shows at most; 0: all
    uint64_t list_id        # order list of a leg; 0: none
    int64_t working_ns      # since when an order trades that waited before; 0: since its time_ns, or not yet (flags)

cdef struct ListRecord:     # an order list of which a leg is open
    uint64_t list_id
    uint32_t place
    uint32_t account
    uint32_t instrument
    uint8_t list_type
    uint8_t legs            # open or not
    uint16_t reserved
    int64_t time_ns         # when it was placed
    char[36] text
    uint32_t reserved_b

cdef struct WalletRecord:
    uint32_t account
    uint32_t asset
    int64_t available
    int64_t held
