"""The native clients of bench.gateway count every reply, in whatever pieces it comes, and tell what is no success."""
import socket
from threading import Thread

import numpy as np
import pytest

from bench.gateway_load import HANDSHAKE
from bench.native import load_native

REPLY = b'\x81\x7e\x00\xc8' + b'{"id":1,"status":200,'.ljust(200)
REFUSAL = b'\x81\x28' + b'{"id":1,"status":400,'.ljust(40)
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n12345"


def serve(listener: socket.socket, opening: bytes, orders: list[bytes], piece: int) -> None:
    """One connection: each reply in pieces, behind its order of 4 bytes."""
    plug, _ = listener.accept()
    with plug:
        if opening:
            plug.recv(65536)
            plug.sendall(opening)
        for reply in orders:
            if len(plug.recv(4, socket.MSG_WAITALL)) < 4:
                return
            for start in range(0, len(reply), piece):
                plug.sendall(reply[start:start + piece])


def ask(opening: bytes, replies: list[bytes], piece: int, burst: int, step_ns: int) -> np.ndarray:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Thread(target=serve, args=(listener, opening, replies, piece))
        server.start()
        clients = load_native("_orders").Clients(
            "127.0.0.1", listener.getsockname()[1], HANDSHAKE if opening else b"", [[b"ORDR"] * len(replies)])
        latencies_ns = np.zeros(len(replies), np.int64)
        try:
            clients.run(latencies_ns, burst, step_ns)
        finally:
            clients.close()
            server.join()
        return latencies_ns


UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"


@pytest.mark.parametrize(("opening", "reply"), [(UPGRADED, REPLY), (b"", RESPONSE)])
@pytest.mark.parametrize(("burst", "step_ns"), [(1, 0), (5, 0), (1, 1_000_000)])
def test_every_reply_is_counted(opening: bytes, reply: bytes, burst: int, step_ns: int):
    assert (ask(opening, [reply] * 20, 7, burst, step_ns) > 0).all()


def test_a_refusal_ends_the_run():
    with pytest.raises(RuntimeError, match="400"):
        ask(UPGRADED, [REPLY, REFUSAL, REPLY], 300, 1, 0)


def test_a_connection_that_ends_ends_the_run():
    with pytest.raises(RuntimeError, match="no reply"):
        ask(b"", [b""], 1, 1, 0)
