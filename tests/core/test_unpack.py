"""unpack_events: every field readable on every kind, 0 where it does not apply, and the bytes copied."""
import numpy as np
import pytest

from engine.core.unpack import unpack_events
from engine.records import EVENT, TOP_EVENT

TRADE_ONLY = ("maker_order_id", "maker_left_lots", "trade_id", "fill_id", "quote_amount", "taker_fee", "maker_fee",
              "maker_account")
TOP_ONLY = ("update_id", "bid_ticks", "bid_lots", "ask_ticks", "ask_lots")
ORDER_ONLY = ("text", "amount")
COMMON = ("kind", "side", "order_type", "time_in_force", "account", "instrument", "slot", "seq", "time_ns", "order_id",
          "price_ticks", "qty_lots", "left_lots", "code")


def event(kind: int, names: tuple[str, ...]) -> np.ndarray:
    """One event with a different number in each of the named fields."""
    row = np.zeros(1, TOP_EVENT if kind == 8 else EVENT)
    for number, name in enumerate(names, 1):
        row[name] = b"name" if name == "text" else number
    row["kind"] = kind
    return row


@pytest.mark.parametrize(("kind", "names"), [
    (5, COMMON + TRADE_ONLY), (8, ("instrument", "seq", "time_ns", *TOP_ONLY)),
    *((kind, COMMON + ORDER_ONLY) for kind in (1, 2, 3, 4, 6, 7))])
def test_fields_of_each_kind(kind: int, names: tuple[str, ...]) -> None:
    row = event(kind, names)
    (unpacked,) = unpack_events(row)
    for name in (*COMMON, *TRADE_ONLY, *ORDER_ONLY, *TOP_ONLY):
        expected = row[name][0] if name in names or name == "kind" else b"" if name == "text" else 0
        assert getattr(unpacked, name) == expected, name


def test_text_loses_its_padding_only() -> None:
    row = np.zeros(3, EVENT)
    row["text"] = [b"", b"a b", b"x" * 36]
    assert [event.text for event in unpack_events(row)] == [b"", b"a b", b"x" * 36]


def test_events_are_copies() -> None:
    row = event(4, COMMON)
    (unpacked,) = unpack_events(row)
    row["seq"] = 1000
    assert unpacked.seq == 8
    with pytest.raises(AttributeError):
        unpacked.seq = 5  # type: ignore[misc]


def test_repr_names_what_is_set() -> None:
    row = np.zeros(1, EVENT)
    row["kind"], row["seq"], row["price_ticks"], row["text"] = 4, 7, 100, b"mine"
    assert repr(unpack_events(row)[0]) == "Event(kind=4, seq=7, price_ticks=100, text=b'mine')"


def test_lengths() -> None:
    assert unpack_events(b"") == []
    assert len(unpack_events(bytes(128 * 1000))) == 1000
    with pytest.raises(ValueError, match="multiple of 128"):
        unpack_events(b"x")
