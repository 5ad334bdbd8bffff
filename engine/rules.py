"""Settings that are part of the core's state: told to it as a sequenced command when they are not what it has.

Every replica so follows the same rules from the same command on, whatever its own configuration says.
"""
import asyncio
import logging

from engine.config import Core
from engine.core.batch import Batch
from engine.errors import Busy
from engine.service import Engine

_log = logging.getLogger(__name__)


async def keep_rules(engine: Engine, rules: Core) -> None:
    """Returns when the core has the settings; if it takes no commands now, the next start tries again."""
    if engine.core.remembered_max == rules.remembered_client_ids:
        return
    batch, done = Batch(), asyncio.get_running_loop().create_future()
    batch.remember(rules.remembered_client_ids)
    try:
        engine.submit(batch, lambda *_: done.set_result(None))
    except Busy as error:
        _log.error("core.remembered_client_ids stays %d: %s", engine.core.remembered_max, error)
        return
    await asyncio.wait([done, engine.failed], return_when=asyncio.FIRST_COMPLETED)
