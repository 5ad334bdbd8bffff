"""The ledger's metrics: what it has followed, what is in Postgres, and how it says so to Prometheus."""
import asyncio
from pathlib import Path

from tests.engine.test_metrics import read, values
from tests.support.flow import Flow
from tests.support.ledger import config_for, fetch, open_engine, reached, submit
from tests.system.processes import part


def test_batches_and_lag_are_counted(tmp_path: Path, dsn: str):
    settings = tmp_path / "venue.toml"
    settings.write_text(f'data_dir = "{tmp_path}"\npostgres.dsn = "{dsn}"\nmetrics.host = "127.0.0.1"\n'
                        "metrics.ledger_port = 0\n")

    async def story() -> None:
        flow = Flow(5)
        async with open_engine(config_for(tmp_path, dsn)) as engine:
            await submit(engine, flow.setup())
            with part(settings, "worker", "ledger"):
                await reached(dsn, engine.seq, lambda: None)
            started = engine.seq
            with part(settings, "worker", "ledger") as worker:
                await submit(engine, *(flow.commands(100) for _ in range(5)))
                await reached(dsn, engine.seq, lambda: None)
                found = {"buttonwood_ledger_seq": 0.0}
                while found["buttonwood_ledger_seq"] < engine.seq:
                    found = values(await asyncio.to_thread(read, worker.ready["metrics"]))
            fills = (await fetch(dsn, "SELECT count(*) FROM trade"))[0][0]
            assert (found["buttonwood_ledger_seq"], found["buttonwood_ledger_lag_commands"]) == (engine.seq, 0)
            assert found["buttonwood_ledger_lag_seconds"] == found["buttonwood_ledger_lag_frames"] == 0
            assert found["buttonwood_ledger_retries_total"] == 0 < found["buttonwood_ledger_replayed_commands_total"]
            assert found["buttonwood_ledger_batch_commands_sum"] == engine.seq - started
            assert found["buttonwood_ledger_batch_fills_sum"] == fills > 50
            batches = found["buttonwood_ledger_commit_seconds_count"]
            assert 0 < batches == found["buttonwood_ledger_delay_seconds_count"] <= 600
            assert 0 < found["buttonwood_ledger_commit_seconds_sum"] < found["buttonwood_ledger_delay_seconds_sum"]

    asyncio.run(story())
