"""The auditor of the campaign: a replica of its own from the journal's files, beside which every answer is held.

`look` brings the replica to where the running exchange says it is and compares the hash of the whole state; `settle`
holds the customers' answers beside the journal; `ledger` compares what Postgres has with the replica's fills.
"""
from bisect import bisect_right
from collections import Counter
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import numpy as np

from engine.core.codes import Code, CommandKind, EventKind, OrderType, Side, TimeInForce
from engine.core.exchange import Exchange
from engine.core.unpack import Event, unpack_events
from engine.journal import read_frames
from engine.records import COMMAND, RECORD_BYTES
from gateway.door_client import DoorClient
from tests.system.fault_holds import HoldsAudit, Told
from tests.system.fault_traders import SYMBOLS, Ack

_NS_PER_MS = 1_000_000
_LEDGER = """SELECT (SELECT seq FROM watermark WHERE stream = 'ledger'), count(*), count(DISTINCT fill_id),
             coalesce(max(fill_id), 0), coalesce(sum(quote_amount), 0) FROM trade"""


class Findings(msgspec.Struct):
    """What the campaign counts; `told` says the first of what is wrong."""

    acked: int = 0
    lost: int = 0
    doubled: int = 0
    state_mismatches: int = 0
    ledger_mismatches: int = 0
    failures: int = 0
    told: list[str] = []

    def tell(self, field: str, story: str, told_max: int = 20) -> None:
        """Count one more of a kind."""
        setattr(self, field, getattr(self, field) + 1)
        if len(self.told) < told_max:
            self.told.append(f"{field}: {story}")


