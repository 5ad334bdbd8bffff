-- The session may only read from here on, where the ledger's rights were set up and this user may take the role.
SELECT set_config('role', rolname, false) FROM pg_roles
WHERE rolname = 'buttonwood_reader' AND pg_has_role(current_user, oid, 'MEMBER')
  AND has_table_privilege(rolname, to_regclass('watermark'), 'SELECT');
