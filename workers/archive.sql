-- Statements of workers/archive.py. Each stands under a line "-- name --".

-- parts --
SELECT part, first_seq, last_seq FROM part
WHERE last_seq < $1 AND last_seq <= (SELECT seq FROM watermark WHERE stream = 'ledger')
  AND part NOT IN (SELECT part FROM archived_part)
ORDER BY part;

-- key --
SELECT string_agg(a.attname, ', ' ORDER BY k.place)
FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = $1::text::regclass AND i.indisprimary;

-- note_archived --
INSERT INTO archived_part (part, manifest) VALUES ($1, $2);

-- keep_mark --
INSERT INTO archive_mark (seq, mark) VALUES ($1, $2)
ON CONFLICT (one) DO UPDATE SET seq = excluded.seq, mark = excluded.mark;

-- archive_mark --
SELECT mark FROM archive_mark;
