"""Counts per name in fixed stretches of time, as the protocol counts weight, orders and connections.

Memory is bounded: a window that knows KEYS_MAX names counts all further ones together.
"""
KEYS_MAX = 65536


class Window:
    """Counts per name within the current stretch of `seconds`; a new stretch starts from nothing."""

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds
        self._stretch = -1
        self._counts: dict[object, int] = {}

    def add(self, name: object, amount: int, now_s: float) -> int:
        """The name's count in this stretch, `amount` included."""
        stretch = int(now_s) // self._seconds
        if stretch != self._stretch:
            self._stretch = stretch
            self._counts.clear()
        counts = self._counts
        if name not in counts and len(counts) >= KEYS_MAX:
            name = None
        counts[name] = count = counts.get(name, 0) + amount
        return count
