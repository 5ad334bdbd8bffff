"""What a client of `@l3` holds: the queues of both sides, put together from a snapshot and what follows it."""
from typing import Any

Row = tuple[str, str, int]   # price, quantity shown, order id


class OrdersBook:
    """`sides` in the order in which orders would trade. Messages before the snapshot wait for it."""

    def __init__(self) -> None:
        self.last_id: int | None = None
        self._orders: dict[int, list[Any]] = {}    # side, price, quantity; in the order in which they came
        self._waiting: list[dict[str, Any]] = []

    @property
    def sides(self) -> list[list[Row]]:
        rows: list[list[Row]] = [[], []]
        for order_id, (side, price, qty) in self._orders.items():
            rows[side].append((price, qty, order_id))
        for side, sign in enumerate((-1, 1)):
            rows[side].sort(key=lambda row: sign * float(row[0]))
        return rows

    def snapshot(self, depth: dict[str, Any]) -> None:
        """Reply to depth.l3."""
        self.last_id = depth["lastUpdateId"]
        self._orders = {row[2]: [side, row[0], row[1]] for side, name in enumerate(("bids", "asks"))
                        for row in depth[name]}
        kept = [message for message in self._waiting if message["u"] > self.last_id]
        assert not kept or kept[0]["U"] == self.last_id + 1   # a snapshot never lies within a message
        for message in kept:
            self._apply(message)

    def message(self, message: dict[str, Any]) -> None:
        """Contiguous with the one before, and applied if the snapshot is older."""
        assert message["U"] <= message["u"] and message["o"]
        if self._waiting:
            assert message["U"] == self._waiting[-1]["u"] + 1
        self._waiting.append(message)
        if self.last_id is not None and message["u"] > self.last_id:
            self._apply(message)

    def _apply(self, message: dict[str, Any]) -> None:
        self.last_id = message["u"]
        for change in message["o"]:
            kind, order_id = change[:2]
            if kind == "a":
                assert order_id not in self._orders
                self._orders[order_id] = ["BS".index(change[2]), change[3], change[4]]
            elif kind == "d":
                del self._orders[order_id]
            else:
                left = change[3] if kind == "e" else change[2]
                assert float(left) < float(self._orders[order_id][2])
                self._orders[order_id][2] = left
                if float(left) == 0:
                    del self._orders[order_id]
