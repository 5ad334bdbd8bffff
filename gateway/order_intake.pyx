"""Takes the ordinary orders and cancels of one connection straight from the message into the batch.

What order_scan.pxd calls ours, rightly signed or logged on, in time and within the instrument's filters becomes one
command with its Answer. Everything else, and whatever would have to be refused, is left to the general path with
nothing done: `take` says False, and sessions.py reads the message again. So nothing is refused or worded here.

The clock and whether the engine takes orders are asked once per read, at its first message: neither changes within one.
"""
import time

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint32_t
from libc.string cimport memcpy

from engine.core.batch cimport Batch
from engine.core.types cimport (
    BUY, CANCEL, FOK, GTC, IOC, LIMIT, LIMIT_MAKER, MARKET, PLACE, SELL, TEXT_BYTES, Command)
from gateway.answers cimport (
    ACK_DETAIL, FULL_DETAIL, RESULT_DETAIL, Answer, CancelAnswer, Desk, PlaceAnswer)
from gateway.order_scan cimport (
    API_KEY, NEW_CLIENT_ORDER_ID, NEW_ORDER_RESP_TYPE, ORDER_ID, ORIG_CLIENT_ORDER_ID,
    PLACE_METHOD, PRICE, QUANTITY, RECV_WINDOW, SIDE, SIGNATURE, STP_MODE, SYMBOL, TIME_IN_FORCE, TIMESTAMP, TYPE,
    Request, Text, is_name, is_text, payload_of, read_e8, read_int, scan)
from gateway.order_store cimport Order
from gateway.terms cimport Terms

cdef enum:
    API_KEY_BYTES_MAX = 128
    NS_PER_US = 1000
    US_PER_MS = 1000
    NOBODY = -1

cdef int64_t AHEAD_US_MAX = 1_000_000
cdef int64_t RECV_WINDOW_US = 5_000_000
cdef int64_t RECV_WINDOW_MS_MAX = 60_000
cdef int64_t MICROSECONDS_FROM = 10**14


