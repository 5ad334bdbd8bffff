"""How much a client has used: request weight per address and minute, orders per account in 10 seconds and in a day.

Counted in this process, in fixed windows, and shown in the reply's headers; what is enforced is gateway/rates.py's.
"""
import time

from gateway.rates import Rates
from gateway.windows import Window


class Usage:
    """The windows of one process and the headers that tell of them."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._orders_10s = Window(10)
        self._orders_day = Window(86400)

    def weigh(self, address: str, weight: int) -> dict[str, str]:
        """Count a request of this weight. Raises RateRefusal."""
        return {"X-MBX-USED-WEIGHT-1M": str(self._rates.request(address, weight))}

    def order(self, account: int) -> dict[str, str]:
        """Count an order."""
        now_s = time.time()
        return {
            "X-MBX-ORDER-COUNT-10S": str(self._orders_10s.add(account, 1, now_s)),
            "X-MBX-ORDER-COUNT-1D": str(self._orders_day.add(account, 1, now_s)),
        }
