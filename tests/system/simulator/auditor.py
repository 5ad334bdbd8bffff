"""Knows what was taken, what is durable and what was answered, and looks whether everybody tells the same story.

The journal after a crash must be the journal as it was known to be durable, then a beginning of what had been taken
since, in that order: so nothing acknowledged is lost, nothing is doubled, moved or invented.
"""
from collections.abc import Callable, Iterable
from pathlib import Path

from engine.core.exchange import Exchange
from engine.core.unpack import Event
from engine.errors import JournalError
from engine.frames import Frame
from engine.journal import read_frames
from engine.records import RECORD_BYTES
from tests.system.simulator.disk import Disk
from tests.system.simulator.small_core import small_core
from tests.system.simulator.world import World


def split(commands: memoryview) -> list[bytes]:
    """Commands one by one."""
    return [bytes(commands[at:at + RECORD_BYTES]) for at in range(0, len(commands), RECORD_BYTES)]


def unstamped(command: bytes) -> bytes:
    """Without sequence number and time."""
    return command[:16] + command[32:]


class Auditor:
    """`failures` is what is not as promised; a schedule without any has passed."""

    def __init__(self, world: World, disk: Disk, journal: str) -> None:
        self.failures: list[str] = []
        self.journal: list[bytes] = []          # every command known to be durable, as stamped
        self.acked = self.recoveries = 0        # commands answered; starts of an engine
        self.hashes: dict[int, int] = {}        # of the state after a command
        self._world, self._disk, self._folder = world, disk, journal
        self._taken: list[bytes] = []           # since the journal was last read, behind what was in it
        self._base = 0
        self._replayed: list[bytes] = []
        self._epoch = self._time_ns = 0

    def fail(self, text: str) -> None:
        """Something is wrong."""
        self.failures.append(text)
        self._world.told(f"WRONG: {text}")

    # a start

    def starts(self) -> None:
        """An engine begins to read the journal."""
        self._replayed = []

    def begins(self, core: Exchange) -> None:
        """What is told begins behind this state, which a snapshot may hold: the commands before are not read again."""
        known = self.journal[:core.seq]
        if len(known) < core.seq:       # whole on the disk, though nobody had been told
            for frame in read_frames(Path(self._folder), len(known) + 1):
                known += split(frame.commands)
        self._replayed = known[:core.seq]
        if core.seq <= len(self.journal) and core.state_hash() != self._hash(core.seq):
            self.fail(f"recovery: the state at command {core.seq}, from where is told, is another than before")

    def _hash(self, seq: int) -> int:
        if seq not in self.hashes:      # a mark in the middle of a frame
            core = small_core()
            core.apply(b"".join(self.journal[:seq]))
            self.hashes[seq] = core.state_hash()
        return self.hashes[seq]

    def replays(self, frame: Frame) -> None:
        """A frame it has found there."""
        self._replayed += split(frame.commands)

    def started(self, epoch: int, core: Exchange) -> None:
        """It has found everything and serves."""
        self.recoveries += 1
        found, known = self._replayed, self.journal
        if found[:len(known)] != known:
            same = next((at for at, (a, b) in enumerate(zip(found, known, strict=False)) if a != b), len(found))
            self.fail(f"recovery: {len(known)} commands were durable, {self.acked} answered, {len(found)} are found, "
                      f"the same up to {same}")
        extra = [unstamped(command) for command in found[len(known):]]
        possible = self._taken[len(known) - self._base:]
        if extra != possible[:len(extra)]:
            self.fail(f"recovery: of {len(extra)} commands behind {len(known)} some were not sent, or are out of place")
        self._check_numbers(found, 0)
        if epoch <= self._epoch:
            self.fail(f"epoch {epoch} after epoch {self._epoch}")
        if self.hashes.setdefault(core.seq, core.state_hash()) != core.state_hash():
            self.fail(f"recovery: the state at command {core.seq} is another than before")
        self._epoch, self.journal = epoch, found
        self._base, self._taken = len(found), []

    def _check_numbers(self, commands: list[bytes], before: int) -> None:
        for number, command in enumerate(commands, before + 1):
            seq, time_ns = (int.from_bytes(command[at:at + 8], "little") for at in (16, 24))
            if seq != number or (before and time_ns < self._time_ns):
                self.fail(f"command {number} has number {seq} and time {time_ns}")

    # a run

    def taken(self, commands: list[bytes]) -> None:
        """The engine has accepted these, in this order."""
        self._taken += [unstamped(command) for command in commands]

    def durable(self, frame: Frame, core: Exchange) -> None:
        """The engine says that this frame is on the disk."""
        commands = split(frame.commands)
        place = len(self.journal) - self._base
        if [unstamped(command) for command in commands] != self._taken[place:place + len(commands)]:
            self.fail(f"the frame at command {frame.first_seq} is not what was taken")
        if not self._on_disk(bytes(frame.commands), frame.first_seq):
            self.fail(f"command {frame.first_seq} is called durable, a power loss would lose it")
        self._check_numbers(commands, len(self.journal))
        if frame.epoch != self._epoch:
            self.fail(f"a frame of epoch {frame.epoch} in a run of epoch {self._epoch}")
        self._time_ns = int.from_bytes(commands[-1][24:32], "little")
        self.journal += commands
        self.hashes[core.seq] = core.state_hash()

    def _on_disk(self, commands: bytes, first_seq: int) -> bool:
        paths = [path for path in self._disk.files if path.startswith(self._folder) and path.endswith(".journal")]
        begins = {int(path[-28:-8]): path for path in paths}
        return self._disk.has_durably(commands, begins[max(seq for seq in begins if seq <= first_seq)])

    def answer(self, commands: list[bytes]) -> Callable[[int, list[Event]], None]:
        """The callback for these commands; it is called once."""
        called: list[int] = []

        def done(first_seq: int, _: list[Event]) -> None:
            called.append(first_seq)
            journaled = self.journal[first_seq - 1:first_seq - 1 + len(commands)]
            if len(called) > 1 or [unstamped(a) for a in journaled] != [unstamped(b) for b in commands]:
                self.fail(f"answer {len(called)} for commands at {first_seq} that are not in the journal")
            self.acked += len(commands)

        return done

    def read(self, frames: Iterable[Frame]) -> None:
        """All that is left of the journal, from its oldest segment on."""
        try:
            for frame in frames:
                begin = frame.first_seq - 1
                if split(frame.commands) != self.journal[begin:begin + frame.count]:
                    self.fail(f"the journal's frame at {frame.first_seq} is not what was durable")
        except JournalError as error:
            self.fail(f"the journal cannot be read: {error}")

    # readers

    def heard(self, who: str, frame: Frame, core: Exchange) -> None:
        """A follower has applied a frame."""
        begin = core.seq - frame.count
        if frame.first_seq != begin + 1:
            self.fail(f"{who}: frame {frame.first_seq} after command {begin}")
        elif split(frame.commands) != self.journal[begin:core.seq]:
            self.fail(f"{who}: heard at {frame.first_seq} what is not in the journal")
        if self.hashes.get(core.seq, core.state_hash()) != core.state_hash():
            self.fail(f"{who}: the state at command {core.seq} is not the engine's")
