"""Commands on their way to the sequencer: a growing buffer of 128-byte records, written field by field without numpy.

Only shapes are checked here (types, lengths); whether a command makes sense is the core's to say, with an event.
Arguments are Py_ssize_t because Cython reads those through __index__: a float is refused, not cut off.
"""
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_FillInfo, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport INT64_MAX, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from engine.core.digest cimport DIGEST_VERSION
from engine.core.memory cimport block_free, block_grow
from engine.core.state cimport MAX_TICKS
from engine.core.types cimport (
    ACCOUNT, ACCOUNT_TIER, ASSET, AUCTION_COMMAND, BUST, CANCEL, CANCEL_ALL, CANCEL_LIST, CHECKPOINT, CREDIT, DEBIT,
    FEES, INSTRUMENT, INSTRUMENT_LIMITS, KILL_COMMAND, MASS_CANCEL_COMMAND, ONCE, PLACE, PLACE_LIST, PROTECTION,
    REDUCE, REMEMBER, REPLACE, TEXT_BYTES, TICK, TIMER_COMMAND, AccountCommand, AssetCommand, Command, ControlCommand,
    InstrumentCommand, LimitsCommand)

__all__ = ["Batch"]

cdef Py_ssize_t BYTE_MAX = 0xFF
cdef Py_ssize_t ID_MAX = 0xFFFFFFFF
cdef Py_ssize_t BPS_MAX = 0xFFFF


