"""What a killed supervisor left behind: its children's pids, noted in DATA/run/processes.json, so that the next one can
end those that are still there. Each is checked by pid and start time before it is touched.
"""
import signal
from pathlib import Path

import msgspec

from buttonwood.processes import Process, stop, wait_gone

_NAME = "processes.json"


def note_processes(run: Path, processes: list[Process]) -> None:
    """Replace the note."""
    draft = run / (_NAME + ".new")
    draft.write_bytes(msgspec.json.encode(processes))
    draft.rename(run / _NAME)


async def end_leftovers(run: Path, seconds_max: float = 3.0) -> int:
    """Wait a moment for processes of an earlier supervisor, which were told to end when it died; then end them.

    Returns how many had to be ended.
    """
    try:
        processes = msgspec.json.decode((run / _NAME).read_bytes(), type=list[Process])
    except (FileNotFoundError, msgspec.DecodeError):
        return 0
    left = [process for process in processes if not await wait_gone(process, seconds_max)]
    for process in left:
        await stop(process, signal.SIGTERM, seconds_max, signal.SIGKILL)
    (run / _NAME).unlink()
    return len(left)
