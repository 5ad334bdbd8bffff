-- Who may do what. Three roles: the owner of the tables (whoever migrates them), the writer (the ledger's batches), the
-- reader (REST's questions about the past, people who look). Nobody may change or remove a row of a table that grows.
-- A user who may not make roles goes on as the owner; make the two roles and grant them to it, then start the ledger.

DO $$
DECLARE wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['buttonwood_writer', 'buttonwood_reader'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            END IF;
            IF NOT pg_has_role(current_user, wanted, 'MEMBER') THEN
                EXECUTE format('GRANT %I TO CURRENT_USER', wanted);
            END IF;
        EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation OR undefined_object THEN
            RAISE NOTICE 'role % is not available: %', wanted, SQLERRM;
        END;
    END LOOP;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'buttonwood_writer') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO buttonwood_writer', current_schema());
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO buttonwood_writer', current_schema());
        EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT ON TABLES TO buttonwood_writer',
                       current_schema());
        GRANT INSERT ON trade, entry, closed_order TO buttonwood_writer;
        GRANT INSERT, UPDATE ON wallet, asset, instrument, account, transfer TO buttonwood_writer;
        GRANT UPDATE ON watermark TO buttonwood_writer;
        GRANT EXECUTE ON FUNCTION make_parts TO buttonwood_writer;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'buttonwood_reader') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO buttonwood_reader', current_schema());
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO buttonwood_reader', current_schema());
        EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT ON TABLES TO buttonwood_reader',
                       current_schema());
    END IF;
END $$;
