"""Opening day: two assets, one instrument without limits, accounts with money; and room that grows."""
from libc.stdint cimport INT64_MAX
from libc.stdio cimport fprintf, stderr
from libc.stdlib cimport abort
from libc.string cimport memset

from engine.core.dispatch cimport apply_commands
from engine.core.memory cimport block_free, block_grow
from engine.core.state cimport MAX_TICKS, state_free, state_init
from engine.core.types cimport (
    ACCOUNT, ASSET, CONFIGURED, CREDIT, GTC, INSTRUMENT, LIMIT, MONEY, AccountCommand, AssetCommand, InstrumentCommand)

cdef enum:
    ORDERS = 2097152        # starting capacities, so that nothing grows during a run of two million messages
    NAMES = 4194304


cdef bint venue_open(Venue* venue) noexcept nogil:
    memset(venue, 0, sizeof(Venue))
    if not state_init(&venue.state, ORDERS, ACCOUNTS * 4, ACCOUNTS * 2, 4096, 16384, ORDERS * 8):
        return False
    _list_assets(venue)
    for account in range(FIRST_ACCOUNT, FIRST_ACCOUNT + ACCOUNTS):
        _fund(venue, account)
    venue.command.instrument = INSTRUMENT_ID
    venue.command.order_type = LIMIT
    venue.command.time_in_force = GTC
    if not _reserve(venue, ORDERS, NAMES):
        return False
    memset(venue.known, 0, venue.known_capacity * sizeof(Known))
    memset(venue.names, 0, venue.names_capacity * sizeof(uint64_t))
    return True


cdef void venue_close(Venue* venue) noexcept nogil:
    state_free(&venue.state)
    block_free(venue.known)
    block_free(venue.names)
    memset(venue, 0, sizeof(Venue))


cdef void venue_grow(Venue* venue, uint64_t identifier) noexcept nogil:
    cdef uint64_t ids = venue.known_capacity
    cdef uint64_t names = venue.names_capacity
    while ids <= identifier and identifier < IDS_MAX:
        ids *= 2
    while names <= venue.state.seq + 1 and names < SEQ_MAX:
        names *= 2
    if venue.state.seq + 1 >= SEQ_MAX or not _reserve(venue, ids, names):
        _give_up("out of memory, or of room for commands: start a new run")


cdef bint _reserve(Venue* venue, uint64_t ids, uint64_t names) noexcept nogil:
    cdef void* known = block_grow(venue.known, ids * sizeof(Known))
    if known == NULL:
        return False
    venue.known = <Known*>known
    venue.known_capacity = ids
    cdef void* grown = block_grow(venue.names, names * sizeof(uint64_t))
    if grown == NULL:
        return False
    venue.names = <uint64_t*>grown
    venue.names_capacity = names
    return True


cdef void _list_assets(Venue* venue) noexcept nogil:
    cdef AssetCommand* asset = <AssetCommand*>&venue.command
    cdef InstrumentCommand* instrument = <InstrumentCommand*>&venue.command
    asset.asset, asset.scale, asset.text[0] = QUOTE, 8, c"Q"
    _configure(venue, ASSET, CONFIGURED)
    asset.asset, asset.scale, asset.text[0] = BASE, 8, c"B"
    _configure(venue, ASSET, CONFIGURED)
    instrument.instrument, instrument.base_asset, instrument.quote_asset = INSTRUMENT_ID, BASE, QUOTE
    instrument.lot_value = instrument.tick_value = instrument.min_lots = 1
    instrument.max_lots, instrument.max_ticks, instrument.text[0] = INT64_MAX, MAX_TICKS, c"I"
    instrument.maker_fee_ppm, instrument.taker_fee_ppm = MAKER_FEE_PPM, TAKER_FEE_PPM
    _configure(venue, INSTRUMENT, CONFIGURED)


cdef void _fund(Venue* venue, uint32_t account) noexcept nogil:
    cdef AccountCommand* member = <AccountCommand*>&venue.command
    cdef uint32_t asset
    member.account = account
    _configure(venue, ACCOUNT, CONFIGURED)
    for asset in range(QUOTE, BASE + 1):
        venue.command.account = account
        venue.command.instrument = asset
        venue.command.amount = INT64_MAX // ACCOUNTS
        _configure(venue, CREDIT, MONEY)


cdef void _configure(Venue* venue, int kind, int expected) noexcept nogil:
    """Applies the command and clears it for the next."""
    venue.command.kind = kind
    venue.command.seq = venue.state.seq + 1
    if (apply_commands(&venue.state, <char*>&venue.command, 1) != 1
            or venue.state.events.items[0].kind != expected):
        _give_up("the core refused its opening commands")
    memset(&venue.command, 0, sizeof(Command))


cdef void _give_up(const char* why) noexcept nogil:
    fprintf(stderr, "buttonwood referee: %s\n", why)
    abort()
