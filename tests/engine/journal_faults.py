"""Random damage to journals, one to three faults at once, judged by an oracle that knows every byte of the sound one.

The oracle shares nothing with the reader: it compares bytes. A journal must be read up to the first frame that is not
where it was, whole; and where anything sound lies behind that place, or a later segment follows, reading must refuse.
`campaign(count, seed, folder)` tells how often that was not so; tests and tests.system.faults call it.
"""
import random
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from engine.errors import JournalError
from engine.frames import ALIGNMENT_BYTES, Chain, Frame
from engine.journal import Walk
from engine.segments import START, list_files
from tests.engine.stage import SMALL, run, stamped, write_frames

SECTOR_BYTES = 512
HEADER_BYTES = 48               # of a segment, as far as it is looked at
FAULTS_A_JOURNAL = 500
TOLD_MAX = 20


class Place(Struct, frozen=True):
    """A frame of the sound journal: where it lies, and its bytes."""

    file: str
    offset: int
    raw: bytes
    frame: Frame

    @property
    def end(self) -> int:
        return self.offset + len(self.raw)


class Sound:
    """A sound journal, all of it in memory too."""

    def __init__(self, directory: Path) -> None:
        self.files = {path.name: path.read_bytes() for _, path in list_files(directory)}
        self.names = sorted(self.files)
        walk = Walk(directory)
        frames, self.places = iter(list(walk)), list[Place]()
        for segment in walk.segments:
            offset, data = START, self.files[segment.path.name]
            while offset < segment.end:
                frame = next(frames)
                end = offset + frame.size_bytes
                self.places.append(Place(segment.path.name, offset, data[offset:end], frame))
                offset = end
        self.end = self.places[-1].end

    @property
    def last(self) -> str:
        return self.names[-1]


class Files:
    """What files hold after the faults (None: gone)."""

    def __init__(self, sound: dict[str, bytes]) -> None:
        self.files: dict[str, bytearray | None] = {name: bytearray(data) for name, data in sound.items()}

    def write(self, name: str, offset: int, data: bytes) -> None:
        """Overwrite as far as the file reaches."""
        held = self.files[name]
        if held is not None:
            data = data[:max(0, len(held) - offset)]
            held[offset:offset + len(data)] = data


class Damaged(Files):
    """A journal's files after the faults, and the frames planted by them."""

    def __init__(self, sound: Sound) -> None:
        super().__init__(sound.files)
        self.sound = sound
        self.planted: list[tuple[int, bytes]] = []      # first_seq, bytes


Fault = Callable[[random.Random, Damaged], None]


def a_file(dice: random.Random, damaged: Files) -> tuple[str, bytearray]:
    name = dice.choice([name for name, data in damaged.files.items() if data])
    data = damaged.files[name]
    assert data
    return name, data


def flipped_bit(dice: random.Random, damaged: Files) -> None:
    _, data = a_file(dice, damaged)
    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def zeroed_sectors(dice: random.Random, damaged: Files) -> None:
    name, data = a_file(dice, damaged)
    begin = dice.randrange(len(data)) // SECTOR_BYTES * SECTOR_BYTES
    damaged.write(name, begin, bytes(SECTOR_BYTES * dice.randrange(1, 4)))


