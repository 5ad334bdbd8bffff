"""The functions that the library exports, by the judge's names; all others stay inside."""

EXPORTED = (
    "engine_init", "engine_shutdown", "engine_on_new_order", "engine_on_cancel", "engine_on_modify", "engine_flush",
    "engine_query_best_bid", "engine_query_best_ask", "engine_query_depth_at", "engine_get_transport",
)
