"""Fuzzing without a guide: seeds, changed at random, over and over; and whether memory grows while they are read."""
import gc
import random
from collections.abc import Iterator

import psutil

from tests.fuzz.targets import Target

LONGEST = 700
ROUNDS, ROUNDS_WARM = 8, 4


def changed(choose: random.Random, data: bytes, words: list[bytes]) -> bytes:
    """The input with one to four changes."""
    found = bytearray(data)
    for _ in range(choose.randint(1, 4)):
        begin = choose.randint(0, len(found))
        end = min(len(found), begin + choose.choice((0, 0, 1, 1, 2, 8, 40)))
        kind = choose.random()
        found[begin:end] = (
            b"" if kind < 0.2 else choose.randbytes(choose.randint(1, 3)) if kind < 0.5
            else choose.choice(words) if kind < 0.9 else bytes(found[choose.randint(0, len(found)):])[:60])
    return bytes(found[:LONGEST])


def inputs(seed: int, seeds: list[bytes], words: list[bytes], count: int) -> Iterator[bytes]:
    """The seeds, then changed ones."""
    choose = random.Random(seed)
    yield from seeds[:count]
    for _ in range(count - len(seeds)):
        yield changed(choose, choose.choice(seeds), words)


def grown_bytes(target: Target, corpus: list[bytes], inputs_least: int) -> int:
    """How much memory reading the same inputs again and again takes, once everything was read some times."""
    repeat = max(1, inputs_least // (len(corpus) * ROUNDS))
    before = 0
    for number in range(ROUNDS):
        if number == ROUNDS_WARM:
            before = _memory()
        for _ in range(repeat):
            for data in corpus:
                target(data)
    return max(0, _memory() - before)


def _memory() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)
