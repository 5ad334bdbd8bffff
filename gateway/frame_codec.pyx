"""Reads the WebSocket frames of clients, all of one read together: unmasks, joins fragments, checks the rules.

Pure: bytes in, messages and control frames out; no socket. Refused are reserved bits, unknown opcodes, frames without a
mask and broken sequences (1002), binary messages (1003), text that is not UTF-8 (1007) and messages above the limit
(1009, decided at the frame's header). What came before the breach is given out; what comes after it is not looked at.

Nothing is read beyond the bytes given: every access lies behind a comparison with `left`. A frame that is not complete
is kept and read again with the next bytes: at most one message's limit and a header are held.
"""
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcpy

__all__ = ["CLOSE", "FAILURE", "PING", "PONG", "FrameReader"]

cdef enum:
    CONT_FRAME = 0
    TEXT_FRAME = 1
    BINARY_FRAME = 2
    CLOSE_FRAME = 8
    PING_FRAME = 9
    PONG_FRAME = 10
    CONTROL_BYTES_MAX = 125
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    NO_STATUS = 1005
    INVALID_DATA = 1007
    MESSAGE_TOO_BIG = 1009

FAILURE, CLOSE, PING, PONG = 0, CLOSE_FRAME, PING_FRAME, PONG_FRAME


cdef class FrameReader:
    """`feed` gives in order: bytes for a text message, else (kind, code, data).

    PING and PONG have code 0 and the payload; CLOSE has the peer's code (1005 for none) and its reason; FAILURE has the
    code to close with and says why. CLOSE and FAILURE are the last: after them `feed` gives nothing any more.
    """

    def __init__(self, uint64_t message_bytes_max):
        self._message_bytes_max = message_bytes_max
        self._rest = b""

    cpdef list feed(self, bytes data):
        """What these bytes complete."""
        cdef list found = []
        cdef Py_ssize_t used, size, offset = 0
        cdef const uint8_t* begin
        if self._rest:
            data = self._rest + data
        begin = <const uint8_t*>PyBytes_AS_STRING(data)
        size = len(data)
        while not self._ended:
            used = self._frame(begin + offset, size - offset, found)
            if used == 0:
                break
            offset += used
        self._rest = b"" if self._ended or offset == size else data[offset:]
        return found

    cdef Py_ssize_t _frame(self, const uint8_t* at, Py_ssize_t left, list found) except -1:
        """Read one frame; how long it is, 0 when it is not complete or when it ended the stream."""
        cdef uint64_t length, held
        cdef Py_ssize_t head = 6
        cdef int opcode, position
        if left < 2:
            return 0
        opcode = at[0] & 15
        if opcode > PONG_FRAME or BINARY_FRAME < opcode < CLOSE_FRAME:
            return self._fail(found, PROTOCOL_ERROR, b"invalid opcode")
        if not at[1] & 128:
            return self._fail(found, PROTOCOL_ERROR, b"a client's frame must be masked")
        length = at[1] & 127
        if length >= 126:
            head = 8 if length == 126 else 14
            if left < head - 4:
                return 0
            length = 0
            for position in range(2, head - 4):
                length = length << 8 | at[position]
        held = 0 if self._partial is None else <uint64_t>len(self._partial)
        if length > self._message_bytes_max - held:
            return self._fail(found, MESSAGE_TOO_BIG, b"the message is too long")
        if not self._is_lawful(at[0], opcode, length, found):
            return 0
        if <uint64_t>left < <uint64_t>head + length:
            return 0
        self._take(opcode, at[0] & 128, _unmasked(at + head, <Py_ssize_t>length, at + head - 4), found)
        return head + <Py_ssize_t>length

    cdef bint _is_lawful(self, uint8_t first, int opcode, uint64_t length, list found) except -1:
        """What the header alone can break."""
        cdef bint fin = first & 128
        if first & 0x70:
            self._fail(found, PROTOCOL_ERROR, b"reserved bits must be 0")
        elif opcode >= CLOSE_FRAME and (length > CONTROL_BYTES_MAX or not fin):
            self._fail(found, PROTOCOL_ERROR, b"a control frame is short and whole")
        elif opcode == CONT_FRAME and self._partial is None:
            self._fail(found, PROTOCOL_ERROR, b"nothing to continue")
        elif TEXT_FRAME <= opcode <= BINARY_FRAME and self._partial is not None:
            self._fail(found, PROTOCOL_ERROR, b"the message before is not complete")
        return not self._ended

    cdef int _take(self, int opcode, bint fin, bytes payload, list found) except -1:
        if opcode == TEXT_FRAME and fin:
            self._message(payload, found)
        elif opcode == TEXT_FRAME:
            self._partial = bytearray(payload)
        elif opcode == CONT_FRAME:
            self._partial += payload
            if fin:
                payload, self._partial = bytes(self._partial), None
                self._message(payload, found)
        elif opcode == BINARY_FRAME:
            self._fail(found, UNSUPPORTED_DATA, b"text messages only")
        elif opcode == CLOSE_FRAME:
            self._close(payload, found)
        else:
            found.append((opcode, 0, payload))
        return 0

    cdef int _message(self, bytes payload, list found) except -1:
        if _is_utf8(payload):
            found.append(payload)
        else:
            self._fail(found, INVALID_DATA, b"not UTF-8")
        return 0

    cdef int _close(self, bytes payload, list found) except -1:
        cdef int code = NO_STATUS
        if len(payload) == 1:
            return self._fail(found, PROTOCOL_ERROR, b"close frame too short")
        if payload:
            code = payload[0] << 8 | payload[1]
            payload = payload[2:]
            if not _is_utf8(payload):
                return self._fail(found, INVALID_DATA, b"not UTF-8")
            if not (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code < 5000):
                return self._fail(found, PROTOCOL_ERROR, b"invalid close code")
        self._ended = True
        found.append((CLOSE_FRAME, code, payload))
        return 0

    cdef int _fail(self, list found, int code, bytes reason) except -1:
        self._ended = True
        found.append((0, code, reason))
        return 0


cdef bytes _unmasked(const uint8_t* data, Py_ssize_t length, const uint8_t* key):
    """Eight bytes at a time: the mask is four bytes long, so two of them fit at every multiple of eight."""
    cdef bytes payload = PyBytes_FromStringAndSize(NULL, length)
    cdef uint8_t* out = <uint8_t*>PyBytes_AS_STRING(payload)
    cdef Py_ssize_t position = 0
    cdef uint64_t mask = 0, word = 0
    memcpy(&mask, key, 4)
    memcpy(<uint8_t*>&mask + 4, key, 4)
    while position + 8 <= length:
        memcpy(&word, data + position, 8)
        word ^= mask
        memcpy(out + position, &word, 8)
        position += 8
    while position < length:
        out[position] = data[position] ^ key[position & 3]
        position += 1
    return payload


cdef bint _is_utf8(bytes data) except -1:
    cdef const char* at = PyBytes_AS_STRING(data)
    cdef Py_ssize_t length = len(data)
    cdef Py_ssize_t position = 0
    cdef uint64_t word = 0, high = 0
    while position + 8 <= length:
        memcpy(&word, at + position, 8)
        high |= word
        position += 8
    while position < length:
        high |= <uint8_t>at[position]
        position += 1
    if not high & <uint64_t>0x8080808080808080ULL:
        return True
    try:
        PyUnicode_DecodeUTF8(at, length, NULL)
    except UnicodeDecodeError:
        return False
    return True
