"""The orders that have not ended, as the events tell of them, and the rows of those that have.

One array sorted by order id: new orders come at its end, ended ones are marked and swept out once they are half of it,
so a batch costs what happens in it, whatever rests in the books. 150 bytes per order. Pure; knows no Postgres.
An order has ended when it is canceled, or nothing of it is left open after a trade or an amendment.
"""
import numpy as np
from numpy.typing import NDArray

from engine.core.codes import EventKind
from engine.core.exchange import Exchange
from engine.records import ORDER, TEXT, WALLET
from workers.ledger_errors import LedgerMismatch
from workers.postings import Rows

ORDER_ROW = np.dtype([
    ("order_id", "i8"), ("seq", "i8"), ("time_ns", "i8"), ("update_ns", "i8"), ("price_ticks", "i8"),
    ("qty_lots", "i8"), ("amount", "i8"), ("executed_lots", "i8"), ("quote_filled", "i8"), ("account", "i4"),
    ("instrument", "i4"), ("side", "u1"), ("order_type", "u1"), ("time_in_force", "u1"), ("code", "u2"),
    ("list_id", "i8"), ("stop_ticks", "i8"), ("display_lots", "i8"), ("trailing_bps", "u2"), ("stp", "u1"),
    ("client_id", TEXT)])
TERMS = ("list_id", "stop_ticks", "display_lots", "trailing_bps", "stp")    # columns younger than the table
_ACCEPTED = ("order_id", "seq", "time_ns", "price_ticks", "qty_lots", "amount", "account", "instrument", "side",
             "order_type", "time_in_force", "trailing_bps", "stp")
_OPEN = ("order_id", "time_ns", "update_ns", "price_ticks", "qty_lots", "quote_filled", "account", "instrument", "side",
         "order_type", "time_in_force", "list_id", "stop_ticks", "display_lots", "trailing_bps", "stp")
_CAPACITY_MIN = 1024


