"""Random damage to snapshots, and to the journal beside them; each recovery is judged by an oracle of bytes.

A snapshot counts when its bytes are those of one that was made; then the journal must be read from its frame on
(tests.engine.journal_faults.expected). Whatever is found must be the end of the journal with the true hash of the
state there, and must reach the newest snapshot. `campaign(count, seed, folder)` tells how often that was not so.
"""
import asyncio
import logging
import random
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from engine.core.exchange import Exchange
from engine.errors import JournalError, SnapshotRefused
from engine.frames import Frame
from engine.recovery import recover
from tests.engine import journal_faults
from tests.engine.journal_faults import Damaged, Files, Outcome, put, store
from tests.system.fault_scene import Scene, new_scene, state_of

FAULTS_A_SCENE = 200
TOLD_COMMANDS = (1, 1, 10, 60, 100_000)     # beyond the journal: it is told as a whole
JOURNAL_TOO = 0.3           # chance of damage to the journal as well
RETENTION = 0.3             # chance that segments before the oldest snapshot are deleted


class Damage:
    """What the files of a venue hold after the faults."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.journal, self.snapshots = scene, Damaged(scene.journal), Files(scene.kept)

    def there(self) -> list[str]:
        """Names of snapshots, oldest first."""
        return sorted(name for name, data in self.snapshots.files.items()
                      if data is not None and name.endswith(".snapshot"))


Fault = Callable[[random.Random, Damage], None]


def _in_files(fault: Callable[[random.Random, Files], None]) -> Fault:
    def strike(dice: random.Random, damage: Damage) -> None:
        if any(damage.snapshots.files.values()):
            fault(dice, damage.snapshots)
    strike.__name__ = fault.__name__
    return strike


def newest_damaged(dice: random.Random, damage: Damage) -> None:
    """One, two or all of them, so that an older one or the whole journal is used."""
    for name in damage.there()[-dice.randint(1, 3):]:
        data = damage.snapshots.files[name]
        if data:
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def missing(dice: random.Random, damage: Damage) -> None:
    """The newest, so that the journal is longer; or any."""
    there = damage.there()
    for name in there[-1:] if dice.random() < 0.5 else dice.sample(there, min(1, len(there))):
        damage.snapshots.files[name] = None


def stale(dice: random.Random, damage: Damage) -> None:
    """Snapshots that had been deleted are back, alone or beside the others."""
    if dice.random() < 0.5:
        damage.snapshots.files = dict.fromkeys(damage.snapshots.files)
    for name in dice.sample(sorted(damage.scene.made), dice.randint(1, len(damage.scene.made))):
        damage.snapshots.files[name] = bytearray(damage.scene.made[name])


def draft(dice: random.Random, damage: Damage) -> None:
    """A file that was half written aside; its name was never changed."""
    name, data = dice.choice(sorted(damage.scene.made.items()))
    damage.snapshots.files[f"{name}.{dice.randint(2, 99)}.tmp"] = bytearray(data[:dice.randrange(len(data))])
    if dice.random() < 0.5:
        damage.snapshots.files[name] = None


def longer(dice: random.Random, damage: Damage) -> None:
    """More bytes than were written."""
    for name in dice.sample(damage.there(), min(1, len(damage.there()))):
        data = damage.snapshots.files[name]
        if data is not None:
            data += dice.randbytes(dice.randint(1, 600)) if dice.random() < 0.5 else bytes(dice.randint(1, 600))


def misnamed(dice: random.Random, damage: Damage) -> None:
    """One under another one's name."""
    (_, data), (name, _) = (dice.choice(sorted(damage.scene.made.items())) for _ in range(2))
    damage.snapshots.files[name] = bytearray(data)


def foreign(dice: random.Random, damage: Damage) -> None:
    """Of another venue, or of another history of this one: in the place of all, or beside them."""
    if dice.random() < 0.5:
        damage.snapshots.files = dict.fromkeys(damage.snapshots.files)
    for name in dice.sample(sorted(damage.scene.strangers), dice.randint(1, 2)):
        damage.snapshots.files[name] = bytearray(damage.scene.strangers[name])


def shorter_journal(dice: random.Random, damage: Damage) -> None:
    """It ends some frames earlier, as an old copy does."""
    places, files = damage.scene.journal.places, damage.journal.files
    end = places[dice.randrange(len(places))]
    for name in files:
        if name > end.file:
            files[name] = None
    data = files[end.file]
    if data:
        data[end.offset:] = bytes(max(0, len(data) - end.offset))


FAULTS: list[Fault] = [
    *(_in_files(fault) for fault in (journal_faults.flipped_bit, journal_faults.truncated, journal_faults.lost_tail,
                                     journal_faults.zeroed_sectors, journal_faults.swapped_sectors)),
    newest_damaged, newest_damaged, missing, stale, draft, longer, misnamed, foreign, shorter_journal]


class Verdict(Struct, frozen=True):
    """end_seq: where a recovery must end, None: none is right. refusal: whether one is in order."""

    end_seq: int | None
    refusal: bool


