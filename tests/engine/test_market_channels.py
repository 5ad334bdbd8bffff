"""Envelopes come out as they went in, and nothing else is taken for one."""
import pytest

from engine.market_channels import (
    ENVELOPE_BYTES_AIM,
    REFRESH,
    Entry,
    EnvelopeError,
    Kind,
    channel,
    decode_envelope,
    encode_entry,
    encode_envelope,
    pattern,
    portions,
    symbol_of,
)

ENTRIES = [
    Entry(Kind.TRADE, False, b'{"t":1}'), Entry(Kind.BOOK_TICKER, True, b"{}"), Entry(Kind.DEPTH_100, False, b"")]


def encoded() -> bytes:
    entries = [encode_entry(entry.kind, entry.payload, REFRESH * entry.refresh) for entry in ENTRIES]
    return encode_envelope(2**63 + 5, 7, entries)


def test_an_envelope_is_read_as_it_was_written():
    envelope = decode_envelope(encoded())
    assert (envelope.epoch, envelope.seq, envelope.entries) == (2**63 + 5, 7, ENTRIES)


def test_the_format_is_the_documented_one():
    head = b"BM\x01\x00" + (1).to_bytes(4, "little") + (9).to_bytes(8, "little") + (3).to_bytes(8, "little")
    entry = b"\x02\x01\x00\x00" + (2).to_bytes(4, "little") + b"{}"
    assert encode_envelope(9, 3, [encode_entry(Kind.BOOK_TICKER, b"{}", REFRESH)]) == head + entry


@pytest.mark.parametrize("length", range(len(encoded())))
def test_a_cut_envelope_is_refused(length):
    with pytest.raises(EnvelopeError):
        decode_envelope(encoded()[:length])


@pytest.mark.parametrize("data", [
    b"", b"hello", encoded() + b"x", b"XX" + encoded()[2:], b"BM\x02" + encoded()[3:],
    encoded()[:24] + b"\xff" + encoded()[25:], encoded()[:4] + b"\xff\xff\xff\xff" + encoded()[8:]])
def test_foreign_bytes_are_refused(data):
    with pytest.raises(EnvelopeError):
        decode_envelope(data)


def test_channels_of_two_databases_are_apart():
    assert channel(0, "BTCUSDT") == b"buttonwood:0:market:BTCUSDT"
    assert pattern(3) == b"buttonwood:3:market:*"
    assert symbol_of(channel(0, "BTCUSDT")) == "BTCUSDT"


def test_a_long_message_is_cut_between_entries():
    small, large = b"x" * 1000, b"y" * (ENVELOPE_BYTES_AIM + 1)
    entries = [small] * 100 + [large, small]
    cut = list(portions(entries))
    assert [entry for portion in cut for entry in portion] == entries
    assert [len(portion) for portion in cut] == [65, 35, 1, 1]
    assert list(portions([])) == []