cdef class Batch:
    """A list of commands that exports its bytes; len() is their number. Methods return the command's index.

    BufferError: a command was added while somebody holds a view, as for a bytearray.
    """
    def __cinit__(self, Py_ssize_t capacity=16):
        if capacity < 1:
            raise ValueError(f"capacity {capacity}: use at least 1")
        self._resize(capacity)

    def __dealloc__(self):
        block_free(self.items)

    def __len__(self):
        return self.count

    def __getbuffer__(self, Py_buffer* view, int flags):
        PyBuffer_FillInfo(view, self, self.items, self.count * sizeof(Command), 1, flags)
        self.views += 1

    def __releasebuffer__(self, Py_buffer* view):
        self.views -= 1

    def place(self, Py_ssize_t account, Py_ssize_t instrument, Py_ssize_t side, Py_ssize_t order_type,
              Py_ssize_t time_in_force, Py_ssize_t price_ticks, Py_ssize_t qty_lots, Py_ssize_t amount=0, text=b"",
              Py_ssize_t stp=0, *, Py_ssize_t trigger_ticks=0, Py_ssize_t session=0, Py_ssize_t expires_ns=0,
              Py_ssize_t trailing_bps=0, Py_ssize_t display_lots=0, bint once=False):
        """A new order. price_ticks is 0 for MARKET; amount is the quote to spend or receive, with qty_lots 0.

        trigger_ticks is the stop price of STOP_LOSS, TAKE_PROFIT and their _LIMIT; session: which of the account's
        sessions places it, 0 none; expires_ns: when a GTD order ends; trailing_bps: how far, in 1/10,000, a trailing
        stop follows the price, from trigger_ticks on or from now; display_lots: what an iceberg shows, 0 all; once: the
        client order id may place one order only, also after that has ended (engine.core.once).
        """
        _check(BYTE_MAX, side, order_type, time_in_force)
        _check(BYTE_MAX, stp)
        _check(ID_MAX, session)
        _check(BPS_MAX, trailing_bps)
        cdef Command* command = self._order(PLACE, account, instrument, text)
        command.side = <uint8_t>side
        command.order_type = <uint8_t>order_type
        command.time_in_force = <uint8_t>time_in_force
        command.price_ticks = price_ticks
        command.qty_lots = qty_lots
        command.amount = amount
        command.stp = <uint8_t>stp
        command.trigger_ticks = trigger_ticks
        command.slot = <uint32_t>session
        command.expires_ns = expires_ns
        command.trailing_bps = <uint16_t>trailing_bps
        command.display_lots = display_lots
        command.mode = ONCE if once else 0
        return self.count - 1

    def cancel(self, Py_ssize_t account, Py_ssize_t instrument, Py_ssize_t order_id=0, Py_ssize_t slot=0, text=b""):
        """Cancels by (order_id, slot), or by client order id when order_id is 0."""
        self._target(CANCEL, account, instrument, order_id, slot, text)
        return self.count - 1

    def reduce(self, Py_ssize_t account, Py_ssize_t instrument, Py_ssize_t qty_lots, Py_ssize_t order_id=0,
               Py_ssize_t slot=0, text=b""):
        """Lowers an order's total quantity, executed part included, to qty_lots; it keeps its place in the queue."""
        cdef Command* command = self._target(REDUCE, account, instrument, order_id, slot, text)
        command.qty_lots = qty_lots
        return self.count - 1

    def replace(self, Py_ssize_t account, Py_ssize_t instrument, Py_ssize_t side, Py_ssize_t order_type,
                Py_ssize_t time_in_force, Py_ssize_t price_ticks, Py_ssize_t qty_lots, Py_ssize_t amount=0, text=b"",
                Py_ssize_t stp=0, *, Py_ssize_t order_id=0, Py_ssize_t slot=0, Py_ssize_t mode=0,
                Py_ssize_t trigger_ticks=0, Py_ssize_t expires_ns=0, Py_ssize_t trailing_bps=0,
                Py_ssize_t display_lots=0, bint once=False):
        """Cancels (order_id, slot) and places a new order of those terms; text is the new client order id.

        With order_id 0, text names the order to cancel and the new one as well. mode is a ReplaceMode; once as of
        place, with an order_id only.
        """
        _check(ID_MAX, slot)
        _check(INT64_MAX, order_id)
        _check(BYTE_MAX, mode)
        cdef Py_ssize_t index = self.place(
            account, instrument, side, order_type, time_in_force, price_ticks, qty_lots, amount, text, stp,
            trigger_ticks=trigger_ticks, expires_ns=expires_ns, trailing_bps=trailing_bps, display_lots=display_lots,
            once=once)
        cdef Command* command = &self.items[index]
        command.kind = REPLACE
        command.order_id = <uint64_t>order_id
        command.slot = <uint32_t>slot
        command.mode |= <uint8_t>mode
        return index

    def cancel_all(self, Py_ssize_t account, Py_ssize_t instrument=0):
        """Cancels all open orders of an account; instrument 0 means in all instruments."""
        self._order(CANCEL_ALL, account, instrument, b"")
        return self.count - 1

    def place_list(self, Py_ssize_t account, Py_ssize_t instrument, Py_ssize_t list_type, text=b""):
        """An order list of that ListType: the next two (OTOCO: three) commands must be `place` of its legs.

        text is the list's client id. OTO, OTOCO: the working order first.
        """
        _check(BYTE_MAX, list_type)
        cdef Command* command = self._order(PLACE_LIST, account, instrument, text)
        command.mode = <uint8_t>list_type
        return self.count - 1

    def cancel_list(self, Py_ssize_t account, Py_ssize_t instrument, Py_ssize_t list_id=0, Py_ssize_t place=0,
                    text=b""):
        """Cancels a list's open legs, by (list_id, place) of its LIST event, or by its client id when list_id is 0."""
        self._target(CANCEL_LIST, account, instrument, list_id, place, text)
        return self.count - 1

    def asset(self, Py_ssize_t asset, Py_ssize_t scale, code):
        """Defines an asset: 10**scale minor units make one."""
        _check(ID_MAX, asset)
        _check(BYTE_MAX, scale)
        cdef AssetCommand* command = <AssetCommand*>self._add(ASSET, code)
        command.asset = <uint32_t>asset
        command.scale = <uint8_t>scale
        return self.count - 1

    def instrument(self, Py_ssize_t instrument, *, text, Py_ssize_t base_asset, Py_ssize_t quote_asset,
                   Py_ssize_t lot_value, Py_ssize_t tick_value, Py_ssize_t min_lots=1, Py_ssize_t max_lots=MAX_TICKS,
                   Py_ssize_t max_ticks=MAX_TICKS, Py_ssize_t min_notional=0, Py_ssize_t maker_fee_ppm=0,
                   Py_ssize_t taker_fee_ppm=0, Py_ssize_t status=0):
        """Defines an instrument, or changes its limits, fees or status. Units as in types.pxd."""
        _check(ID_MAX, instrument, base_asset, quote_asset)
        _check(BYTE_MAX, status)
        _check_int32(maker_fee_ppm)
        _check_int32(taker_fee_ppm)
        cdef InstrumentCommand* command = <InstrumentCommand*>self._add(INSTRUMENT, text)
        command.instrument = <uint32_t>instrument
        command.base_asset = <uint32_t>base_asset
        command.quote_asset = <uint32_t>quote_asset
        command.lot_value = lot_value
        command.tick_value = tick_value
        command.min_lots = min_lots
        command.max_lots = max_lots
        command.max_ticks = max_ticks
        command.min_notional = min_notional
        command.maker_fee_ppm = <int32_t>maker_fee_ppm
        command.taker_fee_ppm = <int32_t>taker_fee_ppm
        command.status = <uint8_t>status
        return self.count - 1

    def limits(self, Py_ssize_t instrument, *, Py_ssize_t max_notional=0, Py_ssize_t reference_ticks=0,
               Py_ssize_t band_up_ppm=0, Py_ssize_t band_down_ppm=0, Py_ssize_t orders_max=0):
        """Replaces all limits of an instrument; 0 switches one off. Units as in types.pxd."""
        _check(ID_MAX, instrument, orders_max)
        _check(ID_MAX, band_up_ppm, band_down_ppm)
        cdef LimitsCommand* command = <LimitsCommand*>self._add(INSTRUMENT_LIMITS, b"")
        command.instrument = <uint32_t>instrument
        command.max_notional = max_notional
        command.reference_ticks = reference_ticks
        command.band_up_ppm = <uint32_t>band_up_ppm
        command.band_down_ppm = <uint32_t>band_down_ppm
        command.orders_max = <uint32_t>orders_max
        return self.count - 1

    def account(self, Py_ssize_t account, Py_ssize_t status=0, label=b"", Py_ssize_t trade_group=0):
        """Opens an account or changes its status and trade group: both are as this command says, 0 is no group."""
        _check(ID_MAX, account, trade_group)
        _check(BYTE_MAX, status)
        cdef AccountCommand* command = <AccountCommand*>self._add(ACCOUNT, label)
        command.account = <uint32_t>account
        command.status = <uint8_t>status
        command.trade_group = <uint32_t>trade_group
        return self.count - 1

    def fees(self, Py_ssize_t instrument, Py_ssize_t tier, *, Py_ssize_t maker_fee_ppm=0, Py_ssize_t taker_fee_ppm=0,
             bint clear=False):
        """What a tier of accounts pays in an instrument, below 0 for a rebate; clear: as if never said."""
        _check(ID_MAX, instrument)
        _check(BYTE_MAX, tier)
        _check_int32(maker_fee_ppm)
        _check_int32(taker_fee_ppm)
        cdef ControlCommand* command = self._control(FEES, 0, instrument)
        command.tier = <uint8_t>tier
        command.maker_fee_ppm = <int32_t>maker_fee_ppm
        command.taker_fee_ppm = <int32_t>taker_fee_ppm
        command.mode = clear
        return self.count - 1

    def tick(self):
        """Ends what has expired by the time this command is stamped with."""
        self._control(TICK, 0, 0)
        return self.count - 1

    def timer(self, Py_ssize_t account, Py_ssize_t countdown_ns, *, Py_ssize_t session=0, Py_ssize_t instrument=0):
        """Cancels orders of the account (of that session, in that instrument) after this time; 0: no longer."""
        _check(ID_MAX, session)
        cdef ControlCommand* command = self._control(TIMER_COMMAND, account, instrument)
        command.session = <uint32_t>session
        command.countdown_ns = countdown_ns
        return self.count - 1

    def mass_cancel(self, Py_ssize_t account=0, Py_ssize_t instrument=0, Py_ssize_t session=0, bint disconnected=False):
        """Cancels all open orders of an account, an account's session, an instrument, or of an account in it."""
        _check(ID_MAX, session)
        cdef ControlCommand* command = self._control(MASS_CANCEL_COMMAND, account, instrument)
        command.session = <uint32_t>session
        command.mode = disconnected
        return self.count - 1

    def kill(self, Py_ssize_t account=0, Py_ssize_t instrument=0, *, bint on=True, bint cancel=False):
        """Refuses new orders of an account, in an instrument, or all; cancel: ends the open ones as well."""
        cdef ControlCommand* command = self._control(KILL_COMMAND, account, instrument)
        command.mode = on
        command.status = cancel
        return self.count - 1

    def auction(self, Py_ssize_t instrument, Py_ssize_t step, *, Py_ssize_t status=0, Py_ssize_t reference_ticks=0):
        """An AuctionStep; status: the InstrumentStatus after an uncross; reference_ticks 0: the last trade's price."""
        _check(BYTE_MAX, step, status)
        cdef ControlCommand* command = self._control(AUCTION_COMMAND, 0, instrument)
        command.mode = <uint8_t>step
        command.status = <uint8_t>status
        command.reference_ticks = reference_ticks
        return self.count - 1

    def bust(self, trade):
        """Takes a trade back: the 128 bytes of its TRADE event, as the journal's replay gives them."""
        cdef const unsigned char[::1] event = trade
        if event.shape[0] != sizeof(Command):
            raise ValueError(f"an event has {sizeof(Command)} bytes, this one {event.shape[0]}")
        self._room(1)
        memcpy(&self.items[self.count], &event[0], sizeof(Command))
        self.items[self.count].kind = BUST
        self.items[self.count].slot = 0
        self.count += 1
        return self.count - 1

    def protection(self, Py_ssize_t instrument, *, Py_ssize_t slippage_ppm=0, Py_ssize_t stops_max=0,
                   Py_ssize_t day_end_s=0):
        """Replaces all of an instrument's; day_end_s: second of the UTC day at which DAY orders end."""
        _check(ID_MAX, slippage_ppm, stops_max, day_end_s)
        cdef ControlCommand* command = self._control(PROTECTION, 0, instrument)
        command.slippage_ppm = <uint32_t>slippage_ppm
        command.stops_max = <uint32_t>stops_max
        command.day_end_s = <uint32_t>day_end_s
        return self.count - 1

    def remember(self, Py_ssize_t count):
        """So many client order ids of orders with `once` are remembered from now on; 0: such orders are refused."""
        _check(ID_MAX, count)
        self._control(REMEMBER, 0, 0).remembered = <uint64_t>count
        return self.count - 1

    def account_tier(self, Py_ssize_t account, Py_ssize_t tier):
        """Which fee schedules count for an account."""
        _check(BYTE_MAX, tier)
        self._control(ACCOUNT_TIER, account, 0).tier = <uint8_t>tier
        return self.count - 1

    def credit(self, Py_ssize_t account, Py_ssize_t asset, Py_ssize_t amount, reference=b"", *, bint linked=False,
            Py_ssize_t to_account=0, Py_ssize_t until_ns=0):
        """Brings minor units of an asset in from outside. linked: a refusal takes the next one with it."""
        cdef Command* command = self._order(CREDIT, account, asset, reference)
        command.amount, command.mode = amount, linked
        command.price_ticks, command.qty_lots = to_account, until_ns
        return self.count - 1

    def debit(self, Py_ssize_t account, Py_ssize_t asset, Py_ssize_t amount, reference=b"", *, bint linked=False,
            Py_ssize_t to_account=0, Py_ssize_t until_ns=0):
        """Takes available minor units of an asset out. linked: a refusal takes the next one with it."""
        cdef Command* command = self._order(DEBIT, account, asset, reference)
        command.amount, command.mode = amount, linked
        command.price_ticks, command.qty_lots = to_account, until_ns
        return self.count - 1

    def checkpoint(self, Py_ssize_t of_seq=0, state_hash=0):
        """Without arguments a mark; else what the state's hash was right after the mark with that number."""
        _check(INT64_MAX, of_seq)
        cdef Command* command = self._add(CHECKPOINT, b"")
        command.order_id = <uint64_t>of_seq
        command.qty_lots = DIGEST_VERSION if of_seq else 0
        command.amount = <int64_t><uint64_t>state_hash
        return self.count - 1

    def extend(self, commands):
        """Appends the commands of a buffer; ValueError if its length is not a multiple of 128."""
        cdef Py_buffer view
        cdef Py_ssize_t added
        PyObject_GetBuffer(commands, &view, PyBUF_SIMPLE)
        try:
            if view.len % sizeof(Command):
                raise ValueError(f"{view.len} bytes of commands: not a multiple of {sizeof(Command)}")
            added = view.len // sizeof(Command)
            self._room(added)
            memcpy(self.items + self.count, view.buf, view.len)
            self.count += added
        finally:
            PyBuffer_Release(&view)

    def clear(self):
        """Empties the batch and keeps its memory."""
        self._room(0)
        self.count = 0

    def stamp(self, uint64_t first_seq, int64_t time_ns):
        """Numbers the commands from first_seq on and gives all of them the same time."""
        cdef Py_ssize_t position
        for position in range(self.count):
            self.items[position].seq = first_seq + <uint64_t>position
            self.items[position].time_ns = time_ns

    cdef Command* _add(self, uint8_t kind, text) except NULL:
        """A zeroed command with its kind and text at the end of the batch."""
        cdef bytes data = text.encode("ascii") if isinstance(text, str) else text
        if len(data) > TEXT_BYTES:
            raise ValueError(f"text of {len(data)} bytes: at most {TEXT_BYTES}")
        self._room(1)
        cdef Command* command = &self.items[self.count]
        memset(command, 0, sizeof(Command))
        memcpy(command.text, <char*>data, len(data))
        command.kind = kind
        self.count += 1
        return command

    cdef Command* _order(self, uint8_t kind, Py_ssize_t account, Py_ssize_t instrument, text) except NULL:
        _check(ID_MAX, account, instrument)
        cdef Command* command = self._add(kind, text)
        command.account = <uint32_t>account
        command.instrument = <uint32_t>instrument
        return command

    cdef ControlCommand* _control(self, uint8_t kind, Py_ssize_t account, Py_ssize_t instrument) except NULL:
        return <ControlCommand*>self._order(kind, account, instrument, b"")

    cdef Command* _target(
        self, uint8_t kind, Py_ssize_t account, Py_ssize_t instrument, Py_ssize_t order_id, Py_ssize_t slot, text
    ) except NULL:
        _check(ID_MAX, slot)
        _check(INT64_MAX, order_id)
        cdef Command* command = self._order(kind, account, instrument, text)
        command.order_id = <uint64_t>order_id
        command.slot = <uint32_t>slot
        return command

    cdef int _room(self, Py_ssize_t added) except -1:
        if self.views != 0:
            raise BufferError("the batch cannot change while a view of it exists")
        if self.count + added > self.capacity:
            self._resize(max(self.count + added, self.capacity * 2))
        return 0

    cdef int _resize(self, Py_ssize_t capacity) except -1:
        cdef void* items = block_grow(self.items, <size_t>capacity * sizeof(Command))
        if items == NULL:
            raise MemoryError(f"no memory for {capacity} commands")
        self.items = <Command*>items
        self.capacity = capacity
        return 0


cdef int _check(Py_ssize_t limit, Py_ssize_t first, Py_ssize_t second=0, Py_ssize_t third=0) except -1:
    if not (0 <= first <= limit and 0 <= second <= limit and 0 <= third <= limit):
        raise OverflowError(f"{first}, {second} or {third} is outside 0..{limit}")
    return 0


cdef int _check_int32(Py_ssize_t value) except -1:
    if value != <int32_t>value:
        raise OverflowError(f"{value} is outside int32")
    return 0
