-- What was written since a command is found without reading a whole part: rows stand in the order of their commands, so
-- the least and greatest seq of each 32 pages say where to look. One tiny row per range; nothing to pay for a batch.
CREATE INDEX ON trade USING brin (seq) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX ON entry USING brin (seq) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX ON closed_order USING brin (seq) WITH (pages_per_range = 32, autosummarize = on);

-- Closed orders are written since version 2: of a ledger that is older, `verify` must not ask for those before.
CREATE TABLE beginning (
    name      text PRIMARY KEY,                    -- a table
    after_seq bigint NOT NULL                      -- it holds what came after this command
);
INSERT INTO beginning
SELECT 'closed_order', CASE WHEN EXISTS (SELECT FROM closed_order) THEN 0 ELSE seq END
FROM watermark WHERE stream = 'ledger';
