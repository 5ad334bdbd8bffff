"""How many commands and fills a second does the core take, with money and fees, on the seeded flows?

Also: one Python call per command beside public Python order books (bench/peers.py), the latency of each command in the
batch path (bench/_latency.pyx), and what size and growth cost (bench/growth.py).

Each flow is one numpy array, applied in chunks; 10,000 accounts with two wallets each pay a maker and a taker fee on
every fill. Cancels name order_id and slot as a client knows them from its acks (`commands_per_second`), or the client
order id (`..._cancel_by_client_id`). Beside it, on the same records in the same run: a plain Python matcher that keeps
no money. Fills, volume and notional are asserted, and each timed run must end in the same
state. Seconds are of this process's CPU: other work on the machine still costs cache, but no turns.

    python -m bench.core [--quick] [--json]
"""
import argparse
import gc
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from bench import plain
from bench.flow import ACCOUNTS, COMMANDS, RECIPES, Flow, Totals, make_flow, to_commands
from bench.growth import cost
from bench.native import load_native
from bench.peers import Timed, peers
from bench.report import Figure, emit, figure, machine, measure, percentile
from engine.core.batch import Batch
from engine.core.codes import FIRST_USER_ACCOUNT, EventKind
from engine.core.exchange import Exchange
from engine.records import EVENT, RECORD_BYTES

CHUNK_COMMANDS = 2048
SINGLE_CALLS = 200_000
QUICK_COMMANDS = 200_000
PEER_COMMANDS = {False: 100_000, True: 20_000}          # by --quick
GROWTH_ORDERS = {False: 10**7, True: 10**5}
GROWTH_INSTRUMENTS = {False: 10**4, True: 10**3}
GROWTH_COMMANDS = 200_000
LATENCY_COMMANDS = 500_000
REPEATS = {False: 5, True: 3}       # by --quick
QUOTE, BASE = 1, 2                  # assets
OPENING = 10**12                    # minor units of each asset for each account
MAKER_FEE_PPM, TAKER_FEE_PPM = 100, 300


class Run:
    """One flow with its opening commands, ready to be applied to fresh exchanges again and again."""

    def __init__(self, flow: Flow) -> None:
        self.flow, self.opening = flow, opening(flow.symbols)
        commands = to_commands(flow.records)
        commands["seq"] = np.arange(len(self.opening) + 1, len(self.opening) + 1 + len(commands))
        commands["time_ns"] = commands["seq"]
        self.by_text = commands
        self.by_id, self._state_hash = self._learn(commands)

    def exchange(self) -> Exchange:
        """A funded exchange before the first command of the flow."""
        exchange = Exchange(orders=1 << 17, wallets=1 << 16, accounts=1 << 14, leaves=1 << 12, events=1 << 14)
        exchange.apply(self.opening)
        return exchange

    def check(self, exchange: Exchange) -> None:
        """A timed run must end where the first one did."""
        assert exchange.state_hash() == self._state_hash, "the same commands led to another state"

    def _learn(self, commands: np.ndarray) -> tuple[np.ndarray, int]:
        """Apply once, check what was filled, and give each cancel the order_id and slot that its client has seen."""
        exchange = self.exchange()
        slots = np.zeros(len(commands), np.uint32)
        totals = np.zeros(3, np.int64)
        for chunk in chunks(commands):
            events = np.frombuffer(exchange.apply(chunk), EVENT)
            accepted = events[events["kind"] == EventKind.ACCEPTED]
            slots[accepted["seq"] - commands["seq"][0]] = accepted["slot"]
            trades = events[events["kind"] == EventKind.TRADE]
            totals += (len(trades), trades["qty_lots"].sum(), (trades["qty_lots"] * trades["price_ticks"]).sum())
        assert Totals(*totals.tolist()) == self.flow.totals, f"filled {totals}, expected {self.flow.totals}"
        return _with_slots(self.flow, commands, slots), exchange.state_hash()


