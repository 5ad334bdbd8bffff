"""What befalls a simulated venue, when, and how it is healed."""
import random
from collections import Counter
from collections.abc import Callable

from tests.system.simulator.venue import Role, Venue
from tests.system.simulator.world import MS, SECOND

_SPAN_NS_MAX = 400 * MS
_FAULTS_MAX = 8


class Faults:
    """`plan` once; `over` when all have happened; `heal` ends those that last."""

    def __init__(self, venue: Venue, dice: random.Random) -> None:
        self.done = Counter[str]()
        self._venue, self._dice, self._left = venue, dice, 0
        self._crashes: list[tuple[str, Callable[[], None]]] = [
            ("kill exchange", lambda: self._kill(venue.exchange)),
            ("kill exchange in a disk call", lambda: self._kill_in_call(venue.exchange, None)),
            ("power loss", venue.lose_power),
            ("power loss in a disk call", lambda: self._kill_in_call(venue.exchange, venue.lose_power)),
            ("stop exchange", venue.stop_exchange),
            ("fsync fails", self._fail_sync),
            ("disk full", self._fill_disk),
            ("kill snapshots in a disk call", lambda: self._kill_in_call(venue.snapshots, None)),
            ("power loss in a snapshot", lambda: self._kill_in_call(venue.snapshots, venue.lose_power)),
            ("second exchange", venue.intruder.start)]
        self._all = [
            *self._crashes,
            ("kill ledger", lambda: self._kill(venue.ledger)),
            ("kill snapshots", lambda: self._kill(venue.snapshots)),
            ("kill follower", lambda: self._kill(venue.follower)),
            ("stall exchange", lambda: self._stall(venue.exchange)),
            ("stall ledger", lambda: self._stall(venue.ledger)),
            ("rival ledger", self._rival),
            ("cut connection", venue.network.cut),
            ("postgres away", self._postgres_away),
            ("answers of postgres lost", self._lose_answers),
            ("clock steps", self._step_clock)]

    @property
    def over(self) -> bool:
        """None is still to come."""
        return self._left == 0

    def plan(self) -> None:
        """Some, of a few kinds: those that meet in one schedule are what is tested."""
        kinds = self._dice.sample(self._dice.choice((self._crashes, self._all)), self._dice.randint(1, 4))
        self._left = self._dice.randint(0, _FAULTS_MAX)
        for _ in range(self._left):
            self._venue.world.at(self._dice.randrange(_SPAN_NS_MAX), lambda: self._strike(*self._dice.choice(kinds)))

    def heal(self) -> None:
        """From now on nothing goes wrong."""
        venue = self._venue
        venue.world.told("quiet")
        venue.postgres.up, venue.postgres.lost_answers = True, 0.0
        venue.disk.failing_syncs, venue.disk.capacity_bytes = 0, 2**40
        for role in venue.roles:
            if role.process is not None:
                role.process.disk_calls_left = -1
                role.process.resume()

    def _strike(self, name: str, fault: Callable[[], None]) -> None:
        self._left -= 1
        self.done[name] += 1
        self._venue.world.told(f"fault: {name}")
        fault()

    def _later(self, call: Callable[[], None], *choices_ns: int) -> None:
        self._venue.world.after(self._dice.choice(choices_ns), call)

    def _kill(self, role: Role) -> None:
        if role.process is not None:
            role.process.kill()

    def _kill_in_call(self, role: Role, how: Callable[[], None] | None) -> None:
        """Now and then in this process; else in the next one, somewhere in its start."""
        process = role.process
        if process is None:
            return
        calls = self._dice.randint(0, self._dice.choice((1, 3, 10, 30)))
        if self._dice.random() < 0.5:
            role.armed = calls, how
            process.kill()
        else:
            process.arm(calls, how)

    def _stall(self, role: Role) -> None:
        process = role.process
        if process is not None:
            process.pause()
            self._later(process.resume, 5 * MS, 100 * MS, 2 * SECOND)

    def _rival(self) -> None:
        self._venue.rivals += 1
        self._venue.rival.start()

    def _postgres_away(self) -> None:
        self._venue.postgres.up = False
        self._later(self._postgres_back, 2 * MS, 50 * MS, 3 * SECOND)

    def _postgres_back(self) -> None:
        self._venue.postgres.up = True

    def _lose_answers(self) -> None:
        self._venue.postgres.lost_answers = 0.4

    def _fail_sync(self) -> None:
        self._venue.disk.failing_syncs = self._dice.choice((1, 1, 2))

    def _fill_disk(self) -> None:
        self._venue.disk.capacity_bytes = 0
        self._later(self._free_disk, 20 * MS, 500 * MS)

    def _free_disk(self) -> None:
        self._venue.disk.capacity_bytes = 2**40

    def _step_clock(self) -> None:
        self._venue.world.clock_offset_ns += self._dice.choice((-3600, -1, 1, 86400)) * SECOND