class Auditor:
    """Made for one data directory; never writes there."""

    def __init__(self, journal: Path, door: Path, findings: Findings) -> None:
        self._journal, self._door, self._findings = journal, door, findings
        self.core = Exchange()
        self._commands: Counter[tuple[int, int, str]] = Counter()       # kind, account, client id
        self._places: dict[int, dict[str, Any]] = {}                    # by order id
        self._trades: dict[int, list[tuple[int, int, int]]] = {}        # by taker: trade id, ticks, lots
        self._endings: Counter[tuple[int, int]] = Counter()             # order id, code of CANCELED
        self._reduced: dict[int, list[int]] = {}                        # order id: quantities
        self._fills: list[tuple[int, int]] = []                         # seq, quote amount
        self.holds = HoldsAudit()

    async def position(self) -> dict[str, int]:
        """What the running exchange says of itself. Raises ConnectionError while it is away."""
        client = await DoorClient.connect(self._door, timeout_s=20.0)
        try:
            status, body = await client.call(0, "engine.status", {})
        finally:
            await client.close()
        if status != 200:
            raise ConnectionError(bytes(body).decode())
        found: dict[str, int] = msgspec.json.decode(body)
        return found

    async def look(self, where: str) -> int:
        """State of the exchange = our replay to the same command. Returns that command."""
        status = await self.position()
        self._replay(status["seq"])
        if self.core.seq != status["seq"] or status["durableSeq"] < status["seq"]:
            self._findings.tell("state_mismatches", f"{where}: {status}, the journal ends at {self.core.seq}")
        elif self.core.state_hash() != status["stateHash"]:
            self._findings.tell("state_mismatches", f"{where}: another state at command {self.core.seq}")
        return self.core.seq

    def settle(self, acks: list[Ack]) -> None:
        """Each of these answers is in the journal, as it was given, once. The replica must be past them."""
        for ack in acks:
            self._findings.acked += 1
            wrong = self._lacks(ack)
            if wrong:
                self._findings.tell("lost", f"{wrong}: {ack}")

    def settle_holds(self, told: list[Told]) -> None:
        """The same for the custodian's answers."""
        for answer in told:
            self._findings.acked += 1
            wrong = self.holds.lacks(answer)
            if wrong:
                self._findings.tell("lost", f"{wrong}: {answer}")

    def count_doubles(self) -> None:
        """No client id was placed twice; no order was canceled or amended twice by request."""
        for (kind, account, text), times in self._commands.items():
            if times > 1:
                self._findings.tell("doubled", f"{times} times {CommandKind(kind).name} {text} of account {account}")
        for story in self.holds.doubles():
            self._findings.tell("doubled", story)

    async def ledger(self, dsn: str, where: str) -> int:
        """No fill is missing or doubled up to the ledger's position, which is returned. Raises asyncpg's errors."""
        connection = await asyncpg.connect(dsn, timeout=5)
        try:
            seq, rows, fills, last_fill, quote = await connection.fetchrow(_LEDGER)
        finally:
            connection.terminate()
        if seq > self.core.seq:
            await self.look(where)
        count = bisect_right(self._fills, (seq, 2**63))
        amounts = sum(amount for _, amount in self._fills[:count])
        if rows != fills:
            self._findings.tell("doubled", f"{where}: {rows} rows for {fills} fills in Postgres")
        if (rows, last_fill, quote) != (count, count, amounts):
            self._findings.tell("ledger_mismatches", f"{where}: at {seq} Postgres has {rows} fills up to {last_fill} "
                                f"for {quote}, the replay {count} for {amounts}")
        return int(seq)

    # the replica

    def _replay(self, to_seq: int) -> None:
        if to_seq <= self.core.seq:
            return
        for frame in read_frames(self._journal, self.core.seq + 1):
            commands = frame.commands[:max(0, to_seq - frame.first_seq + 1) * RECORD_BYTES]
            if not commands:
                return
            self._note_commands(np.frombuffer(commands, COMMAND))
            self._note_events(unpack_events(self.core.apply(commands)))

    def _note_commands(self, commands: np.ndarray) -> None:
        times = np.concatenate([[self.core.time_ns], commands["time_ns"]])
        if (times[1:] < times[:-1]).any():
            self._findings.tell("failures", f"time runs backwards between commands {commands['seq'][[0, -1]]}")
        for command in commands:
            kind, text = int(command["kind"]), bytes(command["text"]).decode()
            if kind in (CommandKind.PLACE, CommandKind.CANCEL, CommandKind.REDUCE):
                order = int(command["order_id"])
                text = text or self._places.get(order, {}).get("text", "")
                self._commands[kind, int(command["account"]), text] += 1
            if kind == CommandKind.PLACE:
                self._places[int(command["seq"])] = {
                    name: int(command[name]) for name in COMMAND.names or () if name != "text"} | {"text": text}

    def _note_events(self, events: list[Event]) -> None:
        self.holds.note(events)
        for event in events:
            if event.kind == EventKind.TRADE:
                self._trades.setdefault(event.order_id, []).append((event.trade_id, event.price_ticks, event.qty_lots))
                self._fills.append((event.seq, event.quote_amount))
            elif event.kind == EventKind.CANCELED:
                self._endings[event.order_id, event.code] += 1
            elif event.kind == EventKind.REDUCED:
                self._reduced.setdefault(event.order_id, []).append(event.qty_lots)

    # answers

    def _lacks(self, ack: Ack) -> str:
        """What of an answer the journal does not have; empty when all is there."""
        if ack.method == "order.place":
            return self._lacks_place(ack)
        if ack.method == "openOrders.cancelAll":
            orders = [order["orderId"] for order in ack.result]
            missing = [order for order in orders if self._endings[order, Code.MASS_CANCEL] != 1]
            return f"orders {missing} were not canceled once" if missing else ""
        if ack.method == "order.cancel":
            order, kind = ack.result["orderId"], CommandKind.CANCEL
            done = self._endings[order, Code.REQUESTED] == 1
        else:
            order, kind = ack.result["amendedOrder"]["orderId"], CommandKind.REDUCE
            done = self._reduced.get(order) == [_lots(ack.asked["newQty"])]
        same = self._places.get(order, {}).get("text") == ack.text
        return "" if done and same and self._commands[kind, ack.account, ack.text] == 1 else "not done once"

    def _lacks_place(self, ack: Ack) -> str:
        order, asked = ack.result["orderId"], ack.asked
        market = asked["type"] == "MARKET"
        wanted = {
            "account": ack.account, "text": ack.text, "instrument": SYMBOLS.index(ack.symbol) + 1,
            "side": Side[asked["side"]], "qty_lots": _lots(asked["quantity"]), "order_type": OrderType[asked["type"]],
            "time_in_force": TimeInForce[asked.get("timeInForce", "GTC")], "seq": order,
            "price_ticks": 0 if market else round(float(asked["price"]) * 100)}
        found = self._places.get(order, {})
        if {name: found.get(name) for name in wanted} != wanted:
            return f"the journal has {found}"
        if self._commands[CommandKind.PLACE, ack.account, ack.text] != 1:
            return "not placed once"
        fills = [(fill["tradeId"], round(float(fill["price"]) * 100), _lots(fill["qty"]))
                 for fill in ack.result["fills"]]
        if fills != self._trades.get(order, []) or ack.result["transactTime"] != found["time_ns"] // _NS_PER_MS:
            return f"fills {fills}, the replay has {self._trades.get(order, [])}"
        return ""


def _lots(text: str) -> int:
    return round(float(text) * 10_000)
