"""Commands on their way to the sequencer: a growing buffer of 128-byte records, written field by field without numpy.

Only shapes are checked here (types, lengths); whether a command makes sense is the core's to say, with an event.
"""
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_FillInfo, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from engine.core.memory cimport block_free, block_grow
from engine.core.state cimport MAX_TICKS
from engine.core.types cimport (
    ACCOUNT, ASSET, CANCEL, CANCEL_ALL, CREDIT, DEBIT, INSTRUMENT, PLACE, REDUCE, TEXT_BYTES, AccountCommand,
    AssetCommand, Command, InstrumentCommand)

__all__ = ["Batch"]


cdef class Batch:
    """A list of commands that exports its bytes; len() is their number. Methods return the command's index.

    BufferError: a command was added while somebody holds a view, as for a bytearray.
    """
    cdef Command* items
    cdef Py_ssize_t count
    cdef Py_ssize_t capacity
    cdef Py_ssize_t views

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

    def place(self, uint32_t account, uint32_t instrument, uint8_t side, uint8_t order_type, uint8_t time_in_force,
              int64_t price_ticks, int64_t qty_lots, int64_t amount=0, text=b""):
        """A new order. price_ticks is 0 for MARKET; amount is the quote to spend or receive, with qty_lots 0."""
        cdef Command* command = self._add(PLACE, text)
        command.account = account
        command.instrument = instrument
        command.side = side
        command.order_type = order_type
        command.time_in_force = time_in_force
        command.price_ticks = price_ticks
        command.qty_lots = qty_lots
        command.amount = amount
        return self.count - 1

    def cancel(self, uint32_t account, uint32_t instrument, uint64_t order_id=0, uint32_t slot=0, text=b""):
        """Cancels by (order_id, slot), or by client order id when order_id is 0."""
        self._target(CANCEL, account, instrument, order_id, slot, text)
        return self.count - 1

    def reduce(self, uint32_t account, uint32_t instrument, int64_t qty_lots, uint64_t order_id=0, uint32_t slot=0,
               text=b""):
        """Lowers an order's total quantity, executed part included, to qty_lots; it keeps its place in the queue."""
        cdef Command* command = self._target(REDUCE, account, instrument, order_id, slot, text)
        command.qty_lots = qty_lots
        return self.count - 1

    def cancel_all(self, uint32_t account, uint32_t instrument=0):
        """Cancels all open orders of an account; instrument 0 means in all instruments."""
        cdef Command* command = self._add(CANCEL_ALL, b"")
        command.account = account
        command.instrument = instrument
        return self.count - 1

    def asset(self, uint32_t asset, uint8_t scale, code):
        """Defines an asset: 10**scale minor units make one."""
        cdef AssetCommand* command = <AssetCommand*>self._add(ASSET, code)
        command.asset = asset
        command.scale = scale
        return self.count - 1

    def instrument(self, uint32_t instrument, *, text, uint32_t base_asset, uint32_t quote_asset, int64_t lot_value,
                   int64_t tick_value, int64_t min_lots=1, int64_t max_lots=MAX_TICKS, int64_t max_ticks=MAX_TICKS,
                   int64_t min_notional=0, int32_t maker_fee_ppm=0, int32_t taker_fee_ppm=0, uint8_t status=0):
        """Defines an instrument, or changes its limits, fees or status. Units as in types.pxd."""
        cdef InstrumentCommand* command = <InstrumentCommand*>self._add(INSTRUMENT, text)
        command.instrument = instrument
        command.base_asset = base_asset
        command.quote_asset = quote_asset
        command.lot_value = lot_value
        command.tick_value = tick_value
        command.min_lots = min_lots
        command.max_lots = max_lots
        command.max_ticks = max_ticks
        command.min_notional = min_notional
        command.maker_fee_ppm = maker_fee_ppm
        command.taker_fee_ppm = taker_fee_ppm
        command.status = status
        return self.count - 1

    def account(self, uint32_t account, uint8_t status=0, label=b""):
        """Opens an account or changes its status."""
        cdef AccountCommand* command = <AccountCommand*>self._add(ACCOUNT, label)
        command.account = account
        command.status = status
        return self.count - 1

    def credit(self, uint32_t account, uint32_t asset, int64_t amount, reference=b""):
        """Brings minor units of an asset in from outside."""
        self._money(CREDIT, account, asset, amount, reference)
        return self.count - 1

    def debit(self, uint32_t account, uint32_t asset, int64_t amount, reference=b""):
        """Takes available minor units of an asset out."""
        self._money(DEBIT, account, asset, amount, reference)
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

    cdef Command* _target(
        self, uint8_t kind, uint32_t account, uint32_t instrument, uint64_t order_id, uint32_t slot, text
    ) except NULL:
        cdef Command* command = self._add(kind, text)
        command.account = account
        command.instrument = instrument
        command.order_id = order_id
        command.slot = slot
        return command

    cdef int _money(self, uint8_t kind, uint32_t account, uint32_t asset, int64_t amount, reference) except -1:
        cdef Command* command = self._add(kind, reference)
        command.account = account
        command.instrument = asset
        command.amount = amount
        return 0

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
