"""Open orders of before a start: each is found by its id and given once, whatever the ids, the accounts, the bytes."""
import random

import numpy as np
import pytest

from engine.records import ORDER
from gateway.order_store import OrderStore
from gateway.restored_orders import RestoredOrders

ACCOUNTS = (1, 2, 3, 70_000)


def records(ids: list[int]) -> np.ndarray:
    """Orders of accounts by turns, each changed later than the one before it; every tenth trails."""
    rows = np.zeros(len(ids), ORDER)
    rows["order_id"] = ids
    rows["account"] = [ACCOUNTS[place % len(ACCOUNTS)] for place in range(len(ids))]
    rows["qty_lots"] = rows["left_lots"] = 5
    rows["update_ns"] = range(1000, 1000 + len(ids))
    rows["trailing_bps"][::10] = 100
    return rows


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 16, 1000])
@pytest.mark.parametrize("spacing", [1, 2**24, 2**50])
def test_each_is_found_and_given_once(count: int, spacing: int) -> None:
    ids = [1 + spacing * place for place in range(count)]
    store = OrderStore(10)
    store.restore(records(ids).tobytes())
    for order_id in random.Random(count).sample(ids, count):
        found = store.find_open(order_id)
        assert found is not None and found.id == order_id and found is store.find_open(order_id)
    for stranger in (0, 2, 2**64 - 1):
        assert stranger in ids or store.find_open(stranger) is None
    assert sorted(store.open) == ids


@pytest.mark.parametrize("count", [0, 1, 3, 1000])
def test_times_of_accounts_and_who_trails(count: int) -> None:
    rows = records(list(range(1, count + 1)))
    restored = RestoredOrders(rows.tobytes())
    assert (restored.count, restored.left) == (count, count)
    assert restored.trailing_ids() == [number for number in range(1, count + 1) if number % 10 == 1]
    latest = {int(row["account"]): int(row["update_ns"]) for row in rows}
    assert restored.last_updates() == latest


def test_a_part_of_a_record_is_none() -> None:
    whole = records([4, 5]).tobytes()
    for data, count in ((whole[:-1], 1), (whole[:ORDER.itemsize - 1], 0), (whole + b"x", 2)):
        assert RestoredOrders(data).count == count


def test_records_within_other_bytes_are_read_where_they_stand_unless_they_stand_askew() -> None:
    store = OrderStore(10)
    store.restore(memoryview(b"8 bytes." + records([4, 5]).tobytes())[8:])
    assert sorted(store.open) == [4, 5]
    with pytest.raises(ValueError, match="multiple of 8"):
        store.restore(memoryview(b"123" + records([4, 5]).tobytes())[3:])
