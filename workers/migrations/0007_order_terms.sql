-- What an order was placed with beyond price and quantity; 0: nothing of the kind. One constant default each, so no row
-- is rewritten: orders that ended before this version show 0.
ALTER TABLE closed_order
    ADD COLUMN list_id      bigint NOT NULL DEFAULT 0,     -- of the order list it was a leg of
    ADD COLUMN stop_ticks   bigint NOT NULL DEFAULT 0,     -- stop price
    ADD COLUMN display_lots bigint NOT NULL DEFAULT 0,     -- what an iceberg showed at most
    ADD COLUMN trailing_bps int NOT NULL DEFAULT 0,
    ADD COLUMN stp          smallint NOT NULL DEFAULT 0;   -- engine.core.codes.SelfTrade

-- `verify` expects them of the orders that ended after this command.
INSERT INTO beginning SELECT 'closed_order terms', seq FROM watermark WHERE stream = 'ledger';
