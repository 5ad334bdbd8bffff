"""The processes of a simulated venue and who starts them again: exchange, follower, ledger, snapshots; customers."""
import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from engine.config import Config
from engine.core.unpack import Event
from engine.errors import Busy, DataDirLocked, Stopped
from engine.follower import follow
from engine.frames import Frame
from engine.positions import positions, tell_position
from engine.service import Engine
from tests.support.flow import Flow
from tests.system.simulator.auditor import Auditor, split
from tests.system.simulator.disk import Disk
from tests.system.simulator.loop import SimLoop
from tests.system.simulator.network import Network
from tests.system.simulator.small_core import small_core
from tests.system.simulator.store import SimPostgres
from tests.system.simulator.world import MS, Killed, Process, World
from workers.ledger import Ledger
from workers.ledger_errors import LedgerFenced
from workers.snapshots import Snapshots

_Body = Callable[[], Coroutine[Any, Any, None]]


class Role:
    """One kind of process: starts it, and again after its end, as `buttonwood up` does."""

    def __init__(self, venue: "Venue", name: str, body: _Body, *, restarts: bool = True) -> None:
        self.venue, self.name, self._body, self._restarts = venue, name, body, restarts
        self.process: Process | None = None
        self.starts = 0
        self.armed: tuple[int, Callable[[], None] | None] | None = None     # for the next process: Process.arm
        self._dice = venue.world.dice(f"starts of {name}")

    def start(self) -> None:
        """A new process."""
        self.starts += 1
        world = self.venue.world
        process = self.process = Process(world, f"{self.name} {self.starts}")
        loop = SimLoop(world, process, self.venue.network)
        self.venue.processes.append(process)
        process.at_death.append(self._again)
        if self.armed is not None:
            process.arm(*self.armed)
            self.armed = None
        task = loop.create_task(self._body())
        task.add_done_callback(lambda _: self._ended(task, process, loop))
        world.told(f"{process.name} starts")

    def _ended(self, task: asyncio.Task[None], process: Process, loop: SimLoop) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, Killed):
            self.venue.ended(self, error)
        process.kill()

    def _again(self) -> None:
        if self._restarts and self.venue.open:
            self.venue.world.after(self._dice.choice((1, 10, 200)) * MS + self._dice.randrange(MS), self.start)