class OpenOrders:
    """`rows`: ORDER_ROWs in order of id."""

    def __init__(self, rows: Rows | None = None) -> None:
        self._keep(np.zeros(0, ORDER_ROW) if rows is None else rows, 0)

    def _keep(self, rows: Rows, room: int) -> None:
        """Start anew with these, and room for so many more."""
        self._rows = np.zeros(max(_CAPACITY_MIN, 2 * len(rows) + room), ORDER_ROW)
        self._rows[:len(rows)] = rows
        self._ended = np.zeros(len(self._rows), bool)
        self._count, self._ended_count = len(rows), 0

    @property
    def rows(self) -> Rows:
        """Those open now, a copy."""
        return self._rows[:self._count][~self._ended[:self._count]]

    def advance(self, events: Rows) -> Rows:
        """Take in the events of whole commands; the orders they ended, in order of (account, instrument, order_id).

        Raises LedgerMismatch for a trade of an order that is not open.
        """
        self._append(_accepted(events[events["kind"] == EventKind.ACCEPTED]))
        ended = np.concatenate([
            *self._traded(events[events["kind"] == EventKind.TRADE]),
            self._reduced(events[events["kind"] == EventKind.REDUCED]),
            self._canceled(events[events["kind"] == EventKind.CANCELED])])
        places = np.unique(ended)
        closed = self._rows[places]
        self._ended[places] = True
        self._ended_count += len(places)
        ordered: Rows = closed[np.lexsort((closed["order_id"], closed["instrument"], closed["account"]))]
        return ordered

    def _append(self, new: Rows) -> None:
        if 2 * self._ended_count > self._count or self._count + len(new) > len(self._rows):
            self._keep(self.rows, len(new))
        self._rows[self._count:self._count + len(new)] = new
        self._count += len(new)

    def _places(self, order_ids: NDArray[np.uint64]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Where these orders are, and whether they are here and open."""
        ids = self._rows["order_id"][:self._count]
        places = np.searchsorted(ids, order_ids.astype("i8"))
        known = places < self._count
        known[known] = (ids[places[known]] == order_ids[known]) & ~self._ended[places[known]]
        return places, known

    def _traded(self, trades: Rows) -> list[NDArray[np.intp]]:
        """Both sides of each trade; which orders have nothing left."""
        return [self._filled(trades, order_id, left) for order_id, left in (
            ("order_id", "left_lots"), ("maker_order_id", "maker_left_lots"))]

    def _filled(self, trades: Rows, order_id: str, left: str) -> NDArray[np.intp]:
        places, known = self._places(trades[order_id])
        if not known.all():
            trade = trades[~known][0]
            raise LedgerMismatch(f"command {trade['seq']} trades order {trade[order_id]}, which is not open")
        np.add.at(self._rows["executed_lots"], places, trades["qty_lots"])
        np.add.at(self._rows["quote_filled"], places, trades["quote_amount"])
        self._touch(places, trades)
        filled: NDArray[np.intp] = places[trades[left] == 0]
        return filled

    def _reduced(self, events: Rows) -> NDArray[np.intp]:
        places, known = self._places(events["order_id"])
        self._rows["qty_lots"][places[known]] = events["qty_lots"][known]
        self._touch(places[known], events[known])
        filled: NDArray[np.intp] = places[known & (events["left_lots"] == 0)]
        return filled

    def _canceled(self, events: Rows) -> NDArray[np.intp]:
        places, known = self._places(events["order_id"])
        self._rows["code"][places[known]] = events["code"][known]
        self._touch(places[known], events[known])
        return places[known]

    def _touch(self, places: NDArray[np.intp], events: Rows) -> None:
        """The latest event of an order is the largest: events may come grouped by kind."""
        np.maximum.at(self._rows["seq"], places, events["seq"].astype("i8"))
        np.maximum.at(self._rows["update_ns"], places, events["time_ns"])


def _accepted(events: Rows) -> Rows:
    rows = np.zeros(len(events), ORDER_ROW)
    for name in _ACCEPTED:
        rows[name] = events[name]
    rows["client_id"], rows["update_ns"] = events["text"], events["time_ns"]
    rows["stop_ticks"], rows["list_id"] = events["trigger_ticks"], _list_ids(events)
    rows["display_lots"] = np.where(events["left_lots"] < events["qty_lots"], events["left_lots"], 0)
    return rows if np.all(rows["order_id"][1:] > rows["order_id"][:-1]) else np.sort(rows, order="order_id")


def _list_ids(accepted: Rows) -> NDArray[np.int64]:
    """A list's legs are accepted together, with the numbers behind its own; any other order has its command's."""
    if not len(accepted):
        return np.zeros(0, "i8")
    seqs = accepted["seq"].astype("i8")
    firsts = np.flatnonzero(np.append(True, seqs[1:] != seqs[:-1]))
    ids = accepted["order_id"][firsts].astype("i8")
    of_command: NDArray[np.int64] = np.where(ids != seqs[firsts], ids - 1, 0)
    return np.repeat(of_command, np.diff(np.append(firsts, len(seqs))))


def open_orders(core: Exchange) -> OpenOrders:
    """Those open in the core, which keeps neither the amount a market order asked for, as none rests, nor, of an order
    without a trigger, what it wanted of self-trade prevention: that is 0.
    """
    accounts = np.unique(np.frombuffer(core.wallets(), WALLET)["account"]).tolist()
    found = np.concatenate([
        np.zeros(0, ORDER), *(np.frombuffer(core.open_orders(account), ORDER) for account in accounts)])
    rows = np.zeros(len(found), ORDER_ROW)
    for name in _OPEN:
        rows[name] = found[name]
    rows["client_id"], rows["executed_lots"] = found["text"], found["qty_lots"] - found["left_lots"]
    return OpenOrders(np.sort(rows, order="order_id"))
