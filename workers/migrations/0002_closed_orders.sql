-- Orders that have ended, one row each, written once. Keyed so that an account's orders in an instrument are one scan,
-- in the order of their ids, which is the order of time. Orders still open are the exchange's to tell.
CREATE TABLE closed_order (
    account       int NOT NULL,
    instrument    int NOT NULL,
    order_id      bigint NOT NULL,                 -- seq of the command that placed it
    seq           bigint NOT NULL,                 -- of the command that ended it
    time_ns       bigint NOT NULL,                 -- placed
    update_ns     bigint NOT NULL,                 -- ended
    price_ticks   bigint NOT NULL,                 -- 0 for a market order
    qty_lots      bigint NOT NULL,                 -- after amendments; 0 for a market order by amount
    amount        bigint NOT NULL,                 -- of a market order by amount: quote asked for, else 0
    executed_lots bigint NOT NULL,
    quote_filled  bigint NOT NULL,                 -- what the executed part came to
    side          smallint NOT NULL,               -- 0 buy, 1 sell
    order_type    smallint NOT NULL,               -- engine.core.codes.OrderType
    time_in_force smallint NOT NULL,               -- engine.core.codes.TimeInForce
    code          smallint NOT NULL,               -- why it ended (engine.core.codes.Code); 0: filled
    client_id     text NOT NULL,
    PRIMARY KEY (account, instrument, order_id, seq)
);
