-- Parts that were copied to files and dropped; and what held at a proven command behind them, so that the proofs go on
-- from there (workers/reconcile_mark.py): balances, counts and numbers that the archived rows had led to.
CREATE TABLE archived_part (
    part        int PRIMARY KEY REFERENCES part,
    archived_at timestamptz NOT NULL DEFAULT now(),
    manifest    text NOT NULL                      -- JSON: files, rows, bytes, checksums
);
CREATE TABLE archive_mark (
    one  boolean PRIMARY KEY DEFAULT true CHECK (one),
    seq  bigint NOT NULL,
    mark bytea NOT NULL
);
