"""Public Python order books beside the core, one Python call per command: bourse, limit-order-book, cython-orderbook.

Each gets the first records of W1 in the form it likes best, made before the clock starts. They keep no balances, take
no fees and hand out no events; that they fill the same is asserted where they can be asked. An immediate-or-cancel
order, which none of them knows, is a limit order and a cancel of its rest. Install them by the extra `bench`; one that
is missing is told by name, and the bench runs without it.
"""
import gc
import importlib
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from bench import plain
from bench.plain import Row

Timed = Callable[[], tuple[float, int | None]]    # seconds, and the volume filled where the peer can be asked


def peers(rows: list[Row]) -> dict[str, Timed | str]:
    """For each peer the function that runs the records once, or why it cannot."""
    makers: dict[str, tuple[str, Callable[[Any, list[Row]], Timed]]] = {
        "bourse": ("bourse.core", _bourse), "limit_order_book": ("limit_order_book", _limit_order_book),
        "cython_orderbook": ("cython_orderbook", _cython_orderbook)}
    found: dict[str, Timed | str] = {"plain_python": lambda: _plain(rows)}
    for name, (module, maker) in makers.items():
        try:
            found[name] = maker(importlib.import_module(module), rows)
        except ImportError as error:
            found[name] = f"not installed: {error}"
    return found


def _timed(run: Callable[[], None]) -> float:
    gc.collect()
    gc.disable()
    started = time.process_time()
    run()
    elapsed = time.process_time() - started
    gc.enable()
    return elapsed


def _plain(rows: list[Row]) -> tuple[float, int | None]:
    volume = 0

    def run() -> None:
        nonlocal volume
        volume = plain.run(rows, 1).volume

    return _timed(run), volume


def _bourse(module: Any, rows: list[Row]) -> Timed:
    """Needs its clock set before each order: it loses one of two orders with the same price and time."""
    calls = [(row[0], row[1] == 0, row[4], row[7], row[2], row[6]) for row in rows]

    def once() -> tuple[float, int | None]:
        book = module.OrderBook(0, 1, True)
        ids: dict[Any, Any] = {}

        def run() -> None:
            for now, (cancel, is_bid, qty, price, immediate, name) in enumerate(calls):
                if cancel:
                    book.cancel_order(ids[name])
                    continue
                book.set_time(now)
                ids[name] = placed = book.place_order(is_bid, qty, 0, price=price)
                if immediate:
                    book.cancel_order(placed)

        seconds = _timed(run)
        return seconds, sum(trade[3] for trade in book.get_trades())

    return once


def _limit_order_book(module: Any, rows: list[Row]) -> Timed:
    calls = [(row[0], row[1] == 1, row[6], row[4], row[7], row[2]) for row in rows]

    def once() -> tuple[float, int | None]:
        book = module.LimitOrderBook()

        def run() -> None:
            for cancel, is_sell, name, qty, price, immediate in calls:
                if cancel:
                    book.cancel(name)
                elif is_sell:
                    book.limit_sell(name, qty, price)
                else:
                    book.limit_buy(name, qty, price)
                if immediate and book.has(name):
                    book.cancel(name)

        return _timed(run), None

    return once


def _cython_orderbook(module: Any, rows: list[Row]) -> Timed:
    sides = (module.OrderSide.BID, module.OrderSide.ASK)

    def once() -> tuple[float, int | None]:
        book, orders = module.OrderBook(), {}
        for row in rows:
            if not row[0]:
                orders[row[6]] = module.Order(sides[row[1]], row[4], Decimal(row[7]))
        calls = [(row[0], orders[row[6]], row[2]) for row in rows]

        def run() -> None:
            for cancel, order, immediate in calls:
                if cancel:
                    book.cancel_order(order.order_id)
                    continue
                book.add_limit_order(order)
                if immediate and order.remaining_quantity:
                    book.cancel_order(order.order_id)

        seconds = _timed(run)
        traded = sum(order.original_quantity - order.remaining_quantity for order in orders.values())
        return seconds, traded // 2

    return once
