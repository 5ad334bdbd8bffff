-- Statements about the tables' version (workers/schema.py). Each stands under a line "-- name --".

-- install_lock --
SELECT pg_advisory_xact_lock(hashtext('buttonwood ledger schema'));

-- make_versions --
CREATE TABLE IF NOT EXISTS schema_version (
    version     int PRIMARY KEY,
    name        text NOT NULL,
    upgraded_at timestamptz NOT NULL DEFAULT now()
);

-- read_version --
SELECT coalesce(max(version), 0) FROM schema_version;

-- note_version --
INSERT INTO schema_version (version, name) VALUES ($1, $2);

-- rights_given --
-- True when nothing is left to do: the roles have their rights, or may not be made by this user.
SELECT CASE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = 'buttonwood_writer')
            THEN has_table_privilege('buttonwood_writer', 'wallet', 'UPDATE')
            ELSE NOT (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user) END;

-- become --
-- A session takes the role it needs, where there is one and it may.
SELECT set_config('role', rolname, false) FROM pg_roles
WHERE rolname = $1 AND pg_has_role(current_user, oid, 'MEMBER');
