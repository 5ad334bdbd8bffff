"""What the ledger worker tells about itself: how far behind Postgres is, how large batches are, how long they take."""
import time
from collections import deque

from engine.metrics import COUNTS, SECONDS, Metrics
from workers.ledger_batch import Batch

_NS = 1e9


class LedgerMeter:
    """Counts what the ledger does; `metrics` shows it."""

    def __init__(self) -> None:
        self.received_seq = self.seq = 0        # last command followed; last command known to be in Postgres
        self.retries = self.replayed = 0        # times Postgres was asked again; commands derived again at the start
        self._frames: deque[int] = deque()      # last commands of the frames on their way
        self._oldest_ns = self._begun_ns = 0    # of the batch on its way to Postgres; 0: none is
        self.metrics = metrics = Metrics()
        metrics.gauge("buttonwood_ledger_seq", "last command in Postgres", lambda: self.seq)
        metrics.gauge("buttonwood_ledger_lag_commands", "followed and not in Postgres yet", lambda: self.lag_commands)
        metrics.gauge("buttonwood_ledger_lag_frames", "followed and not in Postgres yet", lambda: len(self._frames))
        metrics.counter("buttonwood_ledger_retries_total", "Postgres was away and asked again", lambda: self.retries)
        metrics.counter("buttonwood_ledger_replayed_commands_total", "derived again from the journal at the start",
                        lambda: self.replayed)
        metrics.gauge("buttonwood_ledger_lag_seconds", "age of the oldest command on its way to Postgres, 0 if none is",
                      lambda: self.lag_seconds)
        self._commands = metrics.histogram("buttonwood_ledger_batch_commands", "commands in one transaction", COUNTS)
        self._fills = metrics.histogram("buttonwood_ledger_batch_fills", "fills in one transaction", COUNTS)
        self._commit = metrics.histogram("buttonwood_ledger_commit_seconds", "one batch, tries and waits included",
                                         SECONDS)
        self._lag = metrics.histogram("buttonwood_ledger_delay_seconds",
                                      "from a batch's oldest command to its being in Postgres", SECONDS)

    @property
    def lag_commands(self) -> int:
        """Followed and not in Postgres yet."""
        return max(0, self.received_seq - self.seq)

    @property
    def lag_seconds(self) -> float:
        """Age of the oldest command on its way."""
        return max(0, time.time_ns() - self._oldest_ns) / _NS if self._oldest_ns else 0.0

    def shown(self) -> Metrics:
        """What a listener shows."""
        return self.metrics

    def caught_up(self, seq: int) -> None:
        """The position found in Postgres at the start."""
        self.received_seq = self.seq = self.replayed = seq

    def received(self, seq: int) -> None:
        """A frame was followed, up to this command."""
        self.received_seq = seq
        self._frames.append(seq)

    def begin(self, batch: Batch) -> None:
        """A batch goes on its way."""
        self._oldest_ns, self._begun_ns = batch.oldest_ns, time.monotonic_ns()

    def committed(self, batch: Batch) -> None:
        """The batch is known to be in Postgres."""
        self._lag.observe(self.lag_seconds)
        self._commit.observe((time.monotonic_ns() - self._begun_ns) / _NS)
        self._commands.observe(batch.seq - batch.after_seq)
        self._fills.observe(len(batch.trades))
        self.seq, self._oldest_ns = batch.seq, 0
        while self._frames and self._frames[0] <= batch.seq:
            self._frames.popleft()