cdef class OrderIntake:
    """`logged_on` and `logged_off` follow the session; `add(answer)` is called for each command put into the batch."""
    cdef Desk _desk
    cdef Batch _batch
    cdef object _keys, _engine, _add, _new_id
    cdef int64_t _account           # who logged on, or NOBODY
    cdef object _api_key            # with which key, None for a token
    cdef int64_t _unit_ns
    cdef bint _show_limits
    cdef uint32_t _session          # what the orders placed here carry, 0: nothing
    cdef int64_t _now_us            # when this read began, 0: nothing of it was taken yet
    cdef bint _orders_refused

    def __init__(self, Desk desk not None, Batch batch not None, engine, keys, new_id, add):
        self._desk, self._batch, self._engine, self._keys = desk, batch, engine, keys
        self._new_id, self._add = new_id, add
        self._account = NOBODY
        self._unit_ns, self._show_limits = 1_000_000, True

    def opened(self, int64_t unit_ns, bint show_limits):
        """What the connection's URL asked for."""
        self._unit_ns, self._show_limits = unit_ns, show_limits

    def owned_by(self, uint32_t session):
        """Orders placed from now on carry this session."""
        self._session = session

    def logged_on(self, int64_t account, api_key):
        """Unsigned requests now speak for this account."""
        self._account, self._api_key = account, api_key

    def logged_off(self):
        """Unsigned requests speak for nobody."""
        self._account = NOBODY

    def read_end(self):
        """The messages of one read are over; what comes next may find another time and state."""
        self._now_us = 0

    def take(self, bytes data not None):
        """Whether this message became a command. Raises what `add` raises; then it did."""
        cdef Request request
        cdef int64_t account
        cdef Answer answer
        if not scan(PyBytes_AS_STRING(data), len(data), &request):
            return False
        if self._now_us == 0:
            self._now_us = time.time_ns() // NS_PER_US
            self._orders_refused = self._engine.orders_refused
        if not _in_time(&request, self._now_us):
            return False
        account = self._whose(&request)
        if account < 0:
            return False
        answer = self._place(&request, account) if request.method == PLACE_METHOD else self._cancel(&request, account)
        if answer is None:
            return False
        answer.id = PyBytes_FromStringAndSize(request.id.at, request.id.size)
        answer.desk, answer.unit_ns, answer.show_limits = self._desk, self._unit_ns, self._show_limits
        self._add(answer)
        return True

    cdef int64_t _whose(self, const Request* request) except? -1:
        """The account, NOBODY when that needs a closer look."""
        cdef const Text* name = &request.params[API_KEY]
        if name.at == NULL:
            if self._account == NOBODY:
                return NOBODY
            known = self._api_key is None or self._keys.find(self._api_key) is not None
            return self._account if known else NOBODY
        if request.params[SIGNATURE].at == NULL or not is_name(name, API_KEY_BYTES_MAX):
            return NOBODY
        key = self._keys.find(_str(name))
        if key is None or not key.verify(payload_of(request), _str(&request.params[SIGNATURE])):
            return NOBODY
        return key.account

    cdef Answer _place(self, Request* request, int64_t account):
        cdef Text* params = request.params
        cdef Command terms
        cdef Command* command
        cdef PlaceAnswer answer
        cdef bytes name
        cdef Terms instrument = self._desk.terms.by_symbol(_str(&params[SYMBOL]))
        cdef int detail
        if instrument is None or self._orders_refused or params[ORDER_ID].at != NULL:
            return None
        if params[ORIG_CLIENT_ORDER_ID].at != NULL or not _read_terms(params, instrument, &terms):
            return None
        detail = _detail(&params[NEW_ORDER_RESP_TYPE], terms.order_type)
        if detail < 0 or not _has_name(&params[NEW_CLIENT_ORDER_ID]):
            return None
        name = self._own_name(&params[NEW_CLIENT_ORDER_ID])
        command = self._batch._order(PLACE, <Py_ssize_t>account, <Py_ssize_t>instrument.id, name)
        command.side, command.order_type, command.time_in_force = terms.side, terms.order_type, terms.time_in_force
        command.price_ticks, command.qty_lots = terms.price_ticks, terms.qty_lots
        command.slot = self._session
        answer = PlaceAnswer.__new__(PlaceAnswer)
        answer.detail = detail
        return answer

    cdef Answer _cancel(self, Request* request, int64_t account):
        cdef Text* params = request.params
        cdef Command* command
        cdef CancelAnswer answer
        cdef Order order = None
        cdef Terms instrument = self._desk.terms.by_symbol(_str(&params[SYMBOL]))
        cdef int number
        for number in (NEW_ORDER_RESP_TYPE, PRICE, QUANTITY, STP_MODE, SIDE, TIME_IN_FORCE, TYPE):
            if params[number].at != NULL:
                return None
        if instrument is None or not _has_name(&params[NEW_CLIENT_ORDER_ID]):
            return None
        if params[ORDER_ID].at == NULL:
            if not is_name(&params[ORIG_CLIENT_ORDER_ID], TEXT_BYTES):
                return None
        elif params[ORIG_CLIENT_ORDER_ID].at != NULL:
            return None
        else:
            order = self._desk.store.find_open(read_int(&params[ORDER_ID]))
            if order is None or order.account != account or order.instrument != instrument.id:
                return None
        answer = CancelAnswer.__new__(CancelAnswer)
        answer.cancel_id = self._own_name(&params[NEW_CLIENT_ORDER_ID])
        command = self._batch._order(CANCEL, <Py_ssize_t>account, <Py_ssize_t>instrument.id, b"")
        if order is None:
            memcpy(command.text, params[ORIG_CLIENT_ORDER_ID].at, <size_t>params[ORIG_CLIENT_ORDER_ID].size)
        else:
            command.order_id, command.slot = order.id, order.slot
        return answer

    cdef bytes _own_name(self, const Text* sent):
        """The client order id: the customer's, else a new one of ours."""
        if sent.at == NULL:
            return (<str?>self._new_id()).encode("ascii")
        return PyBytes_FromStringAndSize(sent.at, sent.size)


