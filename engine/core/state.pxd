"""Everything the exchange knows, in one struct: a pure function of the commands applied so far.

Books, assets and accounts are tables indexed by their id. `failed` is set when memory ran out half-way through a
command: nothing is read or written after that.
"""
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from engine.core.bits cimport pick
from engine.core.deadlines cimport Deadlines
from engine.core.events cimport Events
from engine.core.extras cimport Extras
from engine.core.id_ring cimport IdRing
from engine.core.index cimport Index
from engine.core.ladder cimport Ladder, Shelf
from engine.core.list_table cimport Lists
from engine.core.pool cimport Pool
from engine.core.types cimport GTC, GTD, InstrumentCommand
from engine.core.wallets cimport Wallets

cdef enum:
    ASSET_MAX = 65535           # highest ids; tables are as long as the highest id in use
    INSTRUMENT_MAX = 1048575
    ACCOUNT_MAX = 16777215

cdef enum:
    PPM = 1000000
    PURSE_SIZE = 4

cdef extern from *:
    """
    #define BUTTONWOOD_MAX_TICKS (INT64_C(1) << 53)
    """
    const int64_t MAX_TICKS "BUTTONWOOD_MAX_TICKS"

cdef struct FeeRow:             # what one tier pays in one book
    int32_t maker_fee_ppm
    int32_t taker_fee_ppm
    uint32_t own                # it has a schedule of its own

cdef struct Tag:                # engine.core.tags
    uint32_t session
    uint32_t deadline           # 0: the order does not expire

cdef struct Timer:              # engine.core.timers
    uint32_t account
    uint32_t session
    uint32_t instrument
    uint32_t next               # of the account; of a free one the next free one
    uint32_t deadline

cdef struct Bust:               # a trade that was taken back (engine.core.busting)
    uint64_t trade_id
    uint32_t instrument

cdef struct Top:                # 0 where a side is empty
    int64_t bid_ticks
    int64_t bid_lots
    int64_t ask_ticks
    int64_t ask_lots

cdef struct Limits:             # 0: off; engine.core.limits
    int64_t max_notional
    int64_t reference_ticks
    int64_t band_up_ppm
    int64_t band_down_ppm
    uint32_t orders_max

cdef struct Book:               # three lines of what orders need, then the rest
    Ladder[2] ladders           # by side
    uint64_t update_id          # changes of a level's quantity
    uint64_t trade_id           # last given
    int64_t last_ticks          # price of the last trade
    int64_t lot_value
    int64_t tick_value
    int64_t min_lots
    int64_t max_lots
    int64_t max_ticks
    int64_t min_notional
    int64_t maker_fee_ppm
    int64_t taker_fee_ppm
    uint32_t[2] pay_asset       # by side: quote for BUY, base for SELL; the other one is received
    uint32_t[2] fee_wallet      # by receiving side: of base for BUY, of quote for SELL
    uint32_t instrument
    uint8_t known
    uint8_t status
    uint8_t limited             # some limit is set
    uint8_t killed
    uint8_t takes_orders        # known, and neither status nor kill switch is in the way
    uint32_t fee_rows           # engine.core.fees; 0: the same fees for everybody
    uint32_t day_end_s          # when DAY orders end
    uint32_t slippage_ppm       # of a market order, from the best price
    int64_t[4] indicated        # price, lots, surplus and its side, as last told
    Limits limits
    Top top                     # as last published
    uint64_t prevented_id       # last given to a prevented match
    Ladder[2] triggers          # armed orders: FALLING and RISING (engine.core.stops)
    uint32_t armed              # their number
    uint32_t icebergs           # resting ones (engine.core.iceberg)
    uint32_t[2] trails          # active trailing orders by side, 0: none (engine.core.trailing)
    uint32_t stops_max          # of one account, 0: any number (PROTECTION)
    uint32_t[15] reserved       # up to 448 bytes, so that a book begins with a cache line

