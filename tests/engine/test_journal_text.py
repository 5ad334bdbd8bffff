"""Commands in words: what is set is shown, also where it seldom is, and strangers show their bytes."""
from engine.core.batch import Batch
from engine.core.codes import SelfTrade
from engine.frames import Chain, Frame, decode
from engine.journal_text import commands


def frame_of(batch: Batch) -> Frame:
    batch.stamp(1, 5)
    return decode(Chain(epoch=1).encode(bytes(batch)))


def test_a_field_that_is_seldom_set_is_shown_when_it_is():
    batch = Batch()
    batch.place(2, 1, 0, 0, 0, 25, 3, text=b"plain")
    batch.place(2, 1, 1, 1, 0, 25, 3, text=b"careful", stp=SelfTrade.EXPIRE_BOTH)
    batch.account(3, trade_group=7)
    batch.cancel_all(2)
    plain, careful, account, cancel_all = commands(frame_of(batch))
    assert "stp" not in plain and careful["stp"] == "EXPIRE_BOTH"
    assert (careful["side"], careful["order_type"]) == ("SELL", "LIMIT_MAKER")
    assert account["trade_group"] == 7 and account["status"] == "ACTIVE"
    assert cancel_all == {"seq": 4, "time_ns": 5, "epoch": 1, "kind": "CANCEL_ALL", "account": 2, "instrument": 0}


def test_a_kind_that_is_not_known_shows_its_bytes():
    batch = Batch()
    batch.cancel(2, 1, text=b"x")
    raw = bytearray(bytes(batch))
    raw[0] = 200
    (shown,) = commands(decode(Chain(epoch=1).encode(bytes(raw))))
    assert shown["kind"] == 200 and shown["bytes"] == raw.hex()


def test_a_number_without_a_word_stays_a_number():
    batch = Batch()
    batch.place(2, 1, 0, 0, 0, 25, 3)
    raw = bytearray(bytes(batch))
    raw[2] = 99
    (shown,) = commands(decode(Chain(epoch=1).encode(bytes(raw))))
    assert shown["order_type"] == 99
