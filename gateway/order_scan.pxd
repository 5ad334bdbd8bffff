"""Reads the ordinary spelling of order.place and order.cancel in one pass over the JSON; says "not ours" to all else.

What it takes, the general path (requests.py) would take as well and read the same: the fuzz test holds it to that.
What it does not take is no refusal: unknown names, escapes, characters beyond ASCII, exponents, negative numbers,
duplicates and whatever is wrong go the general path, which alone knows how to refuse.
"""

# Parameters in the order of their names, which is the order they are signed in.
cdef enum:
    API_KEY = 0
    NEW_CLIENT_ORDER_ID
    NEW_ORDER_RESP_TYPE
    ORDER_ID
    ORIG_CLIENT_ORDER_ID
    PRICE
    QUANTITY
    RECV_WINDOW
    STP_MODE
    SIDE
    SIGNATURE
    SYMBOL
    TIME_IN_FORCE
    TIMESTAMP
    TYPE
    NAMES

cdef enum:
    OTHER_METHOD = 0
    PLACE_METHOD
    CANCEL_METHOD

cdef struct Text:
    const char* at      # into the message; NULL when it was not sent
    Py_ssize_t size     # above 0 when it was sent

cdef struct Request:
    int method
    Text id             # as JSON
    Text[NAMES] params

# True when the message is ours; the texts point into `data`, which must end with a NUL as a bytes object does.
cdef bint scan(const char* data, Py_ssize_t size, Request* request) noexcept nogil
# All parameters but the signature, as name=value&...; bytes as they are signed.
cdef bytes payload_of(const Request* request)
cdef bint is_text(const Text* text, const char* wanted) noexcept nogil
# digits[.digits] in 1e-8, -1 when it is anything else or has more than 10 digits before or 8 behind the point.
cdef long long read_e8(const Text* text) noexcept nogil
# At most 18 digits, -1 when it is anything else.
cdef long long read_int(const Text* text) noexcept nogil
# 1 to `most` of A-Z a-z 0-9 _ -
cdef bint is_name(const Text* text, Py_ssize_t most) noexcept nogil
