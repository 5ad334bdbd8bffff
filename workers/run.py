"""The worker process: any of its roles side by side, each with its own replica. One that fails ends all of them."""
from collections.abc import Callable
from typing import Protocol

from engine.config import Config
from engine.errors import ConfigError
from engine.metrics_server import MetricsServer
from engine.ready import announce
from workers.ledger import Ledger
from workers.market_data import MarketData
from workers.snapshots import Snapshots
from workers.together import together
from workers.verify_result import add_metrics


class Role(Protocol):
    """Made from a Config; `run` ends only by cancellation or failure."""

    async def run(self) -> None:
        """Work."""


ROLES: dict[str, Callable[[Config], Role]] = {
    "ledger": Ledger, "market_data": MarketData, "snapshots": Snapshots}


async def serve(config: Config, roles: list[str]) -> None:
    """Run these roles until cancelled; announces itself once the ledger, if it is among them, has caught up.

    Raises ConfigError for an unknown role, and whatever ends a role.
    """
    unknown = sorted(set(roles) - set(ROLES))
    if unknown or not roles:
        raise ConfigError(f"worker roles {unknown or 'missing'}: choose from {', '.join(ROLES)}")
    running = [ROLES[role](config) for role in dict.fromkeys(roles)]
    await together(*(role.run() for role in running), _announce(config, running, roles))


async def _announce(config: Config, running: list[Role], roles: list[str]) -> None:
    """The metrics are the ledger's: a worker without it has none."""
    fields = {}
    for role in running:
        if isinstance(role, Ledger):
            add_metrics(role.meter.metrics, config.paths.verified)
            server = await MetricsServer.start(role.meter.shown, config.metrics, config.metrics.ledger_port)
            fields = {"metrics": server.url} if server is not None else {}
            await role.ready.wait()
    announce("worker", roles=roles, **fields)
