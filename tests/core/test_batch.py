"""Batch writes the records of engine/records.py, refuses what does not fit a field, and guards its exported memory."""
import numpy as np
import pytest

from engine.core.batch import Batch
from engine.core.codes import MAX_TICKS
from engine.records import ACCOUNT_COMMAND, ASSET_COMMAND, COMMAND, INSTRUMENT_COMMAND


def test_order_commands() -> None:
    batch = Batch(1)
    assert batch.place(2, 3, 1, 2, 1, 100, 7, 8, b"mine") == 0
    assert batch.cancel(2, 3, 55, 6, b"x") == 1
    assert batch.reduce(2, 3, 4, text="abc") == 2
    assert batch.cancel_all(9, 1) == 3
    assert len(batch) == 4
    rows = np.frombuffer(batch, COMMAND)
    names = ["kind", "account", "instrument", "side", "order_type", "time_in_force", "price_ticks", "qty_lots",
             "amount", "text", "order_id", "slot"]
    assert [tuple(row[name] for name in names) for row in rows] == [
        (10, 2, 3, 1, 2, 1, 100, 7, 8, b"mine", 0, 0), (11, 2, 3, 0, 0, 0, 0, 0, 0, b"x", 55, 6),
        (12, 2, 3, 0, 0, 0, 0, 4, 0, b"abc", 0, 0), (13, 9, 1, 0, 0, 0, 0, 0, 0, b"", 0, 0)]


def test_settings_and_money() -> None:
    batch = Batch()
    batch.asset(7, 8, "BTC")
    batch.account(5, 1, "label")
    batch.credit(5, 7, 100, b"in")
    batch.debit(5, 7, 50)
    batch.instrument(3, text="BTCUSD", base_asset=7, quote_asset=8, lot_value=10, tick_value=11, min_lots=12,
                     max_lots=13, max_ticks=14, min_notional=15, maker_fee_ppm=16, taker_fee_ppm=17, status=2)
    batch.instrument(4, text="X", base_asset=7, quote_asset=8, lot_value=10, tick_value=11)
    data = bytes(batch)
    asset, account = np.frombuffer(data, ASSET_COMMAND)[0], np.frombuffer(data, ACCOUNT_COMMAND)[1]
    assert (asset["kind"], asset["asset"], asset["scale"], asset["text"]) == (1, 7, 8, b"BTC")
    assert (account["kind"], account["account"], account["status"], account["text"]) == (3, 5, 1, b"label")
    money = np.frombuffer(data, COMMAND)[2:4]
    assert [tuple(row[name] for name in ("kind", "account", "instrument", "amount", "text")) for row in money] == [
        (4, 5, 7, 100, b"in"), (5, 5, 7, 50, b"")]
    full, short = np.frombuffer(data, INSTRUMENT_COMMAND)[4:]
    assert full.tolist() == (2, 2, 7, 3, 8, 0, 0, 10, 11, 12, 13, b"BTCUSD", 16, 17, 14, 15)
    assert short.tolist() == (2, 0, 7, 4, 8, 0, 0, 10, 11, 1, MAX_TICKS, b"X", 0, 0, MAX_TICKS, 0)


def test_stamp_numbers_all_commands() -> None:
    batch = Batch()
    for _ in range(5):
        batch.cancel_all(2)
    batch.stamp(41, 99)
    rows = np.frombuffer(batch, COMMAND)
    assert rows["seq"].tolist() == [41, 42, 43, 44, 45]
    assert set(rows["time_ns"].tolist()) == {99}


def test_extend_joins_batches() -> None:
    first, second = Batch(1), Batch(1)
    first.cancel_all(1)
    for account in (2, 3, 4):
        second.cancel_all(account)
    first.extend(second)
    first.extend(bytes(second))
    first.extend(b"")
    assert np.frombuffer(first, COMMAND)["account"].tolist() == [1, 2, 3, 4, 2, 3, 4]
    with pytest.raises(ValueError, match="multiple of 128"):
        first.extend(b"x" * 100)
    with pytest.raises(BufferError):
        first.extend(first)


def test_nothing_of_an_earlier_command_shows_through() -> None:
    batch = Batch()
    batch.place(2**32 - 1, 2**32 - 1, 255, 255, 255, -1, -1, -1, b"\xff" * 36)
    batch.clear()
    batch.cancel_all(0)
    assert bytes(batch) == bytes([13]) + bytes(127)


def test_a_viewed_batch_cannot_change() -> None:
    batch = Batch(1)
    batch.cancel_all(2)
    view = memoryview(batch)
    assert view.readonly
    for change in (lambda: batch.cancel_all(3), batch.clear, lambda: batch.extend(b"")):
        with pytest.raises(BufferError):
            change()
    batch.stamp(5, 6)
    view.release()
    batch.cancel_all(3)
    assert len(batch) == 2


def test_values_that_do_not_fit_are_refused_and_leave_nothing() -> None:
    batch = Batch()
    with pytest.raises(ValueError, match="37 bytes: at most 36"):
        batch.cancel(2, 1, text=b"x" * 37)
    with pytest.raises(UnicodeEncodeError):
        batch.cancel(2, 1, text="é")
    with pytest.raises(OverflowError):
        batch.place(-1, 1, 0, 0, 0, 1, 1)
    with pytest.raises(OverflowError):
        batch.place(1, 1, 256, 0, 0, 1, 1)
    with pytest.raises(OverflowError):
        batch.place(1, 1, 0, 0, 0, 2**63, 1)
    with pytest.raises(TypeError):
        batch.place(1, 1, 0, 0, 0, 1.5, 1)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        batch.cancel(2, 1, text=5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="capacity 0"):
        Batch(0)
    assert len(batch) == 0
