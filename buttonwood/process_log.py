"""How our processes log: lines of text, or one JSON object a line for programs that collect logs ([logs] format).

Promises for JSON: every line of a process of the venue is one object, also where the text has newlines, an exception is
told, or nobody caught it. Members: time (RFC 3339, UTC, microseconds), level, logger, role (the supervisor is `up`),
pid, message, where there is one exception (its text with the traceback) and stack, and whatever `extra=` gave, unless
it is called like one of these. Text remain: what Postgres and Redis write, what tools print for people, and a refusal
of the configuration itself, which would have said what to write. May go in: how a record becomes a line, and back.
"""
import logging
import sys
import threading
from datetime import UTC, datetime
from typing import Any

import msgspec

from engine.config import Logs

_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_ORDINARY = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}   # members of every record
_log = logging.getLogger("buttonwood")


def configure(logs: Logs, role: str, *handlers: logging.Handler) -> None:
    """Log as configured from now on, to these handlers (none: standard error); `role` names the process."""
    formatter = JsonLines(role) if logs.format == "json" else logging.Formatter(_TEXT)
    used = handlers or (logging.StreamHandler(sys.stderr),)
    for handler in used:
        handler.setFormatter(formatter)
    logging.basicConfig(level=logs.level.upper(), handlers=used)
    if logs.format == "json":
        _log_the_uncaught()


def log_refusal(logs: Logs, text: str) -> None:
    """Why this process does not run: one line, the last of its log."""
    if logs.format == "json":
        _log.critical("%s", text)
    else:
        print(f"buttonwood: {text}", file=sys.stderr, flush=True)


def words(line: str) -> str:
    """What a line of a log says to a person: of JSON the message and the exception's last line, else all of it."""
    try:
        told = msgspec.json.decode(line, type=_Told)
    except msgspec.DecodeError:
        return line
    return ": ".join([told.message, *told.exception.splitlines()[-1:]])


class JsonLines(logging.Formatter):
    """Makes a record one line of JSON; nothing that is logged can make it fail."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def format(self, record: logging.LogRecord) -> str:
        """See above."""
        own = self._own(record)
        extra = {key: value for key, value in vars(record).items() if key not in _ORDINARY and key not in own}
        try:
            line = msgspec.json.encode(own | extra, enc_hook=str)
        except (TypeError, ValueError, RecursionError):
            line = msgspec.json.encode(own | {ascii(key)[1:-1]: ascii(value) for key, value in extra.items()})
        return line.decode()

    def _own(self, record: logging.LogRecord) -> dict[str, Any]:
        own = {"time": datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
               "level": record.levelname.lower(), "logger": record.name, "role": self._role, "pid": record.process,
               "message": _clean(_message(record))}
        if record.exc_info:
            own["exception"] = _clean(self.formatException(record.exc_info))
        if record.stack_info:
            own["stack"] = _clean(record.stack_info)
        return own


class _Told(msgspec.Struct):
    message: str
    exception: str = ""


def _message(record: logging.LogRecord) -> str:
    """With the arguments beside it where they do not fit."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return f"{record.msg} {record.args!r}"


def _clean(text: str) -> str:
    """Half a surrogate pair, as in names of files, cannot be UTF-8: shown escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def _log_the_uncaught() -> None:
    """Python itself would write these as text."""
    logging.captureWarnings(True)
    sys.excepthook = lambda kind, error, trace: _log.critical("ended by an error", exc_info=error)
    threading.excepthook = lambda told: _log.critical("a thread ended by an error", exc_info=told.exc_value)
    sys.unraisablehook = lambda told: _log.error("an error that nobody can catch", exc_info=told.exc_value)