def _with_slots(flow: Flow, commands: np.ndarray, slots: np.ndarray) -> np.ndarray:
    """The same commands, cancels by order_id and slot."""
    cancels = flow.records["cancel"] == 1
    row_of_id = np.zeros(int(flow.records["id"].max()) + 1, np.int64)
    row_of_id[flow.records["id"][~cancels]] = np.flatnonzero(~cancels)
    rows = row_of_id[flow.records["id"][cancels]]
    known = commands.copy()
    known["order_id"][cancels], known["slot"][cancels] = commands["seq"][rows], slots[rows]
    known["text"][cancels] = b""
    return known


def opening(symbols: int) -> Batch:
    """Two assets, the symbols, and the funded accounts."""
    batch = Batch(2**16)
    batch.asset(QUOTE, 8, "QUOTE")
    batch.asset(BASE, 8, "BASE")
    for symbol in range(1, symbols + 1):
        batch.instrument(symbol, text=f"S{symbol}", base_asset=BASE, quote_asset=QUOTE, lot_value=1, tick_value=1,
                         maker_fee_ppm=MAKER_FEE_PPM, taker_fee_ppm=TAKER_FEE_PPM)
    for account in range(FIRST_USER_ACCOUNT, FIRST_USER_ACCOUNT + ACCOUNTS):
        batch.account(account)
        batch.credit(account, QUOTE, OPENING)
        batch.credit(account, BASE, OPENING)
    batch.stamp(1, 1)
    return batch


def chunks(commands: np.ndarray, size: int = CHUNK_COMMANDS) -> list[memoryview]:
    """Cut, without copying."""
    data = commands.view(np.uint8).data
    step = size * RECORD_BYTES
    return [data[start:start + step] for start in range(0, len(data), step)]


def seconds_of(run: Run, pieces: list[memoryview], whole: bool = True) -> float:
    """Time to apply all pieces to a fresh exchange."""
    exchange = run.exchange()
    gc.collect()
    gc.disable()
    started = time.process_time()
    for piece in pieces:
        exchange.apply(piece)
    elapsed = time.process_time() - started
    gc.enable()
    if whole:
        run.check(exchange)
    return elapsed


def seconds_of_bare(run: Run, pieces: list[memoryview]) -> float:
    """Time to read the same pieces and write an event for each record, and nothing else."""
    answer, events = load_native("_bare").answer, np.zeros(CHUNK_COMMANDS * RECORD_BYTES, np.uint8)
    started = time.process_time()
    lots = sum(answer(piece, events) for piece in pieces)
    elapsed = time.process_time() - started
    assert lots == int(run.by_id["qty_lots"].sum()), "the bare loop left records out"
    return elapsed


def seconds_of_plain(rows: list[plain.Row], flow: Flow) -> float:
    """The peer's time for the same records."""
    gc.collect()
    gc.disable()
    started = time.process_time()
    totals = plain.run(rows, flow.symbols)
    elapsed = time.process_time() - started
    gc.enable()
    assert totals == flow.totals, f"the plain matcher filled {totals}, expected {flow.totals}"
    return elapsed


def rate(count: int, seconds: Callable[[], float], repeats: int) -> Figure:
    """How many a second."""
    return measure(lambda: count / seconds(), repeats)


def bench_flow(name: str, commands: int, repeats: int) -> dict[str, object]:
    """All figures of one flow."""
    run = Run(make_flow(name, commands))
    flow, rows = run.flow, run.flow.records.tolist()
    by_id, by_text = chunks(run.by_id), chunks(run.by_text)
    ours = rate(commands, lambda: seconds_of(run, by_id), repeats)
    theirs = rate(commands, lambda: seconds_of_plain(rows, flow), min(3, repeats))
    bare = rate(commands, lambda: seconds_of_bare(run, by_id), repeats)
    fills_a_command = flow.totals.fills / commands
    results: dict[str, Any] = {
        "commands_per_second": ours,
        "commands_per_second_cancel_by_client_id": rate(commands, lambda: seconds_of(run, by_text), repeats),
        "fills_per_second": Figure(*(value * fills_a_command for value in (ours.median, ours.low, ours.high))),
        "plain_python_commands_per_second": theirs,
        "times_plain_python": round(ours.median / theirs.median, 1),
        "bare_loop_records_per_second": bare, "of_bare_loop": round(ours.median / bare.median, 2),
        "fills": flow.totals.fills, "volume_lots": flow.totals.volume, "notional_ticks_lots": flow.totals.notional}
    if name == "W1":
        single = chunks(run.by_id[:SINGLE_CALLS], 1)
        results["single_call_commands_per_second"] = rate(
            len(single), lambda: seconds_of(run, single, whole=False), repeats)
        results["latency_ns"] = bench_latency(run)
    return {f"{name.lower()}_{key}": value for key, value in results.items()}


