"""A venue's journal and snapshots for the faults of fault_snapshots.py: small, written by the product, states known.

It has two kinds of strangers: snapshots of another venue, and of another history of this one, which went on from a
copy. Runs, orders and places of snapshots come from the dice; the clock only counts.
"""
import asyncio
import itertools
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from engine.config import Config
from engine.core.batch import Batch
from engine.core.codes import CommandKind
from engine.core.exchange import Exchange
from engine.core.unpack import unpack_events
from engine.paths import Paths
from engine.records import COMMAND, RECORD_BYTES
from engine.service import Engine
from engine.snapshot_file import list_snapshots
from engine.snapshots import take
from engine.transfers import State as Ends
from engine.transfers import Transfer, Transfers
from tests.engine.journal_faults import Sound
from tests.engine.stage import config_for, opened, send
from tests.support.flow import FIRST_ACCOUNT, USD, Flow

KEPT = 3
_ALL = 1000         # snapshots kept while a venue is made
_MARK = 0.1         # chance of a checkpoint after a batch
_HOLD = 0.3         # chance of a step of a transfer
_HOLDS = FIRST_ACCOUNT + 2
_MONEY = (CommandKind.CREDIT, CommandKind.DEBIT)
State = tuple[int, int]


class Scene:
    """states: after each command. made: every snapshot there ever was; kept: the newest of them."""

    def __init__(self, config: Config, runner: asyncio.Runner, strangers: dict[str, bytes]) -> None:
        self._config, self.paths, self.runner = config, config.paths, runner
        self.journal = Sound(config.paths.journal)
        self.made = files(config.paths)
        self.kept = dict(sorted(self.made.items())[-KEPT:])
        self.seq_of = {data: int(name[:20]) for name, data in self.made.items()}
        self.strangers = {name: data for name, data in strangers.items() if data not in self.seq_of}
        self.states = {core.seq: state_of(core, transfers) for core, transfers in _states(self.journal)}
        self.frame_of = {seq: number for number, place in enumerate(self.journal.places)
                         for seq in range(place.frame.first_seq, place.frame.end_seq)}
        for name in self.made.keys() - self.kept:
            (config.paths.snapshots / name).unlink()

    def end_seq(self, frames: int) -> int:
        """The last command of so many frames."""
        return self.journal.places[frames - 1].frame.end_seq - 1 if frames else 0

    def config(self, told_commands: int) -> Config:
        """For a start that tells so many commands."""
        return replace(self._config, snapshots=replace(self._config.snapshots, told_commands=told_commands))


def new_scene(dice: random.Random, folder: Path, runner: asyncio.Runner) -> Scene:
    """In a folder that must not exist yet."""
    venue, fork, other = (_venue(folder / name, dice) for name in ("venue", "fork", "other"))
    flow = Flow(dice.getrandbits(32), 3)
    clock = itertools.count()
    for _ in range(dice.randint(1, 3)):
        runner.run(_trade(venue, dice, flow, clock))
    _write_some(venue, dice)
    parted = Sound(venue.paths.journal).places[-1].frame.end_seq - 1
    shutil.copytree(venue.paths.journal, fork.paths.journal)
    for config, its in ((venue, flow), (fork, Flow(dice.getrandbits(32), 3)), (other, Flow(dice.getrandbits(32), 3))):
        runner.run(_trade(config, dice, its, itertools.count(next(clock) + dice.randrange(10**12))))
        _write_some(config, dice, parted)
    forked = {name: data for name, data in files(fork.paths).items() if int(name[:20]) > parted}
    return Scene(venue, runner, forked | files(other.paths))


def files(paths: Paths) -> dict[str, bytes]:
    """Snapshots by name."""
    return {path.name: path.read_bytes() for _, path in list_snapshots(paths.snapshots)}


def _venue(folder: Path, dice: random.Random) -> Config:
    stopping = {"stop_orders_max": dice.choice((0, 1000)), "keep": _ALL}
    return config_for(folder, snapshots=stopping, transfers={"holds_account": _HOLDS},
                      journal={"segment_bytes": 8192, "frame_commands_max": 24})


async def _trade(config: Config, dice: random.Random, flow: Flow, clock: Iterator[int]) -> None:
    """One run; at its end the exchange may write a snapshot itself."""
    async with opened(config, clock=clock.__next__) as engine:
        if engine.seq == 0:
            await send(engine, flow.setup())
        for _ in range(dice.randint(1, 12)):
            await send(engine, flow.commands(dice.randint(1, 8)))
            if dice.random() < _HOLD:
                await _transfer(engine, dice)
            if dice.random() < _MARK:
                await _checkpoint(engine)


async def _transfer(engine: Engine, dice: random.Random) -> None:
    """A hold begins or ends."""
    batch, known, held = Batch(), engine.transfers, list(engine.transfers.held.values())
    if held and dice.random() < 0.5:
        state = dice.choice((Ends.POSTED, Ends.VOIDED, Ends.EXPIRED))
        known.end(batch, held[0], state, dice.randint(1, held[0].amount) if state is Ends.POSTED else 0)
    else:
        known.hold(batch, Transfer(
            id=f"t{engine.seq}", account=FIRST_ACCOUNT, beneficiary=dice.choice((0, FIRST_ACCOUNT + 1)), asset=USD,
            amount=dice.randint(1, 50), until_ns=dice.choice((0, 10**12)), seq=0, time_ns=0))
    await send(engine, batch)


async def _checkpoint(engine: Engine) -> None:
    """A mark and its hash, which every replay compares."""
    for told in (False, True):
        batch = Batch()
        batch.checkpoint(*(engine.core.mark if told else ()))
        await send(engine, batch)


def _write_some(config: Config, dice: random.Random, parted: int = 0) -> None:
    """Snapshots after a few commands of the journal, also in the middle of frames, as its marks have them.

    One is made soon after the histories parted.
    """
    sound = Sound(config.paths.journal)
    end = sound.places[-1].frame.end_seq
    wanted = {dice.randrange(1, end) for _ in range(dice.randint(1, 4))}
    wanted |= {dice.choice((1, end - 1)), parted + dice.randint(1, 4)}
    for core, transfers in _states(sound):
        if core.seq in wanted:
            take(core, transfers, config.paths, _ALL)


def state_of(core: Exchange, transfers: Transfers) -> State:
    """What must be the same after each start."""
    return core.state_hash(), hash(transfers.dump())


def _states(sound: Sound) -> Iterator[tuple[Exchange, Transfers]]:
    """The same two after each command, those aside that are linked with the next one."""
    core, transfers = Exchange(), Transfers()
    yield core, transfers
    for place in sound.places:
        rows, begin = np.frombuffer(place.frame.commands, COMMAND), 0
        for number in range(len(rows)):
            if rows["kind"][number] not in _MONEY or not rows["mode"][number]:
                commands = place.frame.commands[begin * RECORD_BYTES:(number + 1) * RECORD_BYTES]
                transfers.apply(unpack_events(core.apply(commands)))
                begin = number + 1
                yield core, transfers
