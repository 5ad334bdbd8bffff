"""With logs.format = "json" whatever a process has to say is one object a line, and people still get it in words."""
import json
import logging
import os
import signal
import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from buttonwood.embedded import temporary_data_dir
from buttonwood.process_log import JsonLines, words
from buttonwood.server_process import last_lines
from tests.support.waiting import wait_until
from tests.system.processes import finished
from tests.system.running_venue import RunningVenue

MEMBERS = {"time", "level", "logger", "role", "pid", "message"}
PROCESS = """
import asyncio, logging, threading, warnings
from buttonwood.run_command import run
from engine.config import Logs
from engine.errors import ConfigError

def fail(error):
    raise error

async def main():
    logging.info("two\\nlines", extra={"peer": "h:1"})
    logging.debug("not asked for")
    asyncio.get_running_loop().call_soon(fail, KeyError("in a callback"))
    thread = threading.Thread(target=fail, args=[OSError("in a thread")])
    thread.start()
    thread.join()
    warnings.warn("old")
    await asyncio.sleep(0)
    raise LAST

raise SystemExit(run(main, Logs(format=FORMAT, level="info"), "exchange"))
"""


def record(message: object = "m", *arguments: object, **extra: Any) -> logging.LogRecord:
    return logging.getLogger("a.b").makeRecord("a.b", logging.WARNING, "f.py", 1, message, arguments, None, extra=extra)


def told(log: logging.LogRecord) -> dict[str, Any]:
    """What one record is as JSON; it must be one line."""
    line = JsonLines("feed").format(log)
    assert "\n" not in line
    members: dict[str, Any] = json.loads(line)
    assert members.keys() >= MEMBERS
    return members


def run_process(last: str, form: str = "json") -> tuple[int, list[str]]:
    """Exit status and lines of a process whose work ends with the exception `last`."""
    program = PROCESS.replace("LAST", last).replace("FORMAT", repr(form))
    done = finished([sys.executable, "-c", program], cwd=Path(__file__).parents[2])
    return done.returncode, done.stderr.splitlines()


def test_the_members_of_a_line():
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    line = told(record("%s of %d", "one", 2))
    assert before <= datetime.strptime(line.pop("time"), "%Y-%m-%dT%H:%M:%S.%f%z") <= datetime.now(UTC)
    assert line == {"level": "warning", "logger": "a.b", "role": "feed", "pid": os.getpid(), "message": "one of 2"}


def test_the_time_is_utc_with_microseconds_also_at_a_whole_second():
    log = record()
    log.created = 1_800_000_000.0
    assert told(log)["time"] == "2027-01-15T08:00:00.000000Z"


def test_extra_fields_are_members_and_never_hide_ours():
    line = told(record(peer="h:1", seq=7, path=Path("/x"), level="mine", role="mine"))
    assert (line["peer"], line["seq"], line["path"]) == ("h:1", 7, "/x")
    assert (line["level"], line["role"]) == ("warning", "feed")


@pytest.mark.parametrize("text", ["two\nlines", "two\r\nlines", "\x00\x1b[2J", "\u2028\x85", "\"}{"])
def test_any_text_is_one_line(text):
    assert told(record(text, note=text)).items() >= {"message": text, "note": text}.items()


def test_what_is_no_utf8_is_shown_escaped():
    line = told(record("file \udcff", name_="\udcff", seq=7))
    assert line["message"] == "file \\udcff" and "udcff" in line["name_"] and line["seq"] == "7"


def test_arguments_that_do_not_fit_are_shown_beside_the_text():
    assert told(record("%d orders", "no"))["message"] == "%d orders ('no',)"


def test_whatever_ends_a_process_is_a_line():
    status, lines = run_process("ExceptionGroup('both', [ValueError('a\\nb')])")
    members = [json.loads(line) for line in lines]
    assert status == 1 and all(each.keys() >= MEMBERS and each["role"] == "exchange" for each in members)
    assert members[0].items() >= {"message": "two\nlines", "peer": "h:1", "level": "info"}.items()
    failures = [each.get("exception", "") for each in members]
    for error in ("OSError: in a thread", "KeyError: 'in a callback'", "ValueError: a\n"):
        assert sum(error in failure for failure in failures) == 1, lines
    assert any("old" in each["message"] and each["logger"] == "py.warnings" for each in members)
    assert members[-1]["level"] == "critical" and "Traceback" in members[-1]["exception"]


def test_a_refusal_is_a_line_and_the_supervisor_quotes_its_words(tmp_path):
    status, lines = run_process("ConfigError('the journal\\nis torn')")
    assert status == 3 and json.loads(lines[-1])["message"] == "the journal is torn"
    log = tmp_path / "part.log"
    log.write_text("\n".join(lines) + "\n")
    assert last_lines(log, 1) == f"the journal is torn (see {log})"


def test_text_stays_as_it_is():
    status, lines = run_process("ConfigError('no')", "text")
    assert status == 3 and lines[-1] == "buttonwood: no" and lines[0].endswith(" INFO root: two")


def test_words_of_a_line_are_for_people():
    assert words("plain text") == "plain text" and words("{1}") == "{1}"
    try:
        raise ValueError("no bread")
    except ValueError:
        log = logging.getLogger("a").makeRecord("a", logging.ERROR, "f.py", 1, "failed", (), sys.exc_info())
    assert words(JsonLines("feed").format(log)) == "failed: ValueError: no bread"


@pytest.mark.parametrize("name", ["exchange", "feed", "rest"])
def test_a_listener_says_in_json_that_its_port_is_taken(name):
    with temporary_data_dir() as folder, socket.create_server(("127.0.0.1", 0)) as taken:
        port, settings = taken.getsockname()[1], folder / "venue.toml"
        settings.write_text(f"""
            data_dir = "{folder}/venue"
            {name}.port = {port}
            logs.format = "json"
            journal.segment_bytes = 4194304
            journal.for_ledger = false
            postgres.dsn = "postgresql:///none?host={folder}"
            redis.url = "unix://{folder}/none"
        """)
        done = finished([sys.executable, "-m", "buttonwood", name, "--config", settings])
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.returncode == 3 and {line["role"] for line in lines} == {name}
    assert str(port) in lines[-1]["message"] and lines[-1]["level"] == "critical"


def test_each_line_of_a_venues_processes_decodes():
    with temporary_data_dir() as folder:
        with RunningVenue(folder / "venue", settings='[logs]\nformat = "json"\nlevel = "debug"\n') as venue:
            exchange = next(each for each in venue.family() if each.cmdline()[3:5] == ["buttonwood", "exchange"])
            exchange.send_signal(signal.SIGKILL)
            log = folder / "venue" / "logs" / "up.log"
            wait_until(lambda: log.read_text().count("exchange is ready") == 2)
        ours = {path.stem: path.read_bytes().splitlines() for path in log.parent.glob("*.log")
                if path.stem not in ("postgres", "redis")}
    roles = {name: {json.loads(line)["role"] for line in lines} for name, lines in ours.items()}
    assert roles["up"] and roles["ledger"] and roles["market-data"]
    assert all(found <= {name.replace("-", "_")} for name, found in roles.items()), roles
    assert {"up", "exchange", "ledger", "market-data", "feed", "rest"} <= roles.keys()
