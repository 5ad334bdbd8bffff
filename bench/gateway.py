"""How long until an order sent over WebSocket is acknowledged as durable, and how many orders a second get there?

The exchange process as it is: signature, checks, sequencer, journal with fdatasync, matching (every second order
trades), FULL reply. Beside it in the same run, with the same client and orders: a plain `websockets.serve` server that
checks nothing, keeps nothing and acknowledges at once (bench/gateway_peer.py).

    python -m bench.gateway [--quick] [--json] [--directory DIR]

One order in flight on one connection; 50 connections with one in flight each; 50 connections and one connection with
orders in bursts; 20,000 orders a second whatever is unanswered. Signed REST orders, closed loop and at 500 a second,
beside a bare ASGI application on uvicorn that answers at once; there `cpu_us` is the REST process alone. `cpu_us` is
the server's own processor time per order, all threads. Servers run on core 0, the load, native clients that cost 2 us
an order, on core 1.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import uvloop

from bench.gateway_load import BUYER, HANDSHAKE, SELLER, SYMBOL, cpu_ns, http_requests, make_keys, order_frames, pin
from bench.native import load_native
from bench.report import Figure, emit, figure, machine
from buttonwood.bootstrap import bootstrap
from buttonwood.listing import AccountTerms, AssetTerms, InstrumentTerms, Listing
from engine.config import load_config
from gateway.keys import NewKey

STOP_SECONDS_MAX = 20
NS_PER_S = 10**9
REPEATS = {False: 5, True: 1}   # by --quick
SHARE = {False: 1, True: 5}     # of the orders
RICH = {"USDT": "1000000000", "BTC": "100000"}
LISTING = Listing(
    assets=[AssetTerms(code="USDT"), AssetTerms(code="BTC")],
    instruments=[InstrumentTerms(symbol=SYMBOL, base="BTC", quote="USDT", tick="0.01", lot="0.0001",
                                 max_price="1000000", max_quantity="9000")],
    accounts=[AccountTerms(id=account, label=f"account {account}", balances=RICH) for account in (BUYER, SELLER)])


class Load(NamedTuple):
    """How the orders come."""

    connections: int
    burst: int
    orders: int
    per_second: int = 0   # 0: the next orders follow the replies


LOADS = {
    "1_connection": Load(1, 1, 2000),
    "50_connections": Load(50, 1, 10_000),
    "50_connections_bursts_of_10": Load(50, 10, 40_000),
    "1_connection_bursts_of_500": Load(1, 500, 40_000),
    "50_connections_20000_per_second": Load(50, 1, 40_000, 20_000),
}
REST_LOADS = {"rest_20_connections": Load(20, 1, 10_000), "rest_500_per_second": Load(20, 1, 2000, 500)}


class Result(NamedTuple):
    """One run."""

    orders_per_second: float
    cpu_us_per_order: float
    ack_p50_us: float
    ack_p95_us: float
    ack_p99_us: float


@contextmanager
def server(*words: str) -> Iterator[tuple[int, str]]:
    """A server process that announces itself: (pid, url)."""
    process = subprocess.Popen([sys.executable, "-m", *words], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.pid, json.loads(process.stdout.readline()).get("url", "")
    finally:
        process.terminate()
        process.wait(STOP_SECONDS_MAX)
        process.stdout.close()


def run(pid: int, url: str, keys: list[NewKey], load: Load) -> Result:
    """Send one load."""
    web = url.startswith("http")
    each = load.orders // load.connections // load.burst * load.burst
    host, port = url.split("//")[1].split("/")[0].split(":")
    clients = load_native("_orders").Clients(host, int(port), b"" if web else HANDSHAKE, [
        (http_requests if web else order_frames)(keys, each) for _ in range(load.connections)])
    latencies_ns = np.zeros(each * load.connections, np.int64)
    begin_ns, cpu_before_ns = time.perf_counter_ns(), cpu_ns(pid)
    clients.run(latencies_ns, load.burst, NS_PER_S // load.per_second if load.per_second else 0)
    elapsed_ns, busy_ns = time.perf_counter_ns() - begin_ns, cpu_ns(pid) - cpu_before_ns
    clients.close()
    ranks = [float(rank) / 1000 for rank in np.percentile(latencies_ns, (50, 95, 99))]
    return Result(latencies_ns.size / elapsed_ns * NS_PER_S, busy_ns / latencies_ns.size / 1000, *ranks)


async def measure_all(folder: Path, quick: bool) -> dict[str, object]:
    """Both servers take turns, load by load; the first round warms up."""
    settings = folder / "venue.toml"
    settings.write_text(f'data_dir = "{folder / "data"}"\nexchange.port = 0\nrest.port = 0\n')
    config = load_config(settings)
    keys = make_keys(config)
    results: dict[str, list[Result]] = {}
    where = ("--config", str(settings))
    with server("buttonwood", "exchange", *where) as venue, server("bench.gateway_peer") as peer, \
            server("buttonwood", "rest", *where) as rest, server("bench.gateway_peer", "http") as http_peer:
        await bootstrap(config, LISTING)
        for pid, core in ((venue[0], 0), (peer[0], 0), (rest[0], 0), (http_peer[0], 0), (os.getpid(), 1)):
            pin(pid, core)
        turns = [(name, load, (venue, peer)) for name, load in LOADS.items()]
        turns += [(name, load, (rest, http_peer)) for name, load in REST_LOADS.items()]
        for round_number in range(REPEATS[quick] + 1):
            for name, load, servers in turns:
                load = load._replace(orders=load.orders // SHARE[quick])
                for who, (pid, url) in zip(("", "peer_"), servers, strict=True):
                    results.setdefault(who + name, []).append(run(pid, url, keys, load))
            if not round_number:
                results.clear()
    return _figures(results)


def _figures(results: dict[str, list[Result]]) -> dict[str, object]:
    figures: dict[str, object] = {}
    for name, runs in results.items():
        for field, values in zip(Result._fields, zip(*runs, strict=True), strict=True):
            all_runs = figure(values)
            figures[f"{field}_{name}"] = Figure(
                round(all_runs.median, 1), round(all_runs.low, 1), round(all_runs.high, 1))
    return figures


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round with a fifth of the orders")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--directory", type=Path, default=Path(tempfile.gettempdir()),
                        help="on the disk of the journal (default: the system's temporary directory)")
    options = parser.parse_args()
    before = machine()
    with tempfile.TemporaryDirectory(dir=options.directory) as folder:
        emit({**uvloop.run(measure_all(Path(folder), options.quick)), "machine": before}, options.json)


if __name__ == "__main__":
    main()
