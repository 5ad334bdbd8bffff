"""What numpy encodes, Postgres reads: every value of every type, the limits included."""
import asyncio

import asyncpg
import numpy as np
import pytest

from workers.copy_binary import CopyRows

LAYOUT = CopyRows(small="smallint", normal="int", big="bigint")
ROWS = np.array(
    [(0, 0, 0), (-1, -1, -1), (2**15 - 1, 2**31 - 1, 2**63 - 1), (-2**15, -2**31, -2**63)],
    [("big_first", "i8"), ("normal", "i8"), ("big", "i8")])


def rows() -> np.ndarray:
    renamed = ROWS.astype([("small", "i8"), ("normal", "i8"), ("big", "i8")])
    return np.concatenate([renamed] * 1000)


def test_postgres_reads_back_what_was_written(dsn: str):
    async def there_and_back() -> list[tuple[int, ...]]:
        connection = await asyncpg.connect(dsn)
        await connection.execute("CREATE TABLE t (small smallint, normal int, big bigint, k bigserial)")
        await connection.copy_to_table("t", source=memoryview(LAYOUT.encode(rows())), columns=LAYOUT.columns,
                                       format="binary")
        back = await connection.fetch("SELECT small, normal, big FROM t ORDER BY k")
        await connection.close()
        return [tuple(row) for row in back]

    assert asyncio.run(there_and_back()) == rows().tolist()


@pytest.mark.parametrize(("column", "value"), [("small", 2**15), ("small", -2**15 - 1), ("normal", 2**31)])
def test_a_value_that_does_not_fit_is_refused(column: str, value: int):
    broken = rows()
    broken[column][17] = value
    with pytest.raises(OverflowError, match=column):
        LAYOUT.encode(broken)


def test_no_rows():
    assert len(LAYOUT.encode(rows()[:0])) == 19 + 2
