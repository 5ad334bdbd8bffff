"""Items of the sections of a snapshot: the state as plain records, whatever the structures in memory look like.

An item never changes meaning. A field that comes later is added at the end, 0 meaning what was before: load() reads
the shorter items of an older snapshot as if the rest were 0. Only what cannot be found again stands here: price
levels, hash tables, purses and best prices are made anew.
"""
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from engine.core.state cimport State

cdef enum SectionId:            # never used for another purpose
    COUNTERS = 1
    ASSETS = 2
    INSTRUMENTS = 3             # InstrumentCommand
    BOOKS = 4
    ACCOUNTS = 5
    WALLETS = 6
    ORDERS = 7
    FREE_SLOTS = 8              # uint32_t
    WAITING = 9                 # OrderItem; by instrument and direction, in the order in which they would be set off
    EXTRAS = 10
    LISTS = 11
    FREE_LISTS = 12             # uint32_t
    GATHERED = 13               # Command: what has come of a list on its way in
    FEE_ROWS = 20
    TAGS = 21
    TIMERS = 22
    BUSTS = 23                  # Bust
    PLACED_IDS = 24

cdef struct CountersItem:       # one
    uint64_t seq
    int64_t time_ns
    uint64_t fill_id
    uint32_t slots              # pool.fresh
    uint32_t orders_max         # pool.open_max
    uint64_t killed
    uint64_t broken_seq
    uint64_t remembered         # placed_ids.max + 1; 0: the default

cdef struct AssetItem:
    uint32_t asset
    uint32_t scale
    char[36] text
    uint32_t reserved

cdef struct BookItem:           # in order of instrument
    uint32_t instrument
    uint32_t orders_max
    uint64_t update_id
    uint64_t trade_id
    uint64_t prevented_id
    int64_t last_ticks
    int64_t max_notional
    int64_t reference_ticks
    int64_t band_up_ppm
    int64_t band_down_ppm
    uint32_t killed
    uint32_t day_end_s
    uint32_t slippage_ppm
    uint32_t stops_max

cdef struct AccountItem:
    uint32_t account
    uint8_t status
    uint8_t tier
    uint8_t killed
    uint8_t reserved
    uint32_t trade_group
    uint32_t first_order        # slots
    uint32_t last_order
    uint32_t open_orders

cdef struct PlacedIdItem:       # the oldest first
    uint64_t order_id
    uint64_t terms
    uint32_t account
    char[36] text

cdef struct FeeItem:            # a schedule
    uint32_t instrument
    uint32_t tier
    int32_t maker_fee_ppm
    int32_t taker_fee_ppm

cdef struct TagItem:            # of a resting order that has a session or expires; by slot
    uint32_t slot
    uint32_t session
    int64_t expires_ns

cdef struct TimerItem:          # by account, session, instrument
    uint32_t account
    uint32_t session
    uint32_t instrument
    uint32_t reserved
    int64_t ends_ns
    uint64_t seq

cdef struct WalletItem:         # in order of index
    uint64_t key
    int64_t available
    int64_t held

cdef struct OrderItem:          # a resting order; by instrument and side, in the order in which they would trade
    uint64_t order_id
    int64_t price_ticks
    int64_t left_lots
    int64_t qty_lots
    int64_t quote_filled
    int64_t time_ns
    int64_t update_ns
    uint32_t slot
    uint32_t account
    uint32_t instrument
    uint8_t side
    uint8_t order_type
    uint8_t time_in_force
    uint8_t reserved_a
    uint32_t list_next          # in the account's list, slots
    uint32_t list_prev
    char[36] text
    uint32_t[3] reserved_b


cdef struct ExtraItem:          # of an order with a trigger; those of WAITING first, in their order
    uint32_t slot
    uint16_t trailing_bps
    uint8_t stp
    uint8_t direction
    int64_t stop_ticks
    int64_t trigger_ticks
    int64_t hold_ticks
    uint32_t list               # place of its list; 0: none
    uint32_t leg
    uint32_t waiting            # its NodeFlags ARMED, PENDING, UNFUNDED
    uint32_t reserved
    int64_t extreme_ticks       # of an active trailing order
    uint32_t trail_next         # in the list of its book's side, slots
    uint32_t trail_prev
    int64_t working_ns          # 0: not known
    int64_t display_lots        # of an iceberg; an OrderItem's left_lots is what it shows
    int64_t hidden_lots

cdef struct ListItem:           # in order of place
    uint64_t list_id
    int64_t excess
    uint32_t place
    uint32_t account
    uint32_t instrument
    uint8_t list_type
    uint8_t stage
    uint8_t legs
    uint8_t filled
    uint32_t reserved_a         # once its wallet, which is that of its last leg
    uint32_t[3] slots
    char[36] text
    uint32_t reserved


cdef inline void read_item(void* item, size_t size, const char* data, uint64_t index, size_t item_bytes) noexcept nogil:
    """The item of that number, whose fields beyond item_bytes are 0. item_bytes is at most size."""
    memcpy(item, data + index * item_bytes, item_bytes)
    memset(<char*>item + item_bytes, 0, size - item_bytes)
