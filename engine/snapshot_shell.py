"""What a snapshot holds besides the core's own sections: what the journal says of transfers. Sections from 1000 on.

A section has a version of its own; one of a newer version, or one that is not known, was written by a newer program.
"""
from collections.abc import Sequence

import msgspec

from engine.snapshot_file import Section
from engine.transfers import Transfers

SHELL = 1000            # the core's sections have lower numbers
_TRANSFERS, _TRANSFERS_VERSION = 1001, 1


def shell_sections(transfers: Transfers) -> list[Section]:
    """For the file, behind the core's."""
    return [(_TRANSFERS, _TRANSFERS_VERSION, 1, transfers.dump())]


def transfers_of(sections: Sequence[Section]) -> Transfers | None:
    """Those in these sections from 1000 on; None: written before snapshots had any. Raises ValueError: newer."""
    found = {number: (version, items) for number, version, _, items in sections}
    version, items = found.pop(_TRANSFERS, (0, b""))
    if found or version > _TRANSFERS_VERSION:
        raise ValueError(f"sections {[*found] or _TRANSFERS} are those of a newer version of Buttonwood")
    if not version:
        return None
    transfers = Transfers()
    try:
        transfers.load(items)
    except msgspec.MsgspecError as error:
        raise ValueError(f"section {_TRANSFERS}: {error}") from None
    return transfers
