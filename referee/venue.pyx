"""Opening day: two assets, one instrument without limits, accounts with money; and room that grows."""
from libc.stdint cimport INT64_MAX, uint32_t
from libc.stdio cimport fprintf, stderr
from libc.stdlib cimport abort
from libc.string cimport memset

from engine.core.dispatch cimport apply_commands
from engine.core.memory cimport block_free, block_grow
from engine.core.state cimport MAX_TICKS, state_free, state_init
from engine.core.types cimport (
    ACCOUNT, ASSET, CONFIGURED, CREDIT, INSTRUMENT, MONEY, AccountCommand, AssetCommand, Command, InstrumentCommand)
from referee.desk cimport desk_close, desk_open

cdef enum:
    ORDERS = 131072         # starting capacities; all grow
    LEAVES = 4096
    EVENTS = 16384
    DESK = 131072
    NAMES = 4194304


cdef bint venue_open(Venue* venue) noexcept nogil:
    memset(venue, 0, sizeof(Venue))
    if not (state_init(&venue.state, ORDERS, ACCOUNTS * 4, ACCOUNTS * 2, LEAVES, EVENTS, SEQ_MAX)
            and desk_open(&venue.desk, DESK) and _reserve(venue, NAMES)):
        return False
    memset(venue.desk.entries, 0, (venue.desk.mask + 1) * sizeof(venue.desk.entries[0]))  # a first touch is slow
    memset(venue.names, 0, venue.names_capacity * sizeof(uint64_t))
    _list(venue)
    for account in range(FIRST_ACCOUNT, FIRST_ACCOUNT + ACCOUNTS):
        _fund(venue, account)
    return True


cdef void venue_close(Venue* venue) noexcept nogil:
    state_free(&venue.state)
    desk_close(&venue.desk)
    block_free(venue.names)
    memset(venue, 0, sizeof(Venue))


cdef void venue_grow(Venue* venue) noexcept nogil:
    if venue.names_capacity >= SEQ_MAX or not _reserve(venue, venue.names_capacity * 2):
        give_up("out of memory, or of numbers for commands: start a new run")


cdef void give_up(const char* why) noexcept nogil:
    fprintf(stderr, "buttonwood referee: %s\n", why)
    abort()


cdef bint _reserve(Venue* venue, uint64_t names) noexcept nogil:
    cdef void* grown = block_grow(venue.names, names * sizeof(uint64_t))
    if grown == NULL:
        return False
    venue.names = <uint64_t*>grown
    venue.names_capacity = names
    return True


cdef void _list(Venue* venue) noexcept nogil:
    cdef Command command
    cdef AssetCommand* asset = <AssetCommand*>&command
    cdef InstrumentCommand* instrument = <InstrumentCommand*>&command
    memset(&command, 0, sizeof(Command))
    asset.asset, asset.scale, asset.text[0] = QUOTE, 8, c"Q"
    _configure(venue, &command, ASSET, CONFIGURED)
    asset.asset, asset.scale, asset.text[0] = BASE, 8, c"B"
    _configure(venue, &command, ASSET, CONFIGURED)
    instrument.instrument, instrument.base_asset, instrument.quote_asset = INSTRUMENT_ID, BASE, QUOTE
    instrument.lot_value = instrument.tick_value = instrument.min_lots = 1
    instrument.max_lots, instrument.max_ticks, instrument.text[0] = INT64_MAX, MAX_TICKS, c"I"
    instrument.maker_fee_ppm, instrument.taker_fee_ppm = MAKER_FEE_PPM, TAKER_FEE_PPM
    _configure(venue, &command, INSTRUMENT, CONFIGURED)


cdef void _fund(Venue* venue, uint32_t account) noexcept nogil:
    cdef Command command
    cdef uint32_t asset
    memset(&command, 0, sizeof(Command))
    (<AccountCommand*>&command).account = account
    _configure(venue, &command, ACCOUNT, CONFIGURED)
    for asset in range(QUOTE, BASE + 1):
        command.account = account
        command.instrument = asset
        command.amount = INT64_MAX // ACCOUNTS
        _configure(venue, &command, CREDIT, MONEY)


cdef void _configure(Venue* venue, Command* command, int kind, int expected) noexcept nogil:
    """Applies the command and clears it for the next."""
    command.kind = kind
    command.seq = venue.state.seq + 1
    if apply_commands(&venue.state, <char*>command, 1) != 1 or venue.state.events.items[0].kind != expected:
        give_up("the core refused its opening commands")
    memset(command, 0, sizeof(Command))
