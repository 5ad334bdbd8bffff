"""Frames as bytes: what is written is read, and nothing else is."""
import random

import pytest

from engine.frames import HEADER_BYTES, BadFrame, Chain, FrameSplitter, decode, frame_of, frame_size
from tests.engine.stage import stamped


def chain_of(*counts: int) -> tuple[Chain, list[bytes]]:
    chain = Chain(epoch=1)
    return chain, [chain.encode(stamped(chain.next_seq, count)) for count in counts]


def test_what_is_encoded_is_decoded():
    chain, (raw,) = chain_of(3)
    frame = decode(raw)
    assert (frame.first_seq, frame.count, frame.end_seq, frame.epoch) == (1, 3, 4, 1)
    assert frame.commands == stamped(1, 3) and frame.commands.readonly
    assert frame.crc == chain.crc and frame.prev_crc == 0 and frame == frame_of(raw)
    assert frame.size_bytes == len(raw) == HEADER_BYTES + 3 * 128


def test_every_flipped_bit_is_seen():
    _, (raw,) = chain_of(1)
    for bit in range(len(raw) * 8):
        damaged = bytearray(raw)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BadFrame):
            decode(bytes(damaged))


def test_a_cut_frame_is_seen():
    _, (raw,) = chain_of(2)
    for size in range(8, len(raw)):
        with pytest.raises(BadFrame):
            decode(raw[:size])


def test_a_header_cannot_claim_more_than_a_frame_may_hold():
    _, (raw,) = chain_of(1)
    with pytest.raises(BadFrame, match="count"):
        frame_size(raw[:4] + (65537).to_bytes(4, "little") + raw[8:])


def test_a_chain_takes_only_its_next_frame():
    _, raws = chain_of(2, 1, 3)
    frames, reader = [decode(raw) for raw in raws], Chain()
    reader.accept(frames[0])
    for wrong in (frames[0], frames[2]):
        with pytest.raises(BadFrame):
            reader.accept(wrong)
    reader.accept(frames[1])
    reader.accept(frames[2])
    assert reader.next_seq == 7


def test_a_chain_refuses_an_older_epoch_and_another_history():
    _, (first,) = chain_of(1)
    reader = Chain()
    reader.accept(decode(first))
    for epoch, crc, word in ((0, reader.crc, "epoch"), (1, reader.crc ^ 1, "checksum")):
        with pytest.raises(BadFrame, match=word):
            reader.accept(decode(Chain(2, epoch, crc).encode(stamped(2, 1))))


def test_commands_before_a_number_are_left_out():
    _, raws = chain_of(1, 4)
    rest = decode(raws[1]).after(4)
    assert (rest.first_seq, rest.count, rest.end_seq) == (4, 2, 6)
    assert rest.commands == decode(raws[1]).commands[256:]


def test_a_stream_cut_anywhere_gives_the_same_frames():
    random.seed(7)
    _, raws = chain_of(*(random.randrange(6) for _ in range(40)))
    stream, splitter, seen = b"".join(raws), FrameSplitter(), []
    while stream:
        size = random.choice((1, 31, 32, 33, 500, 3000))
        seen += splitter.feed(stream[:size])
        stream = stream[size:]
    assert seen == [decode(raw) for raw in raws]
