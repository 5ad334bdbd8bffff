"""The exchange as Python sees it: commands in, events out, and questions about the state in between.

Promises: the state is a pure function of the commands; apply() costs O(1) Python work however many commands it carries.
Not thread-safe, and the GIL is kept: a batch is over sooner than handing the GIL on and getting it back would take.
"""
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from engine.core.auction cimport Crossing, crossing
from engine.core.audit cimport audit
from engine.core.clients cimport client_find, client_hash
from engine.core.deadlines cimport deadline_first
from engine.core.digest cimport DIGEST_VERSION as _DIGEST_VERSION
from engine.core.digest cimport state_digest
from engine.core.dispatch cimport apply_commands
from engine.core.events cimport EventBuffer
from engine.core.fees cimport TIERS
from engine.core.limits cimport reference_price
from engine.core.once cimport once_find
from engine.core.sizing cimport Sizes, size_state
from engine.core.snapshot cimport snapshot_dump, snapshot_load
from engine.core.state cimport (
    ACCOUNT_MAX, INSTRUMENT_MAX, Book, FeeRow, Limits, State, Top, account_known, book_known, state_free, state_init)
from engine.core.tags cimport expires_of
from engine.core.tops cimport book_top
from engine.core.types cimport TEXT_BYTES, Command
from engine.core.views cimport (
    view_account_wallets, view_all_orders, view_assets, view_depth, view_instruments, view_level, view_open_orders,
    view_order, view_order_lists, view_queue, view_timers, view_unseen, view_wallets)
from engine.core.wallets cimport wallet_find, wallet_key

__all__ = ["Exchange", "StateDiffers"]

DIGEST_VERSION = _DIGEST_VERSION
ORDERS_MAX = 1 << 26  # open orders of one exchange; a rule of the game, the same on every replica


class StateDiffers(Exception):
    """A CHECKPOINT says another hash of the state than was found here: this exchange and its author are not equal."""