class Venue:
    """Everything of one schedule."""

    def __init__(self, world: World, disk: Disk, config: Config) -> None:
        self.world, self.disk, self.config = world, disk, config
        self.network, self.postgres = Network(world), SimPostgres(world)
        self.auditor = Auditor(world, disk, str(config.paths.journal))
        self.open = True                        # ended processes are started again
        self.engine: Engine | None = None       # of the exchange that runs
        self.replica = small_core()               # of the follower: lives longer than its processes
        self.rivals = 0
        self.processes: list[Process] = []      # all that ever lived
        self.exchange = Role(self, "exchange", self._exchange)
        self.follower = Role(self, "follower", self._follower)
        self.ledger = Role(self, "ledger", self._ledger)
        self.snapshots = Role(self, "snapshots", self._snapshots)
        self.rival = Role(self, "rival", self._ledger, restarts=False)
        self.intruder = Role(self, "intruder", self._intruder, restarts=False)
        self.roles = [self.exchange, self.follower, self.ledger, self.snapshots, self.rival, self.intruder]
        self._closing: asyncio.Event | None = None

    # bodies

    async def _exchange(self) -> None:
        auditor, engine = self.auditor, None
        auditor.starts()
        assert self.exchange.process is not None
        self.exchange.process.at_death.append(self._without_engine)

        def listener(frame: Frame, _: list[Event]) -> None:
            if engine is None:
                auditor.replays(frame)
            else:
                auditor.durable(frame, engine.core)

        self._closing = closing = asyncio.Event()
        engine = await Engine.open(self.config, listener, begin=auditor.begins, clock=self.world.clock_ns)
        auditor.started(engine.epoch, engine.core)
        if "follower" not in positions(self.config.paths.positions):    # who tells nothing is not waited for
            tell_position(self.config.paths.positions, "follower", self.replica.seq)
        self.engine = engine
        waits = asyncio.ensure_future(closing.wait())
        await asyncio.wait([waits, engine.failed], return_when=asyncio.FIRST_COMPLETED)
        self.engine = None
        if closing.is_set():
            await engine.close()

    def _without_engine(self) -> None:
        self.engine = None

    async def _follower(self) -> None:
        async for frame in follow(self.config.paths.dropcopy, self.replica.seq + 1):
            if frame.count:
                self.replica.apply(frame.commands)
                self.auditor.heard("the follower", frame, self.replica)
                with suppress(OSError):
                    tell_position(self.config.paths.positions, "follower", self.replica.seq)

    async def _ledger(self) -> None:
        await Ledger(self.config).run()

    async def _snapshots(self) -> None:
        await Snapshots(self.config).run()

    async def _intruder(self) -> None:
        """A second exchange on the same data directory: it must be sent away, or it is the only one."""
        with suppress(DataDirLocked):
            await Engine.open(self.config, clock=self.world.clock_ns)
            if self.exchange.process is not None and self.exchange.process.alive and self.engine is not None:
                self.auditor.fail("two exchanges have opened one data directory")

    # what befalls them

    def ended(self, role: Role, error: BaseException) -> None:
        """A process has ended by itself: some ends are in order."""
        fault = isinstance(error, OSError) or isinstance(error.__cause__, OSError)
        exchange = role in (self.exchange, self.intruder)
        fine = (isinstance(error, LedgerFenced) and self.rivals) or (exchange and fault) or (
            isinstance(error, DataDirLocked) and self.intruder.starts and role is self.exchange)
        text = f"{role.name} ends: {error!r}".replace(self.disk.root, "")
        if fine:
            self.world.told(text)
        else:
            self.auditor.fail(text)
            self.open = False

    def stop_exchange(self) -> None:
        """Ask it to end in good order."""
        process = self.exchange.process
        if self._closing is not None and process is not None and process.alive and not process.paused:
            process.loop.call_soon(self._closing.set)

    def lose_power(self) -> None:
        """Everything dies at once, and the disk forgets."""
        self.world.told("power is lost")
        for role in self.roles:
            if role.process is not None:
                role.process.kill()
        self.disk.lose_power()

    @property
    def up_to_date(self) -> bool:
        """All serve, and have seen everything."""
        engine = self.engine
        alive = engine is not None and self.exchange.process is not None and self.exchange.process.alive
        return bool(alive and engine is not None and not engine.pending
                    and self.replica.seq == self.postgres.seq == engine.seq)

    def end(self) -> None:
        """Kill everything and take it apart while the simulated calls still stand."""
        self.open = False
        for role in self.roles:
            if role.process is not None:
                role.process.kill()
        for process in self.processes:
            process.loop.take_apart()


class Customers:
    """Send commands to whatever exchange runs; what is refused or never answered is not sent again."""

    def __init__(self, venue: Venue, commands: int, seed: int) -> None:
        self._venue, self.left = venue, commands
        self._flow, self._dice = Flow(seed, 3), venue.world.dice("customers")
        self.refused = 0
        self._pause_ns = self._dice.choice((200_000, 2 * MS, 10 * MS))
        self._configured: Engine | None = None

    def start(self) -> None:
        """Begin to send."""
        self._venue.world.after(self._dice.randrange(1, self._pause_ns), self._send)

    def _send(self) -> None:
        process, engine = self._venue.exchange.process, self._venue.engine
        if engine is not None and process is not None and process.alive and not process.paused:
            process.loop.call_soon(self._submit, engine)
        if self.left > 0:
            self.start()

    def _submit(self, engine: Engine) -> None:
        if not self._venue.auditor.journal and self._configured is not engine:
            batch, self._configured = self._flow.setup(), engine
        else:
            batch = self._flow.commands(self._dice.choice((1, 1, 2, 5)))
        commands = split(memoryview(bytes(batch)))
        self.left -= len(commands)
        try:
            engine.submit(batch, self._venue.auditor.answer(commands))
        except (Busy, Stopped):
            self.refused += len(commands)

