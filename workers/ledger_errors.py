"""Why the ledger stops. Each is final: starting again as things are would end the same way.

LedgerError
├── LedgerAhead      Postgres holds commands that the journal does not have
├── LedgerMismatch   Postgres and the core disagree on a balance, or amounts do not sum to 0
├── LedgerFenced     another writer has moved the position
└── LedgerRefused    Postgres refuses a batch, or the server cannot be used at all
"""
from engine.errors import VenueError


class LedgerError(VenueError):
    """Base of the errors above."""


class LedgerAhead(LedgerError):
    """The position in Postgres is beyond the end of the journal: the journal has lost commands that were durable."""

    def __init__(self, position: int, journal_end: int) -> None:
        super().__init__(
            f"the ledger in Postgres is at command {position}, the journal ends at {journal_end}: the journal has lost "
            "data, or this is another venue's database. Restore the journal, or name an empty database in postgres.dsn")


class LedgerMismatch(LedgerError):
    """Two independent computations of the same money differ; nothing of the batch was written."""


class LedgerFenced(LedgerError):
    """The position in Postgres is not where this process left it: another ledger worker writes the same database."""


class LedgerRefused(LedgerError):
    """Postgres answered with an error that a repetition would not cure."""
