-- The tables that grow are cut by seq into parts, all three at the same commands, so that old parts can be archived and
-- detached in a moment. What is there already becomes part 0. Parts are made ahead by make_parts; a row that no part
-- takes is refused.

DROP VIEW account_trade;

CREATE TABLE part (
    part      int PRIMARY KEY,                     -- trade_p0, entry_p0, closed_order_p0 are part 0
    first_seq bigint NOT NULL,
    last_seq  bigint NOT NULL,                     -- commands first_seq .. last_seq
    CHECK (first_seq <= last_seq)
);

DO $$
DECLARE name text; reached bigint;
BEGIN
    SELECT seq INTO reached FROM watermark WHERE stream = 'ledger';
    FOREACH name IN ARRAY ARRAY['trade', 'entry', 'closed_order'] LOOP
        EXECUTE format('ALTER TABLE %I RENAME TO %I', name, name || '_p0');
        EXECUTE format('ALTER TABLE %I RENAME CONSTRAINT %I TO %I', name || '_p0', name || '_pkey', name || '_p0_pkey');
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL) PARTITION BY RANGE (seq)', name, name || '_p0');
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I, %I FROM PUBLIC, CURRENT_USER', name, name || '_p0');
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
                       'EXECUTE FUNCTION refuse_change()', name);
        EXECUTE format('CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
                       'EXECUTE FUNCTION refuse_change()', name || '_p0');
        IF reached > 0 THEN
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (0) TO (%s)',
                           name, name || '_p0', reached + 1);
        ELSE
            EXECUTE format('DROP TABLE %I', name || '_p0');
        END IF;
    END LOOP;
    IF reached > 0 THEN
        INSERT INTO part VALUES (0, 0, reached);
    END IF;
END $$;

-- Parts of `commands` commands each until one contains `reach`; the last command any part takes. For the writer, who
-- may not make tables. Attaching takes no lock that a reader or the writer would wait for.
CREATE FUNCTION make_parts(reach bigint, commands bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE name text; made text; next_part int; next_seq bigint;
BEGIN
    LOOP
        SELECT coalesce(max(p.part) + 1, 0), coalesce(max(p.last_seq) + 1, 0) INTO next_part, next_seq FROM part p;
        EXIT WHEN next_seq > reach;
        FOREACH name IN ARRAY ARRAY['trade', 'entry', 'closed_order'] LOOP
            made := name || '_p' || next_part;
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', made, name);
            EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM PUBLIC, CURRENT_USER', made);
            EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
                           'EXECUTE FUNCTION refuse_change()', made);
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                           name, made, next_seq, next_seq + commands);
        END LOOP;
        INSERT INTO part VALUES (next_part, next_seq, next_seq + commands - 1);
    END LOOP;
    RETURN next_seq - 1;
END $$;
REVOKE EXECUTE ON FUNCTION make_parts FROM PUBLIC;

-- The two sides of each trade, found through the two primary keys alone: name account, base_asset (of the instrument)
-- and instrument, then ORDER BY seq DESC, entry_n DESC LIMIT reads backwards and stops. A self trade is two rows.
CREATE VIEW account_trade AS
SELECT e.account, e.asset AS base_asset, e.seq, e.n AS entry_n,
       t.instrument, t.n, t.trade_id, t.fill_id, t.time_ns, t.price_ticks, t.qty_lots, t.quote_amount,
       (e.n % 8 = 0)::int::smallint AS side,           -- leg 0 is the seller's base, leg 1 the buyer's
       (e.n % 8 = 0) = (t.taker_side = 0) AS is_maker,
       CASE WHEN (e.n % 8 = 0) = (t.taker_side = 0) THEN t.maker_order_id ELSE t.taker_order_id END AS order_id,
       CASE WHEN (e.n % 8 = 0) = (t.taker_side = 0) THEN t.maker_fee ELSE t.taker_fee END AS fee
FROM entry e
JOIN trade t ON t.seq = e.seq AND t.n = e.n / 8
WHERE e.kind = 1 AND e.n % 8 < 2;
