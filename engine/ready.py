"""Tells whoever started this process that it is ready: one JSON line on standard output, and nothing else ever there.

Logs go to standard error, so a supervisor or a test may read the first line of standard output and know.
"""
import sys

import msgspec


def announce(role: str, **fields: object) -> None:
    """Print `{"ready": role, ...fields}` and flush it."""
    line = msgspec.json.encode({"ready": role, **fields}).decode()
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
