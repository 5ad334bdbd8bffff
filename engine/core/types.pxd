"""The C vocabulary of the core: what a command, an event and their codes look like in memory.

Fixed-size records of 128 bytes, two cache lines: the first holds what every order needs, the second what some need.
engine/records.py states the same layout as numpy dtypes and asserts the sizes; engine/core/codes.py states the same
numbers for Python. A change here changes the journal's format: raise engine.journal's version with it.
"""
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    TEXT_BYTES = 36     # longest client order id, symbol or reference; shorter ones are padded with NUL
    NONE_SLOT = 0       # slot 0 holds no order


cdef enum CommandKind:
    ASSET = 1
    INSTRUMENT = 2
    ACCOUNT = 3
    CREDIT = 4
    DEBIT = 5
    INSTRUMENT_LIMITS = 6
    PLACE = 10
    CANCEL = 11
    REDUCE = 12
    CANCEL_ALL = 13
    REPLACE = 14
    PLACE_LIST = 15     # the PLACE commands that follow are its legs
    CANCEL_LIST = 16
    TICK = 20               # sequenced time: ends what has expired (engine.core.ticking)
    TIMER_COMMAND = 21      # dead man's timer
    MASS_CANCEL_COMMAND = 22
    KILL_COMMAND = 23
    FEES = 24
    ACCOUNT_TIER = 25
    BUST = 26
    AUCTION_COMMAND = 27
    PROTECTION = 28
    REMEMBER = 29           # how many client order ids of ONCE are remembered
    CHECKPOINT = 30

cdef enum Side:
    BUY = 0
    SELL = 1

cdef enum OrderType:
    LIMIT = 0
    LIMIT_MAKER = 1
    MARKET = 2
    STOP_LOSS = 3
    STOP_LOSS_LIMIT = 4
    TAKE_PROFIT = 5
    TAKE_PROFIT_LIMIT = 6

cdef enum TimeInForce:
    GTC = 0
    IOC = 1
    FOK = 2
    GTD = 3     # until expires_ns
    DAY = 4     # until the instrument's session ends

cdef enum SelfTrade:      # what becomes of a match within an account or a trade group; the taker's decides
    ALLOW = 0
    EXPIRE_TAKER = 1
    EXPIRE_MAKER = 2
    EXPIRE_BOTH = 3
    DECREMENT = 4

cdef enum ReplaceMode:
    STOP_ON_FAILURE = 0     # no new order unless the old one was canceled
    ALLOW_FAILURE = 1

cdef enum PlaceFlag:        # added to the mode of a PLACE or REPLACE
    ONCE = 128              # its client order id may place one order only (engine.core.once)

cdef enum ListType:
    OCO = 0                 # two legs; what happens to one ends the other
    OTO = 1                 # the second leg is placed when the first is filled
    OTOCO = 2               # the second and third are, as an OCO

cdef enum AuctionStep:
    START = 0
    UNCROSS = 1

cdef enum AuctionTold:      # flags of an AUCTION event
    INDICATED = 0           # what an uncross would do now; only where TOP events are told, too
    STARTED = 1
    UNCROSSED = 2           # its trades follow
    TOUCHED = 3             # a price level that they may take from; only where TOP events are told, too

cdef enum ReplaceHalf:      # added to the flags of a REJECTED
    CANCEL_HALF = 256
    PLACE_HALF = 512

cdef enum InstrumentStatus:
    TRADING = 0
    CANCEL_ONLY = 1
    HALT = 2
    AUCTION_STATUS = 3      # orders are collected, nothing trades
    CLOSED = 4

cdef enum AccountStatus:
    ACTIVE = 0
    FROZEN = 1

cdef enum EventKind:
    CONFIGURED = 1
    MONEY = 2
    REJECTED = 3
    ACCEPTED = 4
    TRADE = 5
    CANCELED = 6
    REDUCED = 7
    TOP = 8
    PREVENTED = 9
    TRIGGERED = 10
    LIST = 11
    AUCTION_EVENT = 12
    BUSTED = 13
    STATUS = 14             # a timer or kill switch was set

