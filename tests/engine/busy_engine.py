"""A process for test_kill: an engine that takes commands as fast as it can and writes down each acknowledged one.

python -m tests.engine.busy_engine FOLDER ACKS: every submission's first sequence number and size goes to ACKS when its
answer comes. Ends only by being killed.
"""
import os
import sys
from pathlib import Path

import uvloop

from engine.service import Engine
from tests.engine.stage import config_for, credits

WAITERS = 16


async def main(folder: str, acks: str) -> None:
    engine = await Engine.open(config_for(Path(folder), journal={"segment_bytes": 65536}))
    fd = os.open(acks, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def submit(size: int) -> None:
        def answered(first_seq: int, _: object) -> None:
            os.write(fd, b"%d %d\n" % (first_seq, size))
            submit(size % 8 + 1)
        engine.submit(credits(size), answered)
    for size in range(WAITERS):
        submit(size % 8 + 1)
    await engine.failed


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2]))