cdef bint _has_name(const Text* sent) noexcept:
    """Whether a client order id can be used: ours when none was sent."""
    return sent.at == NULL or is_name(sent, TEXT_BYTES)


cdef str _str(const Text* text):
    return text.at[:text.size].decode("ascii")


cdef bint _in_time(const Request* request, int64_t now_us) noexcept:
    """The rule of auth.check_timing, for whole milliseconds of recvWindow."""
    cdef int64_t sent = read_int(&request.params[TIMESTAMP])
    cdef int64_t window_us = RECV_WINDOW_US
    cdef int64_t window_ms
    if sent < 0:
        return False
    if sent < MICROSECONDS_FROM:
        sent *= US_PER_MS
    if request.params[RECV_WINDOW].at != NULL:
        window_ms = read_int(&request.params[RECV_WINDOW])
        if not 0 <= window_ms <= RECV_WINDOW_MS_MAX:
            return False
        window_us = window_ms * US_PER_MS
    return sent < now_us + AHEAD_US_MAX and now_us - sent <= window_us


cdef int _detail(const Text* wanted, int order_type) noexcept:
    """How much the reply shall say; -1 for a word we do not know."""
    if wanted.at == NULL:
        return ACK_DETAIL if order_type == LIMIT_MAKER else FULL_DETAIL
    if is_text(wanted, "ACK"):
        return ACK_DETAIL
    if is_text(wanted, "RESULT"):
        return RESULT_DETAIL
    return FULL_DETAIL if is_text(wanted, "FULL") else -1


cdef bint _read_terms(const Text* params, Terms instrument, Command* terms) noexcept:
    """Side, type, time in force, ticks and lots; False when anything is not plainly right."""
    if is_text(&params[SIDE], "BUY"):
        terms.side = BUY
    elif is_text(&params[SIDE], "SELL"):
        terms.side = SELL
    else:
        return False
    if params[STP_MODE].at != NULL and not is_text(&params[STP_MODE], "NONE"):
        return False
    terms.time_in_force = GTC
    terms.price_ticks = 0
    if is_text(&params[TYPE], "MARKET"):
        terms.order_type = MARKET
        if params[TIME_IN_FORCE].at != NULL or params[PRICE].at != NULL:
            return False
    else:
        if not _read_type(params, terms):
            return False
        terms.price_ticks = _steps(read_e8(&params[PRICE]), instrument.tick_e8)
        if not 0 < terms.price_ticks <= instrument.max_ticks:
            return False
    terms.qty_lots = _steps(read_e8(&params[QUANTITY]), instrument.lot_e8)
    return terms.qty_lots > 0 and instrument.min_lots <= terms.qty_lots <= instrument.max_lots


cdef bint _read_type(const Text* params, Command* terms) noexcept:
    """LIMIT with its time in force, or LIMIT_MAKER without one."""
    if is_text(&params[TYPE], "LIMIT_MAKER"):
        terms.order_type = LIMIT_MAKER
        return params[TIME_IN_FORCE].at == NULL
    terms.order_type = LIMIT
    if is_text(&params[TIME_IN_FORCE], "IOC"):
        terms.time_in_force = IOC
    elif is_text(&params[TIME_IN_FORCE], "FOK"):
        terms.time_in_force = FOK
    elif not is_text(&params[TIME_IN_FORCE], "GTC"):
        return False
    return is_text(&params[TYPE], "LIMIT")


cdef int64_t _steps(int64_t value_e8, int64_t step_e8) noexcept:
    """How many whole steps, -1 when it is no multiple or was not readable."""
    if value_e8 < 0 or value_e8 % step_e8 != 0:
        return -1
    return value_e8 // step_e8
