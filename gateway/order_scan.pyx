"""See order_scan.pxd.

Every loop stops at the NUL behind the message, which no rule accepts: nothing beyond it is read.
"""
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.string cimport memcmp, memcpy, memset, strlen

ctypedef const char* Chars
cdef Chars[NAMES] NAME_TEXTS = [
    "apiKey", "newClientOrderId", "newOrderRespType", "orderId", "origClientOrderId", "price", "quantity", "recvWindow",
    "selfTradePreventionMode", "side", "signature", "symbol", "timeInForce", "timestamp", "type"]
cdef Py_ssize_t[NAMES] NAME_SIZES = [6, 16, 16, 7, 17, 5, 8, 10, 23, 4, 9, 6, 11, 9, 4]
cdef bint[256] PLAIN   # a character that stands for itself inside a JSON string

for _byte in range(256):
    PLAIN[_byte] = 32 <= _byte < 127 and _byte != 34 and _byte != 92


cdef bint scan(const char* data, Py_ssize_t size, Request* request) noexcept nogil:
    cdef const char* at = _blank(data)
    cdef Text name, method
    cdef bint has_params = False
    memset(request, 0, sizeof(Request))
    memset(&method, 0, sizeof(Text))
    if at[0] != b"{":
        return False
    while True:
        at = _name(at, &name)
        if at == NULL:
            return False
        if is_text(&name, "id") and request.id.at == NULL:
            at = _id(at, &request.id)
        elif is_text(&name, "method") and method.at == NULL:
            at = _string(at, &method)
        elif is_text(&name, "params") and not has_params:
            has_params = True
            at = _params(at, request)
        else:
            return False
        if at == NULL:
            return False
        at = _blank(at)
        if at[0] != b",":
            break
    if at[0] != b"}" or _blank(at + 1) != data + size:
        return False
    if is_text(&method, "order.place"):
        request.method = PLACE_METHOD
    elif is_text(&method, "order.cancel"):
        request.method = CANCEL_METHOD
    return request.method != OTHER_METHOD and request.id.at != NULL and request.params[SYMBOL].at != NULL


cdef const char* _params(const char* at, Request* request) noexcept nogil:
    """An object of known names, each once, with texts and plain numbers; behind it, NULL when it is anything else."""
    cdef Text name
    cdef int which
    if at[0] != b"{":
        return NULL
    while True:
        at = _name(at, &name)
        if at == NULL:
            return NULL
        which = _which(&name)
        if which < 0 or request.params[which].at != NULL:
            return NULL
        at = _string(at, &request.params[which]) if at[0] == b'"' else _number(at, &request.params[which])
        if at == NULL or request.params[which].size == 0:
            return NULL
        at = _blank(at)
        if at[0] != b",":
            break
    return at + 1 if at[0] == b"}" else NULL


cdef const char* _name(const char* at, Text* name) noexcept nogil:
    """From the brace or comma before a member to its value."""
    at = _string(_blank(at + 1), name)
    if at == NULL:
        return NULL
    at = _blank(at)
    return _blank(at + 1) if at[0] == b":" else NULL


cdef int _which(const Text* name) noexcept nogil:
    cdef int number
    for number in range(NAMES):
        if name.size == NAME_SIZES[number] and memcmp(name.at, NAME_TEXTS[number], <size_t>name.size) == 0:
            return number
    return -1


cdef const char* _blank(const char* at) noexcept nogil:
    while at[0] == b" " or at[0] == b"\t" or at[0] == b"\n" or at[0] == b"\r":
        at += 1
    return at


cdef const char* _string(const char* at, Text* text) noexcept nogil:
    """A string without escapes; behind it."""
    if at[0] != b'"':
        return NULL
    at += 1
    text.at = at
    while PLAIN[<unsigned char>at[0]]:
        at += 1
    text.size = at - text.at
    return at + 1 if at[0] == b'"' else NULL


cdef const char* _digits(const char* at) noexcept nogil:
    while 48 <= at[0] <= 57:
        at += 1
    return at


cdef const char* _number(const char* at, Text* text) noexcept nogil:
    """digits[.digits] as JSON allows it, at most 18 of them before the point; whoever comes next must end it."""
    text.at = at
    at = _digits(at)
    if at == text.at or at - text.at > 18 or (text.at[0] == b"0" and at - text.at > 1):
        return NULL
    if at[0] == b".":
        at += 1
        if not 48 <= at[0] <= 57:
            return NULL
        at = _digits(at)
    text.size = at - text.at
    return at


cdef const char* _id(const char* at, Text* text) noexcept nogil:
    """A string, its quotes included, or a whole number."""
    cdef const char* end
    if at[0] == b'"':
        end = _string(at, text)
        if end == NULL:
            return NULL
        text.at = at
        text.size = end - at
        return end
    end = _number(at, text)
    return end if end != NULL and end == _digits(at) else NULL


cdef bytes payload_of(const Request* request):
    cdef Py_ssize_t size = 0
    cdef int number
    cdef bytes payload
    cdef char* out
    for number in range(NAMES):
        if request.params[number].at != NULL and number != SIGNATURE:
            size += NAME_SIZES[number] + request.params[number].size + 2
    if size == 0:
        return b""
    payload = PyBytes_FromStringAndSize(NULL, size - 1)
    out = PyBytes_AS_STRING(payload)
    for number in range(NAMES):
        if request.params[number].at == NULL or number == SIGNATURE:
            continue
        if out != PyBytes_AS_STRING(payload):
            out[0] = b"&"
            out += 1
        memcpy(out, NAME_TEXTS[number], <size_t>NAME_SIZES[number])
        out += NAME_SIZES[number]
        out[0] = b"="
        memcpy(out + 1, request.params[number].at, <size_t>request.params[number].size)
        out += 1 + request.params[number].size
    return payload


cdef bint is_text(const Text* text, const char* wanted) noexcept nogil:
    cdef size_t size = strlen(wanted)
    return text.at != NULL and <size_t>text.size == size and memcmp(text.at, wanted, size) == 0


cdef long long read_e8(const Text* text) noexcept nogil:
    cdef Py_ssize_t position
    cdef int decimals = -1   # -1: before the point
    cdef long long value = 0
    if text.at == NULL or text.at[0] == b"." or text.at[text.size - 1] == b".":
        return -1
    for position in range(text.size):
        if text.at[position] == b"." and decimals < 0:
            decimals = 0
        elif not 48 <= text.at[position] <= 57:
            return -1
        else:
            if decimals < 0 and position == 10 or decimals == 8:
                return -1
            decimals += decimals >= 0
            value = 10 * value + (text.at[position] - 48)
    for _ in range(decimals if decimals > 0 else 0, 8):
        value *= 10
    return value


cdef long long read_int(const Text* text) noexcept nogil:
    cdef Py_ssize_t position
    cdef long long value = 0
    if text.at == NULL or text.size > 18:
        return -1
    for position in range(text.size):
        if not 48 <= text.at[position] <= 57:
            return -1
        value = 10 * value + (text.at[position] - 48)
    return value


cdef bint is_name(const Text* text, Py_ssize_t most) noexcept nogil:
    cdef Py_ssize_t position
    cdef char letter
    if text.at == NULL or text.size > most:
        return False
    for position in range(text.size):
        letter = text.at[position]
        if not (97 <= letter <= 122 or 65 <= letter <= 90 or 48 <= letter <= 57 or letter == b"-" or letter == b"_"):
            return False
    return True
