"""The exchange as a process: its snapshot is being loaded natively while the gateway's modules are imported."""
from importlib import import_module

from buttonwood.early_load import EarlyLoad
from engine.config import Config


async def serve(config: Config) -> None:
    """Run until cancelled; as gateway.exchange."""
    early = EarlyLoad(config)
    await import_module("gateway.exchange").serve(config, early.take)
