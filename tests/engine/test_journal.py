"""Reading a journal: what was acknowledged is there, or reading refuses; seeded faults of every kind."""
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.errors import JournalError
from engine.frames import HEADER_BYTES, Chain
from engine.journal import Frame, Walk, read_frames
from engine.segments import START, list_files, name_of
from tests.engine.journal_faults import campaign
from tests.engine.stage import SMALL, frames_of, run, stamped, write_frames

FAULTS_EACH = 60
MIXED_FAULTS = 2000


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs over a handful of segments; each ends with frames of several commands."""
    directory = tmp_path_factory.mktemp("journal") / "whole"
    counts = [random.Random(3).randrange(1, 9) for _ in range(24)]
    run(write_frames(directory, [*counts, 5]))
    run(write_frames(directory, [*counts, 5]))
    return directory


class Place:
    """Where a frame lies."""

    def __init__(self, path: Path, offset: int, frame: Frame) -> None:
        self.path, self.offset, self.frame, self.size = path, offset, frame, frame.size_bytes


def places(directory: Path) -> list[Place]:
    """Every frame of a sound journal."""
    walk = Walk(directory)
    frames, found = iter(list(walk)), []
    for segment in walk.segments:
        offset = START
        while offset < segment.end:
            found.append(Place(segment.path, offset, next(frames)))
            offset += found[-1].size
    return found


def change(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def outcome(directory: Path) -> list[Frame] | JournalError:
    try:
        return frames_of(directory)
    except JournalError as error:
        return error


# Each fault changes the files and says how many frames must still be read; None: reading must refuse.
Fault = Callable[[random.Random, Path, list[Place]], int | None]


def flip(dice: random.Random, path: Path, offset: int, size: int) -> None:
    at = offset + dice.randrange(size)
    change(path, at, bytes([path.read_bytes()[at] ^ 1 << dice.randrange(8)]))


def flipped_bit(dice: random.Random, directory: Path, all_places: list[Place]) -> int | None:
    place = dice.choice(all_places[:-1])
    flip(dice, place.path, place.offset, place.size)
    return None


def flipped_bit_of_the_last_frame(dice: random.Random, directory: Path, all_places: list[Place]) -> int | None:
    last = all_places[-1]
    flip(dice, last.path, last.offset, last.size)
    return len(all_places) - 1


def lost_sector(dice: random.Random, directory: Path, all_places: list[Place]) -> int | None:
    """512 bytes of frames never reached the disk. Only when the last frame is among them can that be a torn write."""
    place = dice.choice(all_places)
    sector = (place.offset + dice.randrange(place.size)) // 512 * 512
    before = place.path.read_bytes()
    change(place.path, sector, bytes(512))
    after = place.path.read_bytes()
    hit = [number for number, other in enumerate(all_places) if other.path == place.path
           and before[other.offset:other.offset + other.size] != after[other.offset:other.offset + other.size]]
    if sector and not hit:
        return len(all_places)
    return hit[0] if sector and hit[-1] == len(all_places) - 1 else None


def torn_tail(dice: random.Random, directory: Path, all_places: list[Place]) -> int | None:
    """Only the beginning of the last frame reached the disk."""
    last = all_places[-1]
    begin = dice.randrange(last.size)
    rest = last.path.read_bytes()[last.offset + begin:last.offset + last.size]
    change(last.path, last.offset + begin, bytes(len(rest)))
    return len(all_places) - 1 if any(rest) else len(all_places)


def truncated(dice: random.Random, directory: Path, all_places: list[Place]) -> int | None:
    last = all_places[-1]
    size = dice.randrange(START, last.offset + last.size)
    with last.path.open("r+b") as file:
        file.truncate(size)
    return sum(place.path != last.path or place.offset + place.size <= size for place in all_places)


def duplicated_frame(dice: random.Random, directory: Path, all_places: list[Place]) -> int | None:
    place, last = dice.choice(all_places), all_places[-1]
    data = place.path.read_bytes()[place.offset:place.offset + place.size]
    change(last.path, last.offset + last.size, data)
    return len(all_places)


def stale_tail(dice: random.Random, directory: Path, all_places: list[Place]) -> int | None:
    """Behind the end lies an older frame that was never part of this history, with numbers already used."""
    last = all_places[-1]
    stale = Chain(dice.randrange(1, last.frame.first_seq), 1, dice.getrandbits(32))
    change(last.path, last.offset + last.size, stale.encode(stamped(stale.next_seq, 1)))
    return len(all_places)


def foreign_frame(dice: random.Random, directory: Path, all_places: list[Place]) -> int | None:
    """A sound frame with the next number that does not continue the chain cannot come from a torn write."""
    last = all_places[-1]
    foreign = Chain(last.frame.end_seq, 2, last.frame.crc ^ 1 << dice.randrange(32))
    change(last.path, last.offset + last.size, foreign.encode(stamped(foreign.next_seq, 1)))
    return None


def frame_of_an_older_run(dice: random.Random, directory: Path, all_places: list[Place]) -> int | None:
    """It would continue the journal but for its epoch: an engine that was thought dead wrote on."""
    last = all_places[-1]
    older = Chain(last.frame.end_seq, last.frame.epoch - 1, last.frame.crc)
    change(last.path, last.offset + last.size, older.encode(stamped(older.next_seq, dice.randrange(1, 4))))
    return None


def garbage_tail(dice: random.Random, directory: Path, all_places: list[Place]) -> int | None:
    last = all_places[-1]
    end = last.offset + last.size
    change(last.path, end, dice.randbytes(dice.randrange(1, SMALL.segment_bytes - end)))
    return len(all_places)


def missing_segment(dice: random.Random, directory: Path, all_places: list[Place]) -> int | None:
    files = list_files(directory)
    files[dice.randrange(len(files) - 1)][1].unlink()
    return None


def damaged_header(dice: random.Random, directory: Path, all_places: list[Place]) -> int | None:
    flip(dice, dice.choice(list_files(directory))[1], 0, 48)
    return None


@pytest.fixture
def copies(whole: Path, tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "copy"


@pytest.mark.parametrize("fault", [
    flipped_bit, flipped_bit_of_the_last_frame, lost_sector, torn_tail, truncated, duplicated_frame, stale_tail,
    foreign_frame, frame_of_an_older_run, garbage_tail, missing_segment, damaged_header],
    ids=lambda fault: fault.__name__)
def test_a_fault_gives_a_true_prefix_or_a_refusal(fault: Fault, whole: Path, copies: Path):
    dice, layout = random.Random(fault.__name__), places(whole)
    truth = [place.frame for place in layout]
    for _ in range(FAULTS_EACH):
        shutil.copytree(whole, copies)
        expected = fault(dice, copies, [Place(copies / place.path.name, place.offset, place.frame) for place in layout])
        found = outcome(copies)
        if expected is None:
            assert isinstance(found, JournalError), f"{len(found)} frames were read"
            assert found.file.name in str(found) and "Restore" in str(found)
        else:
            assert found == truth[:expected]
        shutil.rmtree(copies)


def test_mixed_faults_never_give_a_wrong_prefix_and_refusals_name_the_place(tmp_path: Path):
    outcome = campaign(MIXED_FAULTS, 11, tmp_path / "journals")
    assert (outcome.wrong_recoveries, outcome.failures) == (0, 0), outcome.told
    assert outcome.faults == MIXED_FAULTS and 500 < outcome.refused < 1500


def test_the_campaign_notices_a_reader_that_does_not_look_behind_the_end(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Walk, "_later_frame", lambda *_: (0, 0))
    outcome = campaign(300, 12, tmp_path / "journals")
    assert outcome.wrong_recoveries and "frames were read, expected None" in outcome.told[0]


@pytest.mark.parametrize("fault", [torn_tail, truncated, duplicated_frame, stale_tail, garbage_tail],
                         ids=lambda fault: fault.__name__)
def test_after_the_cut_a_new_run_goes_on_and_nothing_old_comes_back(fault: Fault, whole: Path, copies: Path):
    dice, layout = random.Random(fault.__name__), places(whole)
    truth = [place.frame for place in layout]
    for _ in range(FAULTS_EACH // 6):
        shutil.copytree(whole, copies)
        kept = fault(dice, copies, [Place(copies / place.path.name, place.offset, place.frame) for place in layout])
        counts = [dice.randrange(1, 9) for _ in range(dice.randrange(4))]
        run(write_frames(copies, counts))
        walk = Walk(copies)
        found, last = list(walk), walk.segments[-1]
        assert found[:kept] == truth[:kept]
        assert not any(last.path.read_bytes()[last.end:])
        assert [frame.count for frame in found[kept:]] == [0, *counts]
        assert {frame.epoch for frame in found[kept:]} == {max(frame.epoch for frame in truth[:kept]) + 1}
        shutil.rmtree(copies)


def test_the_layout_of_the_test_journal(whole: Path):
    layout = places(whole)
    assert len({place.path for place in layout}) == len(list_files(whole)) > 4
    assert [place.frame.epoch for place in layout if not place.frame.count] == [1, 2]
    for place in layout:
        assert place.path.read_bytes()[place.offset + HEADER_BYTES:place.offset + place.size] == place.frame.commands


def test_reading_begins_at_any_command(whole: Path):
    every = b"".join(bytes(frame.commands) for frame in read_frames(whole))
    last = len(every) // 128
    for from_seq in range(1, last + 2):
        frames = list(read_frames(whole, from_seq))
        assert b"".join(bytes(frame.commands) for frame in frames) == every[(from_seq - 1) * 128:]
        assert not frames or frames[0].first_seq == from_seq
        assert all(frame.count for frame in frames)
    with pytest.raises(JournalError, match=f"ends at {last}, {last + 2} was asked for"):
        list(read_frames(whole, last + 2))


def test_a_journal_without_its_beginning_is_refused(whole: Path, copies: Path):
    shutil.copytree(whole, copies)
    list_files(copies)[0][1].unlink()
    first_seq = list_files(copies)[0][0]
    assert next(read_frames(copies, first_seq)).first_seq == first_seq
    with pytest.raises(JournalError, match=f"begins at {first_seq}, 1 was asked for"):
        list(read_frames(copies))


def test_no_journal_is_an_empty_journal(tmp_path: Path):
    assert list(read_frames(tmp_path / "nothing")) == []
    with pytest.raises(JournalError, match="ends at 0"):
        list(read_frames(tmp_path, 2))


def test_a_file_of_another_format_or_name_is_refused(whole: Path, copies: Path):
    shutil.copytree(whole, copies)
    first = list_files(copies)[0][1]
    (copies / "first.journal").touch()
    with pytest.raises(JournalError, match=r"no sequence number.*Move it"):
        frames_of(copies)
    (copies / "first.journal").unlink()
    first.rename(copies / name_of(0))
    with pytest.raises(JournalError, match=r"begins at 1.*own name"):
        frames_of(copies)
