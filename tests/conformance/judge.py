"""Runs in an environment that has kosoku: `python judge.py ws://HOST:PORT/PATH [CASE ...]`; no cases: all.

kosoku (Apache-2.0, from PyPI) drives the Autobahn test suite's own case files. Prints a JSON list, one object a case;
`echoes` says whether the case wants its messages back.
"""
import asyncio
import json
import sys

from kosoku import FailureError, run_fuzzingclient

AT_ONCE = 4


def echoes(case: str, expected: dict) -> bool:
    """Of the sequences of events that are good, one has a message; cases 9.x look at what came back by themselves."""
    return case.startswith("9.") or any(
        event[0] == "message" for sequence in expected.values() for event in sequence)


async def main(address: str, cases: list[str]) -> None:
    """Ask the server there."""
    try:
        results = await run_fuzzingclient(address, cases or None, None, concurrency=AT_ONCE)
    except FailureError as failure:
        results = failure.results
    print(json.dumps([{
        "case": each.case_id, "behavior": each.behavior.value, "close": each.behavior_close.value,
        "code": each.remote_close_code, "echoes": echoes(each.case_id, each.expected)} for each in results]))


asyncio.run(main(sys.argv[1], sys.argv[2:]))