def swapped_sectors(dice: random.Random, damaged: Files) -> None:
    (one, first), (two, second) = a_file(dice, damaged), a_file(dice, damaged)
    here, there = (dice.randrange(len(data)) // SECTOR_BYTES * SECTOR_BYTES for data in (first, second))
    mine, other = bytes(first[here:here + SECTOR_BYTES]), bytes(second[there:there + SECTOR_BYTES])
    damaged.write(one, here, other)
    damaged.write(two, there, mine)


def lost_tail(dice: random.Random, damaged: Files) -> None:
    """From some place on nothing reached the disk."""
    name, data = a_file(dice, damaged)
    begin = dice.randrange(len(data))
    damaged.write(name, begin, bytes(len(data) - begin))


def torn_write(dice: random.Random, damaged: Damaged) -> None:
    """Of the last frame some sectors reached the disk, others did not."""
    last = damaged.sound.places[-1]
    for sector in range(last.offset // SECTOR_BYTES * SECTOR_BYTES, last.end, SECTOR_BYTES):
        if dice.random() < 0.5:
            begin, end = max(sector, last.offset), min(sector + SECTOR_BYTES, last.end)
            damaged.write(last.file, begin, bytes(end - begin))


def truncated(dice: random.Random, damaged: Files) -> None:
    _, data = a_file(dice, damaged)
    del data[dice.randrange(len(data)):]


def missing_segment(dice: random.Random, damaged: Damaged) -> None:
    """Any but the last, of which nobody but a follower could know."""
    if len(damaged.sound.names) > 1:
        damaged.files[dice.choice(damaged.sound.names[:-1])] = None


def duplicated_frame(dice: random.Random, damaged: Damaged) -> None:
    """A frame of the journal a second time, at its end or anywhere in the last file."""
    data = damaged.sound.files[damaged.sound.last]
    anywhere = dice.randrange(START, len(data)) // ALIGNMENT_BYTES * ALIGNMENT_BYTES
    damaged.write(damaged.sound.last, dice.choice((damaged.sound.end, anywhere)), dice.choice(damaged.sound.places).raw)


def stale_tail(dice: random.Random, damaged: Damaged) -> None:
    """Behind the end lies a sound frame of another history, with numbers already used, or with the next ones."""
    last = damaged.sound.places[-1].frame
    begin, crc, epoch = dice.randrange(1, last.end_seq + 3), dice.getrandbits(32), dice.randrange(1, last.epoch + 2)
    if dice.random() < 0.3:     # it would be the next frame, were it not of an older run
        begin, crc, epoch = last.end_seq, last.crc, last.epoch - 1
    chain = Chain(begin, epoch, crc)
    first_seq, raw = chain.next_seq, chain.encode(stamped(chain.next_seq, dice.randrange(1, 5)))
    damaged.planted.append((first_seq, raw))
    damaged.write(damaged.sound.last, damaged.sound.end, raw)


def garbage_tail(dice: random.Random, damaged: Damaged) -> None:
    end, room = damaged.sound.end, len(damaged.sound.files[damaged.sound.last]) - damaged.sound.end
    if room:
        damaged.write(damaged.sound.last, end, dice.randbytes(dice.randrange(1, room + 1)))


FAULTS: list[Fault] = [flipped_bit, zeroed_sectors, swapped_sectors, lost_tail, torn_write, truncated, missing_segment,
                       duplicated_frame, stale_tail, garbage_tail]


def expected(damaged: Damaged, start: int = 0) -> int | None:
    """How many frames must be read, when reading begins at frame `start`; None: reading must refuse."""
    sound, held = damaged.sound, [name for name in damaged.sound.names if damaged.files[name] is not None]
    if not held:
        return None if start else 0
    if (start == 0 and held[0] != sound.names[0]) or not all(_headed(damaged, name) for name in held):
        return None
    names = [name for name in sound.names if sound.places[start].file <= name <= held[-1]]
    whole = start
    while whole < len(sound.places) and sound.places[whole].file <= held[-1] and _is_whole(damaged, whole):
        whole += 1
    if not set(names) <= set(held) or (start and whole == start):
        return None
    last = sound.places[whole - 1] if whole else None
    going_on = whole < len(sound.places) and sound.places[whole].file <= held[-1]
    file = sound.places[whole].file if going_on or last is None else last.file
    if file != held[-1]:
        return None
    begin = last.end if last is not None and last.file == file else START
    return None if _later(damaged, file, begin, last.frame.end_seq if last is not None else 1) else whole


def _headed(damaged: Damaged, name: str) -> bool:
    """Whether the segment's header is as it was."""
    data = damaged.files[name] or b""
    return len(data) >= START and data[:HEADER_BYTES] == damaged.sound.files[name][:HEADER_BYTES]


def _is_whole(damaged: Damaged, number: int) -> bool:
    place = damaged.sound.places[number]
    return (damaged.files[place.file] or b"")[place.offset:place.end] == place.raw


def _later(damaged: Damaged, file: str, begin: int, next_seq: int) -> bool:
    """Whether a frame with this number or a later one lies whole behind this place of the last file."""
    data = bytes(damaged.files[file] or b"")
    known = [(place.frame.first_seq, place.raw) for place in damaged.sound.places] + damaged.planted
    for first_seq, raw in known:
        at = data.find(raw, begin) if first_seq >= next_seq else -1
        while at >= 0:
            if at % ALIGNMENT_BYTES == 0:
                return True
            at = data.find(raw, at + 1)
    return False


class Outcome(Struct):
    """Of a campaign. wrong_recoveries: something was read that must not be, or not all that must be; failures: a
    refusal of a journal that can be read, or one that does not name file, offset and remedy. told: the first of both.
    """

    faults: int = 0
    refused: int = 0
    wrong_recoveries: int = 0
    failures: int = 0
    told: list[str] = []


def judge(directory: Path, damaged: Damaged, outcome: Outcome, story: str) -> None:
    """Read what lies in the directory and compare with the oracle."""
    must, outcome.faults = expected(damaged), outcome.faults + 1
    try:
        found = list(Walk(directory))
    except JournalError as error:
        outcome.refused += 1
        named = str(error.file) in str(error) and f"at byte {error.offset}" in str(error) and error.remedy in str(error)
        if must is not None or not named or not error.remedy.strip():
            outcome.failures += 1
            outcome.told.append(f"{story}: {must} frames can be read, refused: {error}")
        return
    except Exception as error:
        outcome.failures += 1
        outcome.told.append(f"{story}: {error!r}")
        return
    if must is None or found != [place.frame for place in damaged.sound.places[:must]]:
        outcome.wrong_recoveries += 1
        outcome.told.append(f"{story}: {len(found)} frames were read, expected {must}")


def campaign(count: int, seed: int, folder: Path) -> Outcome:
    """So many damaged journals, in a folder that must not exist yet."""
    dice, outcome, journals = random.Random(seed), Outcome(told=[]), 0
    while outcome.faults < count:
        directory = folder / f"journal-{journals}"
        sound = new_journal(dice, directory)
        for _ in range(min(FAULTS_A_JOURNAL, count - outcome.faults)):
            damaged = Damaged(sound)
            faults = dice.choices(FAULTS, k=dice.choice((1, 1, 2, 3)))
            for fault in faults:
                fault(dice, damaged)
            changed = put(directory, damaged, sound.files)
            names = "+".join(fault.__name__ for fault in faults)
            judge(directory, damaged, outcome, f"seed {seed} journal {journals} fault {outcome.faults} {names}")
            for name in changed:
                store(directory / name, sound.files[name])
        journals += 1
    del outcome.told[TOLD_MAX:]
    return outcome


def new_journal(dice: random.Random, directory: Path) -> Sound:
    """A few runs, written by the real writer."""
    directory.mkdir(parents=True)
    for _ in range(dice.randrange(1, 4)):
        run(write_frames(directory, [dice.randrange(1, 9) for _ in range(dice.randrange(1, 16))], SMALL))
    return Sound(directory)


def put(directory: Path, damaged: Files, sound: dict[str, bytes]) -> list[str]:
    """Make the files so; the names of those that changed."""
    changed = [name for name, data in damaged.files.items() if data != sound.get(name)]
    for name in changed:
        data = damaged.files[name]
        store(directory / name, data)
    return changed


def store(path: Path, data: bytes | bytearray | None) -> None:
    """None: take it away. In place where that can be: emptying a file first costs a millisecond of the disk's time."""
    if data is None:
        path.unlink(missing_ok=True)
    elif path.exists():
        with path.open("r+b") as file:
            file.write(data)
            if len(data) < path.stat().st_size:
                file.truncate()
    else:
        path.write_bytes(data)
