"""How much a client has used: request weight per address and minute, orders per account in 10 seconds and in a day.

Counted in this process, in fixed windows, and shown in the reply's headers; nothing is refused here. Memory is bounded:
a window that knows KEYS_MAX names counts all further ones together.
"""
import time

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


class Usage:
    """The windows of one process and the headers that tell of them."""

    def __init__(self) -> None:
        self._weight_minute = Window(60)
        self._orders_10s = Window(10)
        self._orders_day = Window(86400)

    def weigh(self, address: str, weight: int) -> dict[str, str]:
        """Count a request of this weight."""
        return {"X-MBX-USED-WEIGHT-1M": str(self._weight_minute.add(address, weight, time.time()))}

    def order(self, account: int) -> dict[str, str]:
        """Count an order."""
        now_s = time.time()
        return {
            "X-MBX-ORDER-COUNT-10S": str(self._orders_10s.add(account, 1, now_s)),
            "X-MBX-ORDER-COUNT-1D": str(self._orders_day.add(account, 1, now_s)),
        }
