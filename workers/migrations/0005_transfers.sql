-- Transfers in two steps (engine/transfers.py), each with its present state; every change of it is a command in the
-- journal whose entries carry the money. The id is unique for ever: it is what makes a payout happen once.
CREATE TABLE transfer (
    id          text PRIMARY KEY,
    account     int NOT NULL,                      -- whose money
    beneficiary int NOT NULL,                      -- 0: the world outside
    asset       int NOT NULL,
    amount      bigint NOT NULL CHECK (amount > 0),
    posted      bigint NOT NULL,                   -- to the beneficiary; the rest went back
    until_ns    bigint NOT NULL,                   -- when it expires; 0: never
    holder      int NOT NULL,                      -- account that keeps the money while it is held
    state       smallint NOT NULL,                 -- 1 held, 2 posted, 3 voided, 4 expired
    seq         bigint NOT NULL,                   -- command that began it
    time_ns     bigint NOT NULL,
    end_seq     bigint NOT NULL,                   -- command that ended it; 0: held
    end_ns      bigint NOT NULL,
    CONSTRAINT transfer_posted_within_amount CHECK (0 <= posted AND posted <= amount)
);
CREATE INDEX ON transfer (until_ns) WHERE state = 1;
