-- What was written since a command is found without reading a whole part: rows stand in the order of their commands, so
-- the least and greatest seq of each 32 pages say where to look. One tiny row per range; nothing to pay for a batch.
CREATE INDEX ON trade USING brin (seq) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX ON entry USING brin (seq) WITH (pages_per_range = 32, autosummarize = on);
