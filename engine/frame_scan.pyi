MORE: int
FOUND: int
END: int

def hop(data: bytes, at: int, next_seq: int, seq: int, epochs: bool = False) -> tuple[int, int, int]: ...