def bench_latency(run: Run) -> dict[str, float]:
    """Of each of the first commands in the batch path, both reads of the counter included."""
    data = run.by_id[:LATENCY_COMMANDS].view(np.uint8)
    values = load_native("_latency").latencies_ns(run.opening, data).tolist()
    return {"p50": percentile(values, 50), "p99": percentile(values, 99), "p999": percentile(values, 99.9)}


def seconds_of_calls(run: Run, frames: list[bytes]) -> float:
    """Time of one apply_one() per command."""
    exchange = run.exchange()
    apply_one = exchange.apply_one
    gc.collect()
    gc.disable()
    started = time.process_time()
    for frame in frames:
        apply_one(frame)
    elapsed = time.process_time() - started
    gc.enable()
    return elapsed


def bench_calls(quick: bool) -> dict[str, object]:
    """One Python call per command, ours and the peers' in turn; what a peer fills is asserted where it tells."""
    count = PEER_COMMANDS[quick]
    run = Run(make_flow("W1", count))
    frames = [row.tobytes() for row in run.by_id]
    found = peers(run.flow.records.tolist())
    rates: dict[str, list[float]] = {"per_call": []}
    for _ in range(REPEATS[quick]):
        rates["per_call"].append(count / seconds_of_calls(run, frames))
        for name, peer in found.items():
            if not isinstance(peer, str):
                rates.setdefault(name, []).append(count / _checked(name, peer, run.flow))
    results: dict[str, Any] = {f"{name}_commands_per_s": figure(values).median for name, values in rates.items()}
    results |= {f"{name}_commands_per_s": peer for name, peer in found.items() if isinstance(peer, str)}
    best = max(figure(values).median for name, values in rates.items() if name != "per_call")
    return results | {"per_call_times_best_peer": round(figure(rates["per_call"]).median / best, 1)}


def _checked(name: str, peer: Timed, flow: Flow) -> float:
    seconds, volume = peer()
    assert volume in (None, flow.totals.volume), f"{name} filled {volume}, expected {flow.totals.volume}"
    return seconds


def bench_growth(quick: bool) -> dict[str, object]:
    """From 10**3 orders and 1 instrument to many: how many times a command's cost, and the worst pause on the way."""
    orders, instruments = GROWTH_ORDERS[quick], GROWTH_INSTRUMENTS[quick]
    small, large = cost(1000, 1, GROWTH_COMMANDS), cost(orders, 1, GROWTH_COMMANDS)
    sized = cost(orders, 1, GROWTH_COMMANDS, sized=True)
    one, many = cost(10**5, 1, GROWTH_COMMANDS), cost(10**5, instruments, GROWTH_COMMANDS)
    return {
        "growth_orders": orders, "growth_orders_ratio": round(large.command_ns / small.command_ns, 2),
        "growth_orders_ns": [small.command_ns, large.command_ns],
        "growth_instruments": instruments, "growth_instruments_ratio": round(many.command_ns / one.command_ns, 2),
        "growth_instruments_ns": [one.command_ns, many.command_ns],
        "growth_pause_us": large.pause_us, "growth_sized_pause_us": sized.pause_us}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="bench.core", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help=f"only the first {QUICK_COMMANDS:,} commands of each flow")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    commands = QUICK_COMMANDS if options.quick else COMMANDS
    results: dict[str, Any] = {"machine": machine(), "commands": commands, "chunk_commands": CHUNK_COMMANDS}
    for name in RECIPES:
        results |= bench_flow(name, commands, REPEATS[options.quick])
    results |= {f"{flow}_{unit}_per_s": results[f"{flow}_{unit}_per_second"].median
                for flow, unit in (("w1", "commands"), ("w2", "fills"), ("w3", "commands"))}
    results |= bench_calls(options.quick) | bench_growth(options.quick)
    emit(results, options.json)


if __name__ == "__main__":
    main()
