"""The core with the smallest starting capacities: a schedule makes many, and each must grow at once."""
from typing import Any

from engine.core.exchange import Exchange


def small_core(**options: Any) -> Exchange:
    """Exchange(...), other capacities aside."""
    return Exchange(**{"orders": 16, "wallets": 16, "accounts": 4, "leaves": 4, "events": 16} | options)