def judgement(damage: Damage) -> Verdict:
    """From bytes alone."""
    scene, there = damage.scene, damage.there()
    held = {name: bytes(damage.snapshots.files[name] or b"") for name in there}
    seqs = [scene.seq_of[data] for name, data in held.items() if scene.made.get(name) == data]
    foreign_there = any(data and scene.strangers.get(name) == data for name, data in held.items())
    files = sorted(name for name, data in damage.journal.files.items() if data is not None)
    begin = int(files[0][:20]) if files else 1
    starts = [0] if begin == 1 else []
    starts += [scene.frame_of[seq] for seq in seqs if begin <= seq]
    ends = {journal_faults.expected(damage.journal, start) for start in starts}
    found = {scene.end_seq(end) for end in ends if end is not None}
    assert len(found) <= 1, found
    newest = int(there[-1][:20]) if there else 0
    right = found.pop() if found else None
    if right is None or right < newest:
        return Verdict(None, True)
    return Verdict(right, None in ends or foreign_there)


class Heard:
    """What a recovery tells: the core before, then frames to the end."""

    def __init__(self) -> None:
        self.began: tuple[int, int] | None = None
        self.frames: list[Frame] = []

    def begin(self, core: Exchange) -> None:
        self.began = core.seq, core.state_hash()


def judge(scene: Scene, damage: Damage, told_commands: int, outcome: Outcome, story: str) -> None:
    """Recover from what lies there and compare with the oracle."""
    verdict, heard = judgement(damage), Heard()
    outcome.faults += 1
    try:
        recovered = scene.runner.run(recover(
            scene.config(told_commands), lambda frame, _: heard.frames.append(frame), heard.begin))
    except (JournalError, SnapshotRefused) as error:
        outcome.refused += 1
        if not verdict.refusal or not _named(error):
            outcome.failures += 1
            outcome.told.append(f"{story}: {verdict} and refused: {error}")
        return
    except Exception as error:
        outcome.failures += 1
        outcome.told.append(f"{story}: {error!r}")
        return
    core = recovered.core
    right = core.seq == verdict.end_seq and state_of(core, recovered.transfers) == scene.states[core.seq]
    if not right or not _told_right(scene, heard, core.seq):
        outcome.wrong_recoveries += 1
        outcome.told.append(f"{story}: recovered {core.seq}, told from {heard.began}, expected {verdict}")


def _named(error: JournalError | SnapshotRefused) -> bool:
    """Whether file, offset and remedy are told, and a remedy that people can use."""
    return (str(error.file) in str(error) and f"at byte {error.offset}" in str(error) and error.remedy in str(error)
            and bool(error.remedy.strip()) and "bug" not in error.remedy)


def _told_right(scene: Scene, heard: Heard, end_seq: int) -> bool:
    """From a true state on, every command once; between two linked commands no state is known."""
    if heard.began is None or scene.states.get(heard.began[0], heard.began[1:])[0] != heard.began[1]:
        return False
    next_seq = heard.began[0] + 1
    for frame in heard.frames:
        if frame.first_seq != next_seq:
            return False
        next_seq = frame.end_seq
    return next_seq == end_seq + 1


def campaign(count: int, seed: int, folder: Path) -> Outcome:
    """So many damaged venues, in a folder that must not exist yet."""
    dice, outcome, scenes = random.Random(seed), Outcome(told=[]), 0
    logging.disable(logging.CRITICAL)       # each snapshot that is passed over is told
    try:
        with asyncio.Runner() as runner:
            while outcome.faults < count:
                scene = new_scene(dice, folder / f"scene-{scenes}", runner)
                for _ in range(min(FAULTS_A_SCENE, count - outcome.faults)):
                    _one(dice, scene, outcome, f"seed {seed} scene {scenes} fault {outcome.faults}")
                scenes += 1
    finally:
        logging.disable(logging.NOTSET)
    del outcome.told[journal_faults.TOLD_MAX:]
    return outcome


def _one(dice: random.Random, scene: Scene, outcome: Outcome, story: str) -> None:
    """Damage, recover, and make all as it was."""
    damage, told_commands = Damage(scene), dice.choice(TOLD_COMMANDS)
    faults = dice.choices(FAULTS, k=dice.choice((1, 1, 2, 3)))
    names = [fault.__name__ for fault in faults]
    if dice.random() < RETENTION:
        names.append("retention")
        _retention(damage)
    for fault in faults:
        fault(dice, damage)
    if dice.random() < JOURNAL_TOO and any(damage.journal.files.values()):
        also = dice.choice(journal_faults.FAULTS)
        names.append(f"journal {also.__name__}")
        also(dice, damage.journal)
    journal = put(scene.paths.journal, damage.journal, scene.journal.files)
    snapshots = put(scene.paths.snapshots, damage.snapshots, scene.kept)
    judge(scene, damage, told_commands, outcome, f"{story} told {told_commands} {'+'.join(names)}")
    for name in journal:
        store(scene.paths.journal / name, scene.journal.files[name])
    for name in snapshots:
        store(scene.paths.snapshots / name, scene.kept.get(name))


def _retention(damage: Damage) -> None:
    """Segments are gone that lie wholly before the frame of the oldest snapshot kept."""
    scene = damage.scene
    oldest = min(scene.seq_of[data] for data in scene.kept.values())
    for name in damage.journal.files:
        if name < scene.journal.places[scene.frame_of[oldest]].file:
            damage.journal.files[name] = None
