FAILURE: int
CLOSE: int
PING: int
PONG: int

Control = tuple[int, int, bytes]

class FrameReader:
    def __init__(self, message_bytes_max: int) -> None: ...
    def feed(self, data: bytes) -> list[bytes | Control]: ...
