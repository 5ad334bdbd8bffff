"""Assets and instruments are told to the state as their commands were; accounts and wallets are copied in."""
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcpy, memset

from engine.core.fees cimport TIERS
from engine.core.mass cimport bar_account, bar_book
from engine.core.purse cimport purse_open
from engine.core.once cimport REMEMBERED_MAX, once_resize
from engine.core.sections cimport AccountItem, AssetItem, BookItem, CountersItem, WalletItem, read_item
from engine.core.settings cimport keep_asset, keep_instrument, keep_limits, watch_book
from engine.core.state cimport (
    ACCOUNT_MAX, ASSET_MAX, INSTRUMENT_MAX, Account, Book, Limits, asset_known, book_known, reserve_account)
from engine.core.tags cimport DAY_S
from engine.core.types cimport InstrumentCommand


cdef bytes dump_counters(State* state):
    cdef CountersItem item
    memset(&item, 0, sizeof(item))
    item.seq, item.time_ns, item.fill_id = state.seq, state.time_ns, state.fill_id
    item.slots, item.orders_max = state.pool.fresh, state.pool.open_max
    item.killed = state.killed
    item.broken_seq = state.broken_seq
    item.remembered = <uint64_t>state.placed_ids.max + 1
    return PyBytes_FromStringAndSize(<char*>&item, sizeof(item))


cdef int load_counters(State* state, const char* data, uint64_t count, size_t item_bytes) except -1:
    cdef CountersItem item
    if count != 1:
        raise ValueError(f"{count} items of counters, expected 1")
    read_item(&item, sizeof(item), data, 0, item_bytes)
    if item.orders_max != state.pool.open_max:
        raise ValueError(f"orders_max is {item.orders_max} in the snapshot and {state.pool.open_max} here")
    state.seq, state.time_ns, state.fill_id = item.seq, item.time_ns, item.fill_id
    state.pool.fresh = item.slots
    state.killed = item.killed != 0
    state.broken_seq = item.broken_seq
    if item.remembered > REMEMBERED_MAX + 1:
        raise ValueError(f"{item.remembered - 1} client order ids to remember, at most {<int>REMEMBERED_MAX} can be")
    if item.remembered != 0 and not once_resize(state, <uint32_t>(item.remembered - 1)):
        raise MemoryError("no memory for the client order ids")
    return 0


cdef bytes dump_assets(State* state):
    cdef list items = []
    cdef AssetItem item
    cdef uint32_t asset
    for asset in range(1, state.assets_capacity):
        if state.assets[asset].known:
            memset(&item, 0, sizeof(item))
            item.asset, item.scale = asset, state.assets[asset].scale
            memcpy(item.text, state.assets[asset].text, sizeof(item.text))
            items.append(PyBytes_FromStringAndSize(<char*>&item, sizeof(item)))
    return b"".join(items)


cdef int load_assets(State* state, const char* data, uint64_t count, size_t item_bytes) except -1:
    cdef AssetItem item
    cdef uint64_t index
    for index in range(count):
        read_item(&item, sizeof(item), data, index, item_bytes)
        if not 0 < item.asset <= ASSET_MAX or item.scale > 18:
            raise ValueError(f"asset {item.asset} of scale {item.scale} cannot exist")
        keep_asset(state, item.asset, <uint8_t>item.scale, item.text)
    return _enough_memory(state)


cdef bytes dump_instruments(State* state):
    cdef list items = []
    cdef uint32_t instrument
    for instrument in range(1, state.books_capacity):
        if state.books[instrument].known:
            items.append(PyBytes_FromStringAndSize(<char*>&state.instruments[instrument], sizeof(InstrumentCommand)))
    return b"".join(items)


cdef int load_instruments(State* state, const char* data, uint64_t count, size_t item_bytes) except -1:
    cdef InstrumentCommand item
    cdef uint64_t index
    for index in range(count):
        read_item(&item, sizeof(item), data, index, item_bytes)
        if not 0 < item.instrument <= INSTRUMENT_MAX or not (
                asset_known(state, item.base_asset) and asset_known(state, item.quote_asset)):
            raise ValueError(f"instrument {item.instrument} of unknown assets")
        keep_instrument(state, &item)
    return _enough_memory(state)


cdef bytes dump_books(State* state):
    cdef list items = []
    cdef BookItem item
    cdef Book* book
    cdef uint32_t instrument
    for instrument in range(1, state.books_capacity):
        book = &state.books[instrument]
        if book.known:
            memset(&item, 0, sizeof(item))
            item.instrument, item.update_id, item.trade_id = instrument, book.update_id, book.trade_id
            item.prevented_id, item.last_ticks = book.prevented_id, book.last_ticks
            item.max_notional, item.reference_ticks = book.limits.max_notional, book.limits.reference_ticks
            item.band_up_ppm, item.band_down_ppm = book.limits.band_up_ppm, book.limits.band_down_ppm
            item.orders_max = book.limits.orders_max
            item.killed, item.day_end_s = book.killed, book.day_end_s
            item.slippage_ppm, item.stops_max = book.slippage_ppm, book.stops_max
            items.append(PyBytes_FromStringAndSize(<char*>&item, sizeof(item)))
    return b"".join(items)