cdef enum Code:
    NONE = 0
    # refusals
    BAD_COMMAND = 1
    UNKNOWN_ACCOUNT = 2
    ACCOUNT_FROZEN_CODE = 3
    UNKNOWN_INSTRUMENT = 4
    UNKNOWN_ASSET = 5
    CONFLICT = 6
    MARKET_CLOSED = 7
    PRICE_RANGE = 8
    QTY_RANGE = 9
    MIN_NOTIONAL = 10
    OVERFLOW = 11
    INSUFFICIENT_BALANCE = 12
    WOULD_MATCH = 13
    DUPLICATE_CLIENT_ID = 14
    UNKNOWN_ORDER = 15
    BAD_REDUCE = 16
    CAPACITY = 17
    PRICE_BAND = 18
    MAX_NOTIONAL = 19
    TOO_MANY_ORDERS = 20
    WOULD_TRIGGER = 21
    TOO_MANY_STOPS = 22
    BAD_LIST = 23
    BAD_ICEBERG = 24
    KILLED = 25
    EXPIRED_ALREADY = 26
    UNKNOWN_TRADE = 27
    AUCTION_ONLY = 28
    REPEATED = 29           # the order named by the event is this very one
    CLIENT_ID_REUSED = 30   # the order named by the event is another one with this client order id
    # reasons of a CANCELED event
    REQUESTED = 32
    IOC_REMAINDER = 33
    FOK_UNFILLED = 34
    NO_LIQUIDITY = 35
    MASS_CANCEL = 36
    STP = 37
    LIST_DONE = 38
    TRIGGER_REFUSED = 39
    EXPIRED = 40
    SLIPPAGE = 41
    DISCONNECTED = 42
    TIMER_REASON = 43
    KILL_REASON = 44


cdef struct Command:  # orders; money uses instrument as the asset id
    uint8_t kind
    uint8_t side
    uint8_t order_type
    uint8_t time_in_force
    uint32_t account
    uint32_t instrument     # CREDIT, DEBIT: the asset
    uint32_t slot           # CANCEL, REDUCE, REPLACE: where order_id lives (0: look up by text); PLACE: session, 0 none
    uint64_t seq            # stamped by the sequencer
    int64_t time_ns         # stamped by the sequencer
    uint64_t order_id       # CANCEL, REDUCE, REPLACE: the target (0: look up by text)
    int64_t price_ticks     # CREDIT, DEBIT: the account a hold is for, echoed only (engine/transfers.py)
    int64_t qty_lots        # PLACE: quantity; REDUCE: the new total quantity, executed part included; CREDIT, DEBIT:
    #                         when a hold expires, echoed only
    int64_t amount          # PLACE MARKET: quote minor units to spend or receive; CREDIT, DEBIT: minor units
    char[36] text           # client order id (of the order, or of the target when order_id is 0); money: reference
    uint8_t stp             # PLACE, REPLACE: a SelfTrade
    uint8_t mode            # PLACE, REPLACE: a PlaceFlag; REPLACE: a ReplaceMode; PLACE_LIST: a ListType;
    #                         CREDIT, DEBIT: 1 if the next command is refused when this one is
    uint16_t trailing_bps   # how far a trailing stop follows the price, in 1/10,000
    int64_t trigger_ticks   # stop price; of a trailing order the price at which it starts to trail, 0: at once
    int64_t display_lots    # what an iceberg shows; 0: all
    int64_t expires_ns      # GTD: the time from which on it is over


cdef struct InstrumentCommand:
    uint8_t kind
    uint8_t status
    uint16_t reserved_a
    uint32_t base_asset
    uint32_t instrument
    uint32_t quote_asset
    uint64_t seq
    int64_t time_ns
    int64_t lot_value       # minor units of base per lot
    int64_t tick_value      # minor units of quote per tick x lot
    int64_t min_lots
    int64_t max_lots
    char[36] text           # symbol
    int32_t maker_fee_ppm
    int32_t taker_fee_ppm
    uint32_t reserved_b
    int64_t max_ticks
    int64_t min_notional    # minor units of quote


cdef struct LimitsCommand:  # INSTRUMENT_LIMITS: replaces all limits of an instrument; 0 switches one off
    uint8_t kind
    uint8_t[7] reserved_a
    uint32_t instrument
    uint32_t reserved_b
    uint64_t seq
    int64_t time_ns
    int64_t max_notional    # minor units of quote
    int64_t reference_ticks  # middle of the band until the first trade
    uint32_t band_up_ppm    # how far above and below the last trade an order may be priced
    uint32_t band_down_ppm
    uint32_t orders_max     # open orders per account in this instrument
    uint32_t reserved_c
    char[36] text           # zero
    char[28] reserved_d


cdef struct AssetCommand:
    uint8_t kind
    uint8_t scale           # minor units per unit: 10**scale
    uint16_t reserved_a
    uint32_t reserved_b
    uint32_t asset
    uint32_t reserved_c
    uint64_t seq
    int64_t time_ns
    int64_t[4] reserved_d
    char[36] text           # asset code
    char[28] reserved_e


cdef struct AccountCommand:
    uint8_t kind
    uint8_t status
    uint16_t reserved_a
    uint32_t account
    uint32_t[2] reserved_b
    uint64_t seq
    int64_t time_ns
    uint32_t trade_group    # accounts of one group do not trade with each other (engine.core.prevention); 0: none
    uint32_t reserved_c
    int64_t[3] reserved_e
    char[36] text           # label
    char[28] reserved_d