cdef struct Account:            # 64 bytes: one cache line
    uint32_t first_order        # oldest open order
    uint32_t last_order
    uint32_t open_orders
    uint8_t known
    uint8_t status
    uint32_t[4] purse_asset     # engine.core.purse; 0: nothing remembered here
    uint32_t[4] purse_wallet
    uint32_t trade_group        # 0: none
    uint32_t first_timer        # engine.core.timers
    uint8_t tier                # engine.core.fees
    uint8_t killed
    uint8_t takes_orders        # known, and neither status nor kill switch is in the way
    uint8_t reserved
    uint32_t spare_wallet       # kept for its next asset; 0: none

cdef struct Asset:
    char[36] text
    uint8_t known
    uint8_t scale
    uint32_t external_wallet    # minus its amount is the supply

cdef struct Mark:               # engine.core.checkpoint; no part of the state
    uint64_t seq                # of the last CHECKPOINT that is a mark
    uint64_t hash               # of the state right after it, if known
    uint64_t told               # by somebody else
    uint64_t proven             # times both were equal
    bint known
    bint refuted

cdef struct State:
    uint64_t seq
    int64_t time_ns
    uint64_t fill_id            # last given
    uint64_t broken_seq         # of the last refused CREDIT or DEBIT that the next command is linked to
    Pool pool
    Shelf shelf
    Wallets wallets
    Index clients
    Events events
    Extras extras
    Lists lists
    Book* books
    InstrumentCommand* instruments  # as last configured
    Account* accounts
    Asset* assets
    FeeRow* fees                # TIERS for each book that has schedules
    Tag* tags                   # by slot; NULL until an order needs one
    Timer* timers
    Bust* busts
    uint32_t busts_count
    uint32_t busts_capacity
    Deadlines deadlines
    IdRing placed_ids           # engine.core.once
    uint32_t books_capacity
    uint32_t accounts_capacity
    uint32_t assets_capacity
    uint32_t tags_capacity
    uint32_t timers_capacity
    uint32_t timer_fresh        # highest number used
    uint32_t timer_free
    uint32_t session            # of the order that a REPLACE has canceled
    uint32_t fee_rows           # place of the last TIERS given
    uint32_t fee_rows_capacity
    uint32_t text_hash              # of the current command's account and text
    Mark mark
    uint64_t marks_max              # orders and wallets of the largest state that is hashed at a mark; 0: none is
    uint32_t watched                # armed orders and order lists of all books
    uint32_t entering_first         # triggered orders on their way into the book, linked through node.next
    uint32_t entering_last
    bint wide                       # more lies in memory than the nearer caches hold (engine.core.lookahead)
    bint top_events
    bint killed                 # the switch for everybody
    bint failed

cdef bint state_init(
    State* state, size_t orders, size_t wallets, size_t accounts, size_t leaves, size_t events, uint32_t orders_max
) noexcept nogil
cdef void state_free(State* state) noexcept nogil
# Make the tables long enough for an id; false when memory ran out.
cdef bint reserve_book(State* state, uint32_t instrument) noexcept nogil
cdef bint reserve_account(State* state, uint32_t account) noexcept nogil
cdef bint reserve_asset(State* state, uint32_t asset) noexcept nogil


cdef inline bint account_known(State* state, uint32_t account) noexcept nogil:
    return account < state.accounts_capacity and state.accounts[account].known


cdef inline bint book_known(State* state, uint32_t instrument) noexcept nogil:
    return instrument < state.books_capacity and state.books[instrument].known


cdef inline bint asset_known(State* state, uint32_t asset) noexcept nogil:
    return asset < state.assets_capacity and state.assets[asset].known


cdef inline bint may_stay(int time_in_force) noexcept nogil:
    """What does not trade at once waits in the book."""
    return time_in_force == GTC or time_in_force >= GTD


cdef inline int64_t side_key(int side, int64_t price_ticks) noexcept nogil:
    """The key of a price on a side: the better the price, the higher the key. Its own inverse."""
    return pick(side, price_ticks, MAX_TICKS - price_ticks)


cdef inline int64_t pay_per_lot(Book* book, int side, int64_t price_ticks) noexcept nogil:
    """What one lot at that price costs the side: quote for BUY, base for SELL. Checked at admission to fit."""
    return pick(side, price_ticks * book.tick_value, book.lot_value)
