"""The way out of a connection: one send a pass, nothing overtakes what the transport holds, nothing after the end."""
import asyncio
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from gateway.outlet import Outlet, Turn, fan_out

MOST = 1000


class Owner:
    """A connection whose transport is a list."""

    peer = "test"

    def __init__(self, turn: Turn) -> None:
        self.outlet = Outlet(self, turn, MOST)
        self.written: list[bytes] = []
        self.aborted = False
        self.fails = False

    def flush(self) -> None:
        if self.fails:
            raise OSError("no")
        if not self.outlet.leave():
            self.outlet.behind = True
            self.written.append(self.outlet.taken())

    def ask(self) -> None:
        self.outlet.asked = True
        self.outlet.add(b"?")

    def abort(self) -> None:
        self.aborted = True
        self.outlet.shut()


@contextmanager
def joined(turn: Turn) -> Iterator[tuple[Owner, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        owner = Owner(turn)
        owner.outlet.opened(ours.fileno())
        owner.outlet.open = True
        yield owner, theirs


def run(story: Callable[[Turn], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story(Turn()))


def test_frames_of_a_pass_leave_together_at_its_end():
    async def story(turn: Turn) -> None:
        with joined(turn) as (first, near), joined(turn) as (second, far):
            fan_out([first.outlet, second.outlet], b"one")
            first.outlet.push(b"two")
            assert first.outlet.queued_bytes == 6
            await asyncio.sleep(0)
            assert (near.recv(100), far.recv(100)) == (b"onetwo", b"one")
            assert first.outlet.queued_bytes == 0 and not first.written
    run(story)


def test_above_the_limit_it_leaves_at_once():
    async def story(turn: Turn) -> None:
        with joined(turn) as (owner, reader):
            owner.outlet.push(b"x" * (MOST + 1))
            assert len(reader.recv(2 * MOST)) == MOST + 1
    run(story)


def test_what_the_socket_does_not_take_goes_through_the_transport_and_so_does_what_follows():
    async def story(turn: Turn) -> None:
        with joined(turn) as (owner, reader):
            sent = b""
            while not owner.outlet.behind:
                piece = b"%09d," % len(sent) * 90
                sent += piece
                owner.outlet.push(piece)
                await asyncio.sleep(0)
            got = b""
            while len(got) + sum(map(len, owner.written)) < len(sent):
                got += reader.recv(1 << 20)
            owner.outlet.push(b"later")     # there is room again, but the transport holds bytes
            await asyncio.sleep(0)
            assert owner.written[-1] == b"later"
            assert got + b"".join(owner.written) == sent + b"later"
    run(story)


def test_without_a_socket_everything_goes_through_the_transport():
    async def story(turn: Turn) -> None:
        owner = Owner(turn)
        owner.outlet.open = True
        owner.outlet.push(b"secret")
        await asyncio.sleep(0)
        assert owner.written == [b"secret"]
    run(story)


def test_a_peer_that_is_gone_is_left_to_the_transport():
    async def story(turn: Turn) -> None:
        with joined(turn) as (owner, reader):
            reader.close()
            owner.outlet.push(b"hello")
            await asyncio.sleep(0)
            assert owner.written == [b"hello"]
    run(story)


def test_nothing_is_taken_or_sent_after_the_end():
    async def story(turn: Turn) -> None:
        with joined(turn) as (owner, reader):
            owner.outlet.push(b"before")
            owner.outlet.shut()
            owner.outlet.push(b"after")
            await asyncio.sleep(0)
            owner.outlet.add(b"even so")
            assert not owner.outlet.leave() and not owner.written
            try:
                got = reader.recv(100)
            except BlockingIOError:
                got = b""
            assert got == b""
    run(story)


def test_a_write_that_fails_cuts_that_connection_only():
    async def story(turn: Turn) -> None:
        with joined(turn) as (bad, _), joined(turn) as (good, reader):
            bad.fails = bad.outlet.behind = True
            fan_out([bad.outlet, good.outlet], b"news")
            await asyncio.sleep(0)
            assert bad.aborted and reader.recv(100) == b"news"
    run(story)