cdef struct ControlCommand:  # the kinds from TICK to REMEMBER but BUST; what a kind does not name is zero
    uint8_t kind
    uint8_t mode            # FEES: 1 clears; KILL: 1 on; MASS_CANCEL: 1 disconnected; AUCTION: an AuctionStep
    uint8_t tier            # FEES, ACCOUNT_TIER
    uint8_t status          # KILL: 1 cancels open orders as well; AUCTION: InstrumentStatus after the uncross
    uint32_t account        # TIMER, ACCOUNT_TIER; MASS_CANCEL, KILL: 0 for all
    uint32_t instrument     # FEES, AUCTION, PROTECTION; TIMER, MASS_CANCEL, KILL: 0 for all
    uint32_t session        # TIMER, MASS_CANCEL: of orders placed with it only; 0 for all
    uint64_t seq
    int64_t time_ns
    int64_t countdown_ns    # TIMER: how long from now; 0 clears it
    int64_t reference_ticks  # AUCTION: the price that decides between equals; 0: that of the last trade
    int32_t maker_fee_ppm   # FEES; below 0 is a rebate
    int32_t taker_fee_ppm
    uint32_t slippage_ppm   # PROTECTION, all three and 0 for off: how far from the best price a market order trades
    uint32_t stops_max      # waiting stop orders per account in this instrument
    char[36] text           # zero
    uint32_t day_end_s      # when DAY orders end, in seconds of the UTC day
    uint64_t remembered     # REMEMBER
    int64_t[2] reserved


cdef struct Event:  # ACCEPTED, REJECTED, CANCELED, REDUCED, TRIGGERED, MONEY, CONFIGURED
    uint8_t kind
    uint8_t side
    uint8_t order_type
    uint8_t time_in_force
    uint32_t account
    uint32_t instrument     # MONEY: the asset; CONFIGURED: asset or instrument
    uint32_t slot           # where the order lives (for a later CANCEL or REDUCE); STATUS: the session
    uint64_t seq            # of the command that caused it
    int64_t time_ns         # of that command
    uint64_t order_id       # = seq of the PLACE command; rising, never reused; REJECTED: the target, or with
    #                         REPEATED and CLIENT_ID_REUSED the order that has had the client order id
    int64_t price_ticks     # 0 for a market order
    int64_t qty_lots        # ACCEPTED: quantity; CANCELED: quantity taken off; REDUCED: new total quantity
    int64_t left_lots       # open after this event; ACCEPTED: what an iceberg shows, all of any other order
    char[36] text           # the order's client id; MONEY: reference; CONFIGURED: name
    uint8_t stp             # ACCEPTED: the order's SelfTrade
    uint8_t reserved_a
    uint16_t trailing_bps   # ACCEPTED: as in the command
    int64_t amount          # ACCEPTED: quote amount asked for; CANCELED: its unfilled part; MONEY: signed minor units
    int64_t trigger_ticks   # ACCEPTED: as in the command; TRIGGERED: the trigger price that was reached, 0: leg's turn
    uint32_t reserved_b
    uint16_t code           # REJECTED: refusal; CANCELED: reason
    uint16_t flags          # REJECTED, CONFIGURED: the kind of the command; of a REPLACE plus a ReplaceHalf;
    #                         CANCELED TRIGGER_REFUSED: the refusal


cdef struct TradeEvent:  # TRADE, PREVENTED: the first line is the taker's
    uint8_t kind
    uint8_t side            # of the taker
    uint8_t order_type
    uint8_t time_in_force
    uint32_t account
    uint32_t instrument
    uint32_t slot
    uint64_t seq
    int64_t time_ns
    uint64_t order_id
    int64_t price_ticks     # the maker's
    int64_t qty_lots        # PREVENTED: what would have traded
    int64_t left_lots       # of the taker; 0 in all events of a market order by quote amount
    uint64_t maker_order_id
    int64_t maker_left_lots
    uint64_t trade_id       # per instrument, 1, 2, 3, ...; PREVENTED: counted apart
    uint64_t fill_id        # over all instruments, 1, 2, 3, ...; PREVENTED: 0, as the fees
    int64_t quote_amount    # price_ticks * qty_lots * tick_value
    int64_t taker_fee       # minor units of what the taker receives (buyer: base, seller: quote)
    int64_t maker_fee       # minor units of what the maker receives
    uint32_t maker_account
    uint16_t code
    uint16_t flags          # PREVENTED: the taker's SelfTrade


cdef struct TopEvent:  # TOP: best prices after a command that changed them; 0 for an empty side
    uint8_t kind
    uint8_t[7] reserved_a
    uint32_t instrument
    uint32_t reserved_b
    uint64_t seq
    int64_t time_ns
    uint64_t update_id      # the book's count of level changes
    int64_t bid_ticks
    int64_t bid_lots
    int64_t ask_ticks
    int64_t ask_lots
    int64_t[6] reserved_c
    uint64_t reserved_d