cdef class Exchange:
    """Books, wallets and settings of one exchange. The arguments are starting capacities; all but orders_max grow."""
    cdef State state
    cdef EventBuffer buffer

    def __cinit__(self, *, size_t orders=1024, size_t wallets=1024, size_t accounts=64, size_t leaves=64,
                  size_t events=1024, bint top_events=False, uint32_t orders_max=ORDERS_MAX):
        memset(&self.state, 0, sizeof(State))
        if max(orders, wallets, accounts, leaves, events) >= 1 << 31:
            raise MemoryError("a starting capacity is 2**31 or more")
        if not state_init(&self.state, orders, wallets, accounts, leaves, events, orders_max):
            raise MemoryError("no memory for the starting capacities")
        self.state.top_events = top_events
        self.buffer = EventBuffer.adopt(&self.state.events)

    def __dealloc__(self):
        state_free(&self.state)

    def reserve(self, *, uint32_t orders=0, uint32_t wallets=0, uint32_t accounts=0, uint32_t instruments=0,
                uint32_t leaves=0, uint32_t events=0):
        """Makes room for so much in all and touches it, so that no command waits for memory until there is more.

        Also in an exchange that is in use; 0 leaves a table as it is. Account and instrument numbers are meant: 1000
        is room for those up to 1000. leaves: ranges of 64 prices in which orders stand; events: of one apply().
        MemoryError: there is not enough, or a number is impossible; the exchange is as good as before. O(room).
        """
        cdef Sizes sizes
        if orders > self.state.pool.open_max or accounts > ACCOUNT_MAX or instruments > INSTRUMENT_MAX:
            raise MemoryError(f"room for {orders} orders, {accounts} accounts, {instruments} instruments: at most "
                              f"{self.state.pool.open_max}, {<int>ACCOUNT_MAX}, {<int>INSTRUMENT_MAX}")
        sizes.orders, sizes.wallets, sizes.accounts = orders, wallets, accounts
        sizes.instruments, sizes.leaves, sizes.events = instruments, leaves, events
        if not size_state(&self.state, &sizes):
            raise MemoryError("no memory for what is expected: lower the numbers under [core]")
        if self.state.events.items != self.buffer.items:
            self.buffer = EventBuffer.adopt(&self.state.events)
            self.buffer.count = self.state.events.count

    def apply(self, commands):
        """Applies commands (a buffer of 128 bytes each) in order and returns the buffer of their events.

        The view is read-only and its content is overwritten by the next apply(). ValueError: a bad length, or a command
        whose seq is not self.seq + 1; the commands before it stay applied. MemoryError: the exchange is lost, replay.
        StateDiffers: as it says, if marks_max is set; the exchange cannot be trusted any more.
        """
        cdef Py_buffer view
        cdef uint64_t applied, count
        if self.state.failed:
            raise MemoryError("an earlier apply() ran out of memory, or load() failed; rebuild the exchange by replay")
        try:
            PyObject_GetBuffer(commands, &view, PyBUF_SIMPLE)
        except BufferError as error:
            raise ValueError("commands must be one contiguous buffer") from error
        count = view.len // sizeof(Command)
        try:
            if view.len % sizeof(Command):
                raise ValueError(f"{view.len} bytes of commands: not a multiple of {sizeof(Command)}")
            applied = apply_commands(&self.state, <char*>view.buf, count)
            if applied != count:
                self._explain(<char*>view.buf + applied * sizeof(Command))
        finally:
            PyBuffer_Release(&view)
            if self.state.events.items != self.buffer.items:
                self.buffer = EventBuffer.adopt(&self.state.events)
        self.buffer.count = self.state.events.count
        self._check_mark()
        return memoryview(self.buffer)

    def apply_one(self, bytes command not None):
        """apply() for one command, for callers in a hurry: returns how many events it caused, events() shows them."""
        if len(command) != sizeof(Command) or self.state.failed:
            return len(self.apply(command)) // sizeof(Command)  # says what is wrong
        if apply_commands(&self.state, PyBytes_AS_STRING(command), 1) != 1:
            self._explain(PyBytes_AS_STRING(command))
        if self.state.events.items != self.buffer.items:
            self.buffer = EventBuffer.adopt(&self.state.events)
        self.buffer.count = self.state.events.count
        if self.state.mark.refuted:
            self._check_mark()
        return self.buffer.count

    def events(self):
        """The events of the last apply() or apply_one() that raised nothing, as apply() returns them."""
        return memoryview(self.buffer)

    cdef int _check_mark(self) except -1:
        if self.state.mark.refuted:
            raise StateDiffers(f"after command {self.state.mark.seq} the hash of the state was "
                               f"{self.state.mark.hash:016x} here, a checkpoint says {self.state.mark.told:016x}")
        return 0

    cdef _explain(self, const char* data):
        cdef Command command
        if self.state.failed:
            raise MemoryError("out of memory while applying; rebuild the exchange by replay")
        memcpy(&command, data, sizeof(Command))
        raise ValueError(f"command with seq {command.seq}, expected {self.state.seq + 1}")

    @property
    def seq(self):
        """Sequence number of the last command applied."""
        return self.state.seq

    @property
    def time_ns(self):
        """Time of the last command applied."""
        return self.state.time_ns

    def balance(self, uint32_t account, uint32_t asset):
        """(available, held) in minor units."""
        cdef uint32_t index = wallet_find(&self.state.wallets, wallet_key(account, asset))
        return self.state.wallets.items[index].available, self.state.wallets.items[index].held

    def wallets(self):
        """WALLET records of every wallet that money ever touched, ordered by account and asset."""
        return view_wallets(&self.state)

    def account_wallets(self, uint32_t account):
        """[(asset, available, held)] of one account, ordered by asset."""
        return view_account_wallets(&self.state, account)

    def depth(self, uint32_t instrument, int side, int64_t limit):
        """[(price_ticks, qty_lots)] of at most limit levels, best first."""
        return view_depth(&self.state, instrument, _side(side), limit)

    def queue(self, uint32_t instrument, int side, int64_t limit):
        """[(price_ticks, shown_lots, order_id)] of at most limit orders in the order in which they would trade."""
        return view_queue(&self.state, instrument, _side(side), limit)

    def unseen(self, uint32_t instrument):
        """[(order_id, side, price_ticks, display_lots, shown_lots)] of icebergs and, with 0 shown, of orders that wait.

        O(open orders of the exchange).
        """
        return view_unseen(&self.state, instrument)

    def level(self, uint32_t instrument, int side, int64_t price_ticks):
        """Open quantity at a price, 0 if none."""
        return view_level(&self.state, instrument, _side(side), price_ticks)

    def top(self, uint32_t instrument):
        """(bid_ticks, bid_lots, ask_ticks, ask_lots); 0 where a side is empty."""
        if not book_known(&self.state, instrument):
            return 0, 0, 0, 0
        cdef Top top = book_top(&self.state, &self.state.books[instrument])
        return top.bid_ticks, top.bid_lots, top.ask_ticks, top.ask_lots

    def update_id(self, uint32_t instrument):
        """Changes of a level's quantity so far in this book."""
        return self.state.books[instrument].update_id if book_known(&self.state, instrument) else 0

    def last_trade_id(self, uint32_t instrument):
        """Trades so far in this book."""
        return self.state.books[instrument].trade_id if book_known(&self.state, instrument) else 0

    def order(self, uint64_t order_id, uint32_t slot):
        """ORDER record of an open order, or None."""
        if order_id == 0 or slot >= self.state.pool.fresh or self.state.pool.nodes[slot].order_id != order_id:
            return None
        return view_order(&self.state, slot)

    def find(self, uint32_t account, bytes text not None):
        """(order_id, slot) of the open order with that client order id, (0, 0) if there is none."""
        cdef char[36] padded
        cdef uint32_t slot
        if not 0 < len(text) <= TEXT_BYTES:
            return 0, 0
        memset(padded, 0, TEXT_BYTES)
        memcpy(padded, <char*>text, len(text))
        slot = client_find(&self.state.clients, &self.state.pool, account, padded, client_hash(account, padded))
        return self.state.pool.nodes[slot].order_id, slot  # the sink's order_id is 0

    def open_orders(self, uint32_t account, uint32_t instrument=0):
        """ORDER records in order of order_id; instrument 0 means all."""
        return view_open_orders(&self.state, account, instrument)

    def assets(self):
        """[(asset, code, scale)] in order of id."""
        return view_assets(&self.state)

    def instruments(self):
        """INSTRUMENT_COMMAND records as last configured, in order of id."""
        return view_instruments(&self.state)

    def account_status(self, uint32_t account):
        """The AccountStatus, -1 if the account is unknown."""
        return self.state.accounts[account].status if account_known(&self.state, account) else -1

    def limits(self, uint32_t instrument):
        """(max_notional, reference_ticks, band_up_ppm, band_down_ppm, orders_max) as set; 0 where off."""
        if not book_known(&self.state, instrument):
            return 0, 0, 0, 0, 0
        cdef Limits* limits = &self.state.books[instrument].limits
        return (limits.max_notional, limits.reference_ticks, limits.band_up_ppm, limits.band_down_ppm,
                limits.orders_max)

    def last_price(self, uint32_t instrument):
        """Price of the last trade in ticks, 0 if there was none."""
        return self.state.books[instrument].last_ticks if book_known(&self.state, instrument) else 0

    def trade_group(self, uint32_t account):
        """The account's trade group, 0 if it has none or is unknown."""
        return self.state.accounts[account].trade_group if account_known(&self.state, account) else 0

    @property
    def next_deadline_ns(self):
        """When the next order or timer ends: a TICK at that time or later has something to do. 0: none ends. O(1)."""
        cdef uint32_t handle = deadline_first(&self.state.deadlines)
        return self.state.deadlines.items[handle].time_ns if handle != 0 else 0

    def expires_ns(self, uint64_t order_id, uint32_t slot):
        """When an open order ends by itself, 0 if it does not or is not open."""
        return expires_of(&self.state, slot) if self.order(order_id, slot) is not None else 0

    def timers(self, uint32_t account):
        """[(session, instrument, ends_ns)] of the account's dead man's timers, in that order."""
        return view_timers(&self.state, account)

    def killed(self, uint32_t account=0, uint32_t instrument=0):
        """Whether the kill switch of the account, of the instrument, or with neither that of everybody is on."""
        if account != 0:
            return account_known(&self.state, account) and self.state.accounts[account].killed != 0
        if instrument != 0:
            return book_known(&self.state, instrument) and self.state.books[instrument].killed != 0
        return self.state.killed != 0

    @property
    def remembered_max(self):
        """How many client order ids of orders with `once` are remembered, as REMEMBER set it."""
        return self.state.placed_ids.max

    @property
    def remembered_count(self):
        """How many are."""
        return self.state.placed_ids.count

    def remembered(self, uint32_t account, bytes text not None):
        """order_id of the order that was placed under that client order id with `once`, 0 if none is remembered."""
        cdef char[36] padded
        if not 0 < len(text) <= TEXT_BYTES:
            return 0
        memset(padded, 0, TEXT_BYTES)
        memcpy(padded, <char*>text, len(text))
        return once_find(&self.state, account, padded)

    def protection(self, uint32_t instrument):
        """(slippage_ppm, stops_max, day_end_s) as PROTECTION set them."""
        if not book_known(&self.state, instrument):
            return 0, 0, 0
        cdef Book* book = &self.state.books[instrument]
        return book.slippage_ppm, book.stops_max, book.day_end_s

    def indicative(self, uint32_t instrument):
        """(price_ticks, lots, surplus_lots, side of the surplus) if an auction ended now; 0 while nothing crosses."""
        if not book_known(&self.state, instrument):
            return 0, 0, 0, 0
        cdef Book* book = &self.state.books[instrument]
        cdef Crossing found = crossing(&self.state, book, reference_price(book))
        return found.price_ticks, found.lots, found.surplus_lots, found.side

    def tier(self, uint32_t account):
        """The account's fee tier."""
        return self.state.accounts[account].tier if account_known(&self.state, account) else 0

    def fees(self, uint32_t instrument, uint32_t tier=0):
        """(maker_fee_ppm, taker_fee_ppm) that accounts of a tier pay; below 0 is a rebate."""
        if not book_known(&self.state, instrument) or tier >= TIERS:
            return 0, 0
        cdef Book* book = &self.state.books[instrument]
        if book.fee_rows == 0:
            return book.maker_fee_ppm, book.taker_fee_ppm
        cdef FeeRow* row = &self.state.fees[book.fee_rows + tier]
        return row.maker_fee_ppm, row.taker_fee_ppm

    def state_hash(self):
        """64-bit hash of the whole state; equal live, after replay and on every replica. O(state), holds no GIL."""
        cdef uint64_t digest = 0
        cdef bint hashed
        with nogil:
            hashed = state_digest(&self.state, &digest)
        if not hashed:
            raise MemoryError("no memory to sort the wallets")
        return digest

    def all_orders(self):
        """A view of ORDER records of every account's open orders, in order of slot; they are a copy."""
        return view_all_orders(&self.state)

    def order_lists(self):
        """ORDER_LIST records of the order lists of which a leg is open, in order of place."""
        return view_order_lists(&self.state)

    @property
    def open_count(self):
        """Open orders of all accounts."""
        return self.state.pool.open

    @property
    def marks_max(self):
        """Open orders and wallets of the largest state that is hashed at a mark, see checkpoint.pxd; 0: none is."""
        return self.state.marks_max

    @marks_max.setter
    def marks_max(self, uint64_t value):
        self.state.marks_max = value

    @property
    def mark(self):
        """(seq, state hash) of the last mark if it was hashed, else (0, 0)."""
        if not self.state.mark.known:
            return 0, 0
        return self.state.mark.seq, self.state.mark.hash

    @property
    def marks_proven(self):
        """How often a CHECKPOINT said the hash that was found here."""
        return self.state.mark.proven

    def set_mark(self, uint64_t state_hash):
        """The last command was a mark with this hash, computed elsewhere: for an exchange that was loaded."""
        self.state.mark.seq, self.state.mark.hash, self.state.mark.known = self.state.seq, state_hash, True

    def dump(self):
        """[(section, version, item_bytes, items)]: all of the state, for load(). O(state)."""
        return snapshot_dump(&self.state)

    def load(self, sections):
        """Fills an exchange nothing was applied to with what dump() gave; items may be any contiguous buffer.

        From then on both answer alike, in slots and ids too. ValueError: written by a newer version, or not sound;
        the exchange is of no use then. O(state).
        """
        if self.state.seq != 0 or self.state.wallets.count != 1 or self.state.failed:
            raise ValueError("load() needs an exchange nothing was applied to")
        try:
            snapshot_load(&self.state, sections)
        except BaseException:
            self.state.failed = True
            raise

    def check(self):
        """Walks every invariant; AssertionError names the first that is broken. O(state)."""
        audit(&self.state)


cdef int _side(int side) except -1:
    if not 0 <= side <= 1:
        raise ValueError(f"side {side}: use 0 (BUY) or 1 (SELL)")
    return side
