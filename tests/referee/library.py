"""The library as a judge written in C sees it, through ctypes: structs, functions, and one way to run messages."""
import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_int, c_int64, c_uint8, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import NamedTuple

BUY, SELL = 0, 1
ACK, TRADE, CANCEL_ACK, MODIFY_ACK, CANCEL_REJECT, MODIFY_REJECT = range(6)
CAPACITY = 256


class New(Structure):
    _fields_ = [("order_id", c_uint64), ("sequence", c_uint64), ("price", c_int64), ("qty", c_uint32),
                ("side", c_uint8), ("immediate", c_uint8), ("reserved", c_uint8 * 2)]


class Cancel(Structure):
    _fields_ = [("order_id", c_uint64), ("sequence", c_uint64)]


class Modify(Structure):
    _fields_ = [("order_id", c_uint64), ("sequence", c_uint64), ("price", c_int64), ("qty", c_uint32),
                ("side", c_uint8), ("reserved", c_uint8 * 3)]


class RawReport(Structure):
    _fields_ = [("kind", c_uint8), ("side", c_uint8), ("reserved_a", c_uint8 * 6), ("sequence", c_uint64),
                ("order_id", c_uint64), ("price", c_int64), ("qty", c_uint32), ("reserved_b", c_uint32),
                ("maker", c_uint64), ("taker", c_uint64), ("reserved_c", c_uint64)]


Push = CFUNCTYPE(c_int, c_void_p, POINTER(RawReport))


class Transport(Structure):
    _fields_ = [("create", CFUNCTYPE(c_void_p, c_uint32)), ("push", Push),
                ("drain", CFUNCTYPE(c_uint32, c_void_p, POINTER(RawReport), c_uint32)),
                ("flush", CFUNCTYPE(None, c_void_p)), ("destroy", CFUNCTYPE(None, c_void_p))]


class Report(NamedTuple):
    """A report without padding; what its kind does not use is 0."""

    kind: int
    sequence: int
    order_id: int = 0
    side: int = 0
    price: int = 0
    qty: int = 0
    maker: int = 0
    taker: int = 0


def plain(raw: RawReport) -> Report:
    return Report(raw.kind, raw.sequence, raw.order_id, raw.side, raw.price, raw.qty, raw.maker, raw.taker)


class Referee:
    """One run: messages get rising sequence numbers, reports() gives what has been answered since it was asked last."""

    def __init__(self, library: ctypes.CDLL, transport: Transport, queue: int | None) -> None:
        self.library, self.transport, self.queue, self.sequence = library, transport, queue, 0

    def new(self, order_id: int, side: int, qty: int, price: int, immediate: bool = False) -> None:
        self.sequence += 1
        self.library.engine_on_new_order(byref(New(order_id, self.sequence, price, qty, side, immediate)))

    def cancel(self, order_id: int) -> None:
        self.sequence += 1
        self.library.engine_on_cancel(byref(Cancel(order_id, self.sequence)))

    def modify(self, order_id: int, side: int, qty: int, price: int) -> None:
        self.sequence += 1
        self.library.engine_on_modify(byref(Modify(order_id, self.sequence, price, qty, side)))

    def reports(self) -> list[Report]:
        self.library.engine_flush()
        return self.visible()

    def visible(self) -> list[Report]:
        """What the reader can see without a flush."""
        found: list[Report] = []
        out = (RawReport * 16)()
        while count := self.transport.drain(self.queue, out, len(out)):
            found += [plain(raw) for raw in out[:count]]
        return found

    def book(self) -> tuple[int, int]:
        return self.library.engine_query_best_bid(), self.library.engine_query_best_ask()

    def depth(self, price: int, side: int) -> int:
        return int(self.library.engine_query_depth_at(price, side))


def load(path: Path) -> ctypes.CDLL:
    library = ctypes.CDLL(str(path))
    library.engine_get_transport.restype = POINTER(Transport)
    library.engine_query_best_bid.restype = library.engine_query_best_ask.restype = c_int64
    library.engine_query_depth_at.argtypes, library.engine_query_depth_at.restype = [c_int64, c_uint8], c_uint64
    library.engine_init.argtypes = [c_uint64, POINTER(Transport), c_void_p]
    return library


@contextmanager
def running(library: ctypes.CDLL) -> Iterator[Referee]:
    """A run over the library's own ring."""
    transport = library.engine_get_transport().contents
    queue = transport.create(CAPACITY)
    library.engine_init(1, byref(transport), queue)
    try:
        yield Referee(library, transport, queue)
    finally:
        library.engine_shutdown()
        transport.destroy(queue)
