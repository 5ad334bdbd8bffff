"""Sends the steps over one order-entry WebSocket, in order, many in flight, and finds its place again after a crash.

A step without a reply when the connection breaks was carried out or not; as the venue takes one socket's requests in
order, the carried out ones come first. So the session asks for the status of every order in that window: the last step
that shows, and all before it, are done; the rest is sent again. A step that left no mark (a cancel of an order that was
gone) is sent again and refused again.

At most `window` requests wait for replies. A venue that stays away for two minutes ends the run with VenueError.
"""
import asyncio
import time
from array import array
from collections import Counter, deque
from collections.abc import Awaitable, Callable

from buttonwood.lobster import Action, Step
from buttonwood.replay_score import Fill, Span
from buttonwood.replay_wire import Reply, Requests, Result, decode_reply, lots_of, ticks_of
from buttonwood.ws_client import WebSocketClient, connect_again, first_of
from engine.errors import VenueError

GONE = frozenset({-2011, -2013})                # the order is not there: the replay goes on
REFUSED = frozenset({-1013, -2010, -2038})      # counted, the replay goes on
_REPLY_SECONDS_MAX = 60.0


class OrderSession:
    """Runs all steps; afterwards the attributes tell what came of them.

    `listening` is awaited before orders are sent on a new connection: who wants to hear of them is there by then.
    `answered` is told how many steps are done, each time some are.
    """

    def __init__(self, url: str, steps: list[Step], requests: Requests, window: int,
                 listening: Callable[[], Awaitable[None]], answered: Callable[[int], None]) -> None:
        self.fills: dict[int, list[Fill]] = {}      # step: its fills, where there were any
        self.unread: dict[int, tuple[int, int]] = {}    # step: (order id, lots filled) of replies lost in a crash
        self.refusals: Counter[int] = Counter()     # by code
        self.spans: list[Span] = []
        self.last_update_id = -1                    # of the book, at the last mark
        self.ack_ns = array("q")
        self.order_ids, self.order_times_ms = array("q"), array("q")    # of orders, as the replies say
        self.first_sent_ns = self.last_reply_ns = 0
        self.reconnects = self.resent = 0
        self._url, self._steps, self._requests, self._window = url, steps, requests, window
        self._listening, self._answered = listening, answered
        self._next = 0
        self._again: deque[int] = deque()           # steps to send again, before the next new one
        self._waiting: dict[int, int] = {}          # step: time sent
        self._span_from = -1
        self._client: WebSocketClient | None = None
        self._done = asyncio.get_running_loop().create_future()
        self._handle: Callable[[list[Reply]], None] = self._take

    async def run(self) -> None:
        """Return when every step has its reply. Raises VenueError."""
        while not self._done.done():
            client = await connect_again(self._url, self._receive)
            self.reconnects += self.first_sent_ns > 0
            await self._listening()
            if self._waiting and not await self._find_place(client):
                client.close()
                continue
            self._handle, self._client = self._take, client
            self._fill_window()
            await self._until_over(client)
            self._client = None
            client.close()
        await self._done

    async def _until_over(self, client: WebSocketClient) -> None:
        """Wait for the last reply or the end of the connection. Raises VenueError when replies stop coming."""
        seen = -1
        while not (self._done.done() or client.lost.done()):
            if len(self.ack_ns) + len(self.spans) == seen:
                raise VenueError(f"{self._url}: no reply for {_REPLY_SECONDS_MAX:g} s")
            seen = len(self.ack_ns) + len(self.spans)
            await first_of(self._done, client.lost, seconds_max=_REPLY_SECONDS_MAX)

    # 1. receiving

    def _receive(self, messages: list[bytes]) -> None:
        """The replies of one read, to whoever waits for them; an error ends the run, not the connection."""
        try:
            self._handle([decode_reply(message) for message in messages])
        except Exception as error:
            if not self._done.done():
                self._done.set_exception(error)

    # 2. sending

    def _fill_window(self) -> None:
        """Send as much as may be in flight, in one write."""
        if self._client is None:
            return
        batch: list[bytes] = []
        now_ms, now_ns = time.time_ns() // 1_000_000, time.perf_counter_ns()
        while len(self._waiting) < self._window:
            number = self._again[0] if self._again else self._next
            if number == len(self._steps):
                break
            step = self._steps[number]
            is_mark = step.is_mark
            if (is_mark and self._waiting) or self._mark_waits():
                break
            request = self._requests.depth(number) if is_mark else self._requests.step(number, step, now_ms)
            batch.append(request)
            self._waiting[number] = now_ns
            if self._again:
                self._again.popleft()
            else:
                self._next += 1
        if batch:
            self.first_sent_ns = self.first_sent_ns or now_ns
            self._client.send(batch)

    def _mark_waits(self) -> bool:
        """A mark is alone in flight: what stands in the book then is what the steps before it made."""
        return len(self._waiting) == 1 and self._steps[next(iter(self._waiting))].is_mark

    # 3. replies

    def _take(self, replies: list[Reply]) -> None:
        now_ns = time.perf_counter_ns()
        for reply in replies:
            sent_ns = self._waiting.pop(reply.id, None)
            if sent_ns is None:
                raise VenueError(f"a reply to request {reply.id}, which waits for none")
            step = self._steps[reply.id]
            if reply.result is None:
                self._refused(reply, step)
            elif step.is_mark:
                self._mark(step, reply.result)
            elif step.is_order:
                self._placed(reply.id, reply.result)
            if not step.is_mark:
                self.ack_ns.append(now_ns - sent_ns)
                self.last_reply_ns = now_ns
        self._answered(len(replies))
        self._fill_window()
        if self._next == len(self._steps) and not self._waiting and not self._done.done():
            self._done.set_result(None)

    def _refused(self, reply: Reply, step: Step) -> None:
        code, text = (reply.error.code, reply.error.msg) if reply.error is not None else (0, "no reason given")
        if step.is_mark or code not in GONE | REFUSED:
            raise VenueError(f"event {step.event}, {step.action.value} {step.client_id}: the venue says {code} {text}")
        self.refusals[code] += 1

    def _mark(self, step: Step, result: Result) -> None:
        """Note where the book is; the first span begins before everything, for the state it ends with must count."""
        self.last_update_id = result.last_update_id
        if step.action is Action.OPEN:
            self._span_from = result.last_update_id if step.event else -1
        else:
            self.spans.append((self._span_from, result.last_update_id))

    def _placed(self, number: int, result: Result) -> None:
        self.order_ids.append(result.order_id)
        self.order_times_ms.append(result.transact_time)
        if result.fills is None:
            raise VenueError(f"event {self._steps[number].event}: an order's reply without a list of its fills")
        if result.fills:
            self.fills[number] = [(fill.trade_id, ticks_of(fill.price), lots_of(fill.qty)) for fill in result.fills]

    # 4. after a crash

    async def _find_place(self, client: WebSocketClient) -> bool:
        """Ask what became of the steps in flight, and line up again those that were not carried out.

        False when the connection broke once more: the window still waits.
        """
        asked = [number for number in sorted(self._waiting) if not self._steps[number].is_mark]
        states = await self._ask(client, asked)
        if states is None:
            return False
        done = max((number for number in asked if _shows(self._steps[number], states[number].result)), default=-1)
        for number in asked:
            if number <= done:
                self._settle(number, states[number])
        again = sorted(number for number in self._waiting if number > done)
        self.resent += len(again)
        self._again.extendleft(reversed(again))
        self._answered(len(self._waiting) - len(again))
        self._waiting.clear()
        return True

    async def _ask(self, client: WebSocketClient, numbers: list[int]) -> dict[int, Reply] | None:
        """The status of each step's order; None when the connection broke."""
        states: dict[int, Reply] = {}
        complete: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def handle(replies: list[Reply]) -> None:
            states.update((reply.id, reply) for reply in replies)
            if len(states) == len(numbers) and not complete.done():
                complete.set_result(None)

        if not numbers:
            return states
        self._handle = handle
        now_ms = time.time_ns() // 1_000_000
        client.send([self._requests.status(number, self._steps[number], now_ms) for number in numbers])
        await first_of(complete, client.lost, self._done, seconds_max=_REPLY_SECONDS_MAX)
        if not complete.done():
            return None
        self._check(states)
        return states

    def _check(self, states: dict[int, Reply]) -> None:
        for number, reply in states.items():
            if reply.error is not None and reply.error.code not in GONE:
                raise VenueError(f"status of {self._steps[number].client_id}: the venue says {reply.error.code} "
                                 f"{reply.error.msg}")

    def _settle(self, number: int, reply: Reply) -> None:
        """Take a step as done whose reply was lost."""
        step, result = self._steps[number], reply.result
        if step.is_order and result is not None:
            filled = lots_of(result.executed_qty)
            if filled and step.action is Action.TAKE:
                self.unread[number] = (result.order_id, filled)
        elif step.action is Action.CANCEL and (result is None or result.status != "CANCELED"):
            self.refusals[-2011] += 1


def _shows(step: Step, result: Result | None) -> bool:
    """Whether the order's state proves that the step was carried out."""
    if result is None:
        return False
    if step.action is Action.CANCEL:
        return result.status == "CANCELED"
    return step.action is not Action.REDUCE or lots_of(result.orig_qty) <= step.qty_lots