cdef int load_books(State* state, const char* data, uint64_t count, size_t item_bytes) except -1:
    cdef BookItem item
    cdef Limits limits
    cdef Book* book
    cdef uint64_t index
    for index in range(count):
        read_item(&item, sizeof(item), data, index, item_bytes)
        if not book_known(state, item.instrument):
            raise ValueError(f"a book of instrument {item.instrument}, which is unknown")
        book = &state.books[item.instrument]
        book.update_id, book.trade_id, book.prevented_id = item.update_id, item.trade_id, item.prevented_id
        book.last_ticks = item.last_ticks
        limits.max_notional, limits.reference_ticks = item.max_notional, item.reference_ticks
        limits.band_up_ppm, limits.band_down_ppm = item.band_up_ppm, item.band_down_ppm
        limits.orders_max = item.orders_max
        keep_limits(book, &limits)
        book.killed, book.day_end_s = item.killed != 0, item.day_end_s % DAY_S
        book.slippage_ppm, book.stops_max = item.slippage_ppm, item.stops_max
        bar_book(state, item.instrument)
        watch_book(book)
    return 0


cdef bytes dump_accounts(State* state):
    cdef uint32_t account
    cdef uint64_t count = 0
    cdef Account* owner
    cdef AccountItem* item
    for account in range(state.accounts_capacity):
        count += state.accounts[account].known
    cdef bytes items = PyBytes_FromStringAndSize(NULL, count * sizeof(AccountItem))
    item = <AccountItem*>PyBytes_AS_STRING(items)
    for account in range(state.accounts_capacity):
        owner = &state.accounts[account]
        if owner.known:
            memset(item, 0, sizeof(AccountItem))
            item.account, item.status, item.trade_group = account, owner.status, owner.trade_group
            item.first_order, item.last_order = owner.first_order, owner.last_order
            item.open_orders, item.tier, item.killed = owner.open_orders, owner.tier, owner.killed
            item += 1
    return items


cdef int load_accounts(State* state, const char* data, uint64_t count, size_t item_bytes) except -1:
    cdef AccountItem item
    cdef Account* owner
    cdef uint64_t index
    for index in range(count):
        read_item(&item, sizeof(item), data, index, item_bytes)
        if (item.account > ACCOUNT_MAX or item.tier >= TIERS or item.first_order >= state.pool.fresh
                or item.last_order >= state.pool.fresh):
            raise ValueError(f"account {item.account} with orders at slots that do not exist")
        if not reserve_account(state, item.account):
            raise MemoryError("no memory for the accounts")
        owner = &state.accounts[item.account]
        owner.known = True
        owner.status, owner.trade_group, owner.tier = item.status, item.trade_group, item.tier
        owner.killed = item.killed
        bar_account(state, item.account)
        owner.first_order, owner.last_order, owner.open_orders = item.first_order, item.last_order, item.open_orders
    return 0


cdef bytes dump_wallets(State* state):
    cdef bytes items = PyBytes_FromStringAndSize(NULL, (state.wallets.count - 1) * sizeof(WalletItem))
    cdef WalletItem* item = <WalletItem*>PyBytes_AS_STRING(items)
    cdef uint32_t index
    for index in range(1, state.wallets.fresh):
        if state.wallets.keys[index] == 0:
            continue
        item.key, item.available = state.wallets.keys[index], state.wallets.items[index].available
        item.held = state.wallets.items[index].held
        item += 1
    return items


cdef int load_wallets(State* state, const char* data, uint64_t count, size_t item_bytes) except -1:
    cdef WalletItem item
    cdef uint32_t wallet, account
    cdef uint64_t index
    for index in range(count):
        read_item(&item, sizeof(item), data, index, item_bytes)
        account = <uint32_t>(item.key >> 32)
        if account > ACCOUNT_MAX or not 0 < (item.key & 0xFFFFFFFF) <= ASSET_MAX:
            raise ValueError(f"wallet {item.key:x} of an account or asset that cannot exist")
        wallet = purse_open(state, account, <uint32_t>item.key) if reserve_account(state, account) else 0
        if wallet == 0:
            raise MemoryError("no memory for the wallets")
        state.wallets.items[wallet].available, state.wallets.items[wallet].held = item.available, item.held
    return 0


cdef int _enough_memory(State* state) except -1:
    if state.failed:
        raise MemoryError("no memory for the settings")
    return 0
