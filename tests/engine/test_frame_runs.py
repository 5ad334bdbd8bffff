"""Runs of frames: the same frames as engine.frames finds, the same end, whatever is wrong with the bytes."""
import random

import pytest
from google_crc32c import extend

from engine.frame_runs import crc32c, read_run
from engine.frames import BadFrame, Chain, decode, frame_size
from engine.records import RECORD_BYTES
from tests.engine.stage import stamped

HEADER_BYTES = 32


def journal(counts: list[int]) -> bytes:
    chain, data = Chain(), b""
    for count in counts:
        chain.epoch += count == 0
        data += chain.encode(stamped(chain.next_seq, count))
    return data


def one_by_one(data: bytes) -> tuple[int, Chain, bytes]:
    """The judge: where the sound frames end, the chain there, their commands."""
    chain, at, commands = Chain(), 0, b""
    try:
        while len(data) - at >= HEADER_BYTES and at + frame_size(data, at) <= len(data):
            frame = decode(data, at)
            chain.accept(frame)
            at, commands = at + frame.size_bytes, commands + bytes(frame.commands)
    except BadFrame:
        pass
    return at, chain, commands


def in_runs(data: bytes, most: int) -> tuple[int, Chain, bytes]:
    chain, at, all_commands = Chain(), 0, b""
    while True:
        end, tail, chain.next_seq, chain.epoch, chain.crc, commands = read_run(
            data, at, chain.next_seq, chain.epoch, chain.crc, most)
        if end == at:
            return at, chain, all_commands
        assert len(commands) <= max(most, 7) * RECORD_BYTES
        assert (tail >= at) == bool(commands) and tail < end
        at, all_commands = end, all_commands + commands


@pytest.mark.parametrize("most", [1, 3, 10, 10_000])
def test_runs_are_the_frames_one_after_another_and_end_at_the_same_damage(most: int) -> None:
    dice = random.Random(most)
    sound = journal([0, *(dice.choice((0, 1, 2, 7)) for _ in range(20))])
    for _ in range(300):
        data = bytearray(sound)
        for _ in range(dice.randrange(3)):
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        cut = bytes(data[:dice.randrange(len(data) + 1)] if dice.random() < 0.3 else data)
        (at, chain, commands), expected = in_runs(cut, most), one_by_one(cut)
        assert (at, chain.next_seq, chain.epoch, chain.crc, commands) == (
            expected[0], expected[1].next_seq, expected[1].epoch, expected[1].crc, expected[2])


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 63, 4096, 100_003])
def test_the_checksum_is_that_of_the_library(size: int) -> None:
    data = random.Random(size).randbytes(size)
    assert crc32c(data) == crc32c(data, plain=True) == extend(0, data)
