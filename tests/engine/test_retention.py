"""What may be deleted: never what a kept snapshot, a reader's position or the journal itself needs."""
import asyncio
from pathlib import Path

from engine.checkpoints import LOOK_SECONDS, needs, pieces_of
from engine.journal import read_frames
from engine.positions import positions, tell_position
from engine.recovery import recover
from engine.retention import Piece, needs_of, removable
from engine.segments import list_files
from engine.snapshot_file import list_snapshots
from tests.engine.stage import config_for, credits, opened, run, send, setup
from tests.support.waiting import until

PIECES = [Piece("a", 1, 11, 100), Piece("b", 11, 21, 100), Piece("c", 21, 31, 100), Piece("d", 31, 31, 100)]


def names(snapshots: list[int], told: dict[str, int], *, keep_bytes: int = 1, keep: int = 3) -> str:
    found = removable(PIECES, needs_of(snapshots, keep, told, ["ledger"]), keep_bytes)
    return "".join(piece.name for piece in found)


def test_the_oldest_kept_snapshot_holds_the_segment_it_lies_in() -> None:
    assert names([20, 25, 30], {"ledger": 30}) == "a"
    assert names([21, 25, 30], {"ledger": 30}) == "ab"
    assert names([5, 21, 25, 30], {"ledger": 30}) == "ab"


def test_with_fewer_snapshots_than_are_kept_nothing_goes() -> None:
    assert names([25, 30], {"ledger": 30}) == ""


def test_a_reader_holds_the_snapshot_it_starts_from() -> None:
    assert names([15, 25, 27, 30], {"ledger": 24}) == "a"
    assert names([25, 27, 30], {"ledger": 24}) == ""
    assert names([25, 27, 30], {"ledger": 30, "archive": 0}) == ""
    assert names([25, 27, 30], {}) == ""


def test_no_more_goes_than_is_too_much_and_the_last_one_stays() -> None:
    assert names([28, 29, 30], {"ledger": 30}, keep_bytes=250) == "ab"
    assert names([28, 29, 30], {"ledger": 30}, keep_bytes=400) == ""
    assert names([31, 32, 33], {"ledger": 33}) == "abc"


def test_positions_are_told_and_a_damaged_one_holds_everything(tmp_path: Path) -> None:
    tell_position(tmp_path / "positions", "ledger", 7)
    tell_position(tmp_path / "positions", "ledger", 9)
    (tmp_path / "positions" / "other").write_text("?")
    assert positions(tmp_path / "positions") == {"ledger": 9, "other": 0}
    assert positions(tmp_path / "none") == {}


def test_an_engine_deletes_what_nobody_needs_and_starts_without_it(tmp_path: Path) -> None:
    """Marks come at once here; a replica in this process stands in the role's place."""
    async def story() -> None:
        config = config_for(
            tmp_path, journal={"segment_bytes": 4096, "frame_commands_max": 8, "keep_bytes": 1024, "for_ledger": False},
            snapshots={"commands": 5, "told_commands": 5, "keep": 2, "stop_orders_max": 0})
        from workers.snapshots import Snapshots
        async with opened(config) as engine:
            role = asyncio.create_task(Snapshots(config).run())
            await send(engine, setup())
            seen = 0
            while not engine.checkpoints.deleted_segments:
                await send(engine, credits(5))
                await until(lambda: engine.checkpoints.marked_seq > seen)   # noqa: B023  called at once
                seen = engine.checkpoints.marked_seq
                for _ in range(12):
                    await send(engine, credits(5))
            role.cancel()
            await asyncio.wait([role])
            state_hash, seq = engine.core.state_hash(), engine.seq
        assert list_files(config.paths.journal)[0][0] > 1
        assert (await recover(config, None)).core.seq == seq
        assert (await recover(config, None)).core.state_hash() == state_hash
        async with opened(config) as engine:
            assert all(not needs(config).of(piece) or piece for piece in pieces_of(engine.dropcopy.writer.segments))
        oldest = list_snapshots(config.paths.snapshots)[0][0]
        assert next(read_frames(config.paths.journal, oldest)).first_seq == oldest
    run(story())
    assert LOOK_SECONDS <= 1
