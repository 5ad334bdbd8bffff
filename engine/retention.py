"""Which of the oldest segments nobody needs any more: a decision without hands, so that it can be shown and tested.

Needed is the oldest of the kept snapshots with what comes after it. So is, for each position told
(engine/positions.py), the newest snapshot that is not beyond it: that reader starts there. While fewer snapshots exist
than are kept, or somebody who must has told no position, or one before all snapshots, everything is needed.
"""
from collections.abc import Iterable, Mapping

from msgspec import Struct


class Piece(Struct, frozen=True):
    """A segment: its name, its first command, the first of the next one, and its bytes."""

    name: str
    first_seq: int
    next_seq: int
    size_bytes: int


class Needs(Struct, frozen=True):
    """(who, last command that is not needed) of everybody who may hold something."""

    holders: tuple[tuple[str, int], ...]

    def of(self, piece: Piece) -> list[str]:
        """Who needs some of these commands."""
        return [who for who, seq in self.holders if seq + 1 < piece.next_seq]


def needs_of(
    snapshots: Iterable[int], keep: int, told: Mapping[str, int], required: Iterable[str],
) -> Needs:
    """From the snapshots' commands and the positions told."""
    made = sorted(snapshots)
    oldest = made[-keep] if len(made) >= keep else 0
    readers = {**dict.fromkeys(required, 0), **told}
    holders = {"snapshots": oldest} | {name: start_for(made, seq) for name, seq in readers.items()}
    return Needs(tuple((name, max(0, start - 1)) for name, start in holders.items()))


def start_for(snapshots: Iterable[int], position: int) -> int:
    """The snapshot a reader at this position starts from; 0: none, the first command."""
    return max((seq for seq in snapshots if seq <= position), default=0)


def removable(pieces: list[Piece], needs: Needs, keep_bytes: int) -> list[Piece]:
    """The oldest segments that may go: never the last one, and only as far as more than keep_bytes are there."""
    found: list[Piece] = []
    left_bytes = sum(piece.size_bytes for piece in pieces)
    for piece in pieces[:-1]:
        if not keep_bytes or left_bytes <= keep_bytes or needs.of(piece):
            break
        found.append(piece)
        left_bytes -= piece.size_bytes
    return found
