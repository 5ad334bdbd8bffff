"""Metrics: the text Prometheus reads, what a real engine says in it, and a listener that rude callers do not harm."""
import asyncio
import json
import re
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from engine.config import Metrics as Settings
from engine.engine_metrics import engine_metrics
from engine.errors import ConfigError
from engine.follower import follow
from engine.metrics import Metrics
from engine.metrics_server import CONNECTIONS_MAX, REQUEST_BYTES_MAX, MetricsServer
from tests.engine.stage import config_for, credits, opened, run, send, setup
from tests.support.waiting import SECONDS_MAX, until
from tests.system.processes import part

SHOWN = Settings(host="127.0.0.1", exchange_port=0, ledger_port=0)
LINE = re.compile(r'^(?:# (?:HELP|TYPE) .+|[a-z_]+(?:\{[a-z]+="[^"]*"\})? (?:[-+0-9.e]+|\+Inf))$')


def values(text: str) -> dict[str, float]:
    """Samples by name with labels; every line must be in the format."""
    lines = text.splitlines()
    assert all(LINE.match(line) for line in lines), text
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=SECONDS_MAX) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return str(answer.read().decode())


def test_the_text_is_what_prometheus_reads():
    metrics = Metrics()
    metrics.gauge("one", "a number", lambda: 2.5)
    metrics.gauges("many", "with labels", lambda: [((("who", "x"),), 1), ((("who", "y"),), 2**53 + 1)])
    metrics.counter("rising", "only up", lambda: 7)
    times = metrics.histogram("time_seconds", "how long", (0.001, 0.01))
    for value in (0.001, 0.002, 5):
        times.observe(value)
    assert metrics.render().decode() == """\
# HELP one a number
# TYPE one gauge
one 2.5
# HELP many with labels
# TYPE many gauge
many{who="x"} 1
many{who="y"} 9007199254740993
# HELP rising only up
# TYPE rising counter
rising 7
# HELP time_seconds how long
# TYPE time_seconds histogram
time_seconds_bucket{le="0.001"} 1
time_seconds_bucket{le="0.01"} 2
time_seconds_bucket{le="+Inf"} 3
time_seconds_sum 5.003
time_seconds_count 3
"""


def test_a_quantile_is_the_bound_of_its_bucket():
    times = Metrics().histogram("t", "t", (1, 2, 4))
    assert times.quantile(0.5) == 0
    for value in (0.5, 1.5, 1.7, 3):
        times.observe(value)
    assert [times.quantile(share) for share in (0.25, 0.5, 0.99)] == [1, 2, 4]
    times.observe(9)
    assert times.quantile(0.99) == float("inf")


def test_an_engine_counts_frames_and_followers(tmp_path: Path):
    async def story() -> None:
        config = config_for(tmp_path)
        async with opened(config) as engine:
            metrics = engine_metrics(engine)
            await send(engine, setup())
            for size in (1, 3, 8):
                await send(engine, credits(size))
            frames = follow(config.paths.dropcopy, 1)
            await anext(frames)
            await until(lambda: all(follower.unsent_bytes == 0 for follower in engine.dropcopy.followers))
            found = values(metrics.render().decode())
            assert (found["buttonwood_durable_seq"], found["buttonwood_applied_seq"]) == (16, 16)
            assert (found["buttonwood_epoch"], found["buttonwood_pending_commands"]) == (1, 0)
            assert found["buttonwood_frame_commands_count"] == 4 and found["buttonwood_frame_commands_sum"] == 16
            assert found['buttonwood_frame_commands_bucket{le="4"}'] == 3
            assert found["buttonwood_write_seconds_count"] == 4 and 0 < found["buttonwood_write_seconds_sum"] < 4
            assert found['buttonwood_follower_unsent_bytes{follower="1"}'] == 0
            await frames.aclose()  # type: ignore[attr-defined]
    run(story())


def test_a_follower_that_does_not_read_is_seen(tmp_path: Path):
    async def story() -> None:
        config = config_for(tmp_path, limits={"follower_buffer_bytes_max": 4096},
                            journal={"segment_bytes": 4_000_000, "frame_commands_max": 4096})
        async with opened(config) as engine:
            metrics = engine_metrics(engine)
            frames = follow(config.paths.dropcopy, 1)
            await send(engine, setup())
            await anext(frames)
            for _ in range(40):
                await send(engine, credits(1000))
            name = 'buttonwood_follower_unsent_bytes{follower="1"}'
            behind = values(metrics.render().decode())[name]
            assert 1_000_000 < behind < 40 * 129_000
            async for frame in frames:
                if frame.end_seq > 40_000:
                    break
            await until(lambda: values(metrics.render().decode())[name] == 0)
            await frames.aclose()  # type: ignore[attr-defined]
    run(story())


async def raw(url: str, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.split(":")[2].split("/")[0]))
    try:
        writer.write(data)
        async with asyncio.timeout(SECONDS_MAX):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def test_only_metrics_are_there_and_rude_callers_are_cut(monkeypatch: pytest.MonkeyPatch):
    async def story() -> None:
        metrics = Metrics()
        metrics.gauge("one", "a number", lambda: 1)
        server = await MetricsServer.start(lambda: metrics, SHOWN, 0)
        assert server is not None
        assert "one 1" in await asyncio.to_thread(read, server.url)
        with pytest.raises(urllib.error.HTTPError, match="404"):
            await asyncio.to_thread(read, server.url.replace("metrics", "secrets"))
        assert (await raw(server.url, b"x" * (REQUEST_BYTES_MAX + 1))).startswith(b"HTTP/1.1 431")
        assert (await raw(server.url, b"\0\r\n\r\n")).startswith(b"HTTP/1.1 404")
        monkeypatch.setattr("engine.metrics_server.SECONDS_MAX", 0.2)
        assert await raw(server.url, b"GET /metrics") == b""
        slow = [asyncio.create_task(raw(server.url, b"GET")) for _ in range(CONNECTIONS_MAX + 4)]
        assert set(await asyncio.gather(*slow)) == {b""}
        await until(lambda: not server.connections)
        monkeypatch.undo()
        assert "one 1" in await asyncio.to_thread(read, server.url)
        port = int(server.url.split(":")[2].split("/")[0])
        with pytest.raises(ConfigError, match=rf"127.0.0.1:{port}.*\[metrics\]"):
            await MetricsServer.start(lambda: metrics, SHOWN, port)
        await server.close()
    run(story())


def test_without_a_host_nothing_is_made():
    async def story() -> None:
        assert await MetricsServer.start(lambda: pytest.fail("made"), Settings(), 0) is None
    run(story())


def test_the_exchange_process_says_where_its_metrics_are(tmp_path: Path):
    settings = tmp_path / "venue.toml"
    settings.write_text(f'data_dir = "{tmp_path / "data"}"\nexchange.port = 0\njournal.segment_bytes = 4194304\n'
                        'metrics.host = "127.0.0.1"\nmetrics.exchange_port = 0\n')
    with part(settings, "exchange") as exchange:
        found = values(read(exchange.ready["metrics"]))
        assert found["buttonwood_durable_seq"] == 0 and found["buttonwood_epoch"] == 1, json.dumps(found)
