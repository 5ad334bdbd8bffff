"""The way of an ordinary order through its session: from the message to the engine, and when it is answered.

Session (sessions.py) adds everything else that a connection can ask for; it gets what `take` of the intake leaves.
"""
from gateway.inlet cimport Inlet
from gateway.lane cimport Lane

from gateway.lane import Overrun

__all__ = ["OrderPath"]


cdef class OrderPath:
    """Base of a session, which has `request(data)` for other messages and `overrun()` for when it must be closed.

    waiting: questions under way that are no business of the lane's. counted: every request counts towards some rate,
    so that none is taken here.
    """
    cdef public Py_ssize_t waiting
    cdef Lane _lane
    cdef Inlet _inlet
    cdef Py_ssize_t _in_flight_max
    cdef bint _counted
    cdef object _take, _read_end

    def join(self, Lane lane not None, intake, Py_ssize_t requests_in_flight_max, bint counted):
        """The parts that are there before the connection."""
        self._lane, self._take, self._read_end = lane, intake.take, intake.read_end
        self._in_flight_max, self._counted = requests_in_flight_max, counted

    def joined(self, connection):
        """The connection is open."""
        self._inlet = connection.inlet
        self._lane.opened(connection.outlet)

    def message(self, bytes data not None):
        """One request."""
        try:
            if self._counted or not self._take(data):
                self.request(data)
        except Overrun:
            self.overrun()

    def batch_end(self):
        """The read is over: its orders go to the engine together."""
        self._lane.submit()
        self._read_end()
        self.pace()

    cpdef int pace(self) except -1:
        """Read on only as fast as the engine answers: replies to all that was read must find room in the buffer."""
        return self._inlet.hold(self._lane.pending + self.waiting > self._in_flight_max)
