"""One replay on one venue, from the first request to the proof of the ledger, and the figures it gives.

Stages: 1 listen, 2 send, 3 hear the rest, 4 look up what a crash kept from us, 5 wait for the ledger and have it
proven, 6 count. Only stage 2 is timed.
"""
import asyncio
import statistics
import time
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from buttonwood.lobster import Action, State, Step
from buttonwood.replay_lookup import Lookup
from buttonwood.replay_proof import LedgerWatch, Proof
from buttonwood.replay_score import count_aligned, is_exact, states_of
from buttonwood.replay_session import OrderSession
from buttonwood.replay_venue import Target
from buttonwood.replay_watch import MarketWatch, PrivateWatch
from buttonwood.replay_wire import Requests
from buttonwood.ws_client import first_of
from engine.errors import VenueError

HEAR_SECONDS_MAX = 60.0
MAKERS_SECONDS_MAX = 5.0
_POLL_S = 0.05


class Figures(Struct, omit_defaults=False):
    """What a replay shows. top_* without a truth file and ledger figures without the venue's data are None."""

    events: int
    orders: int
    executions: int
    executions_exact: int
    top_states: int
    top_aligned: int | None
    orders_per_second: int
    ack_p50_us: int
    ack_p99_us: int
    fills: int
    gone: int
    refused: int
    reconnects: int
    resent: int
    looked_up: int
    stream_interruptions: int
    send_seconds: float
    ledger_lag_ms_max: float | None
    ledger_behind_seconds: float | None
    verified: bool | None
    problems: list[str]


class Replay:
    """The parts of one run. `answered` hears how many steps were done, each time some are."""

    def __init__(self, target: Target, steps: list[Step], window: int, answered: Callable[[int], None]) -> None:
        self._target, self._steps = target, steps
        self._requests = Requests(target.symbol, target.keys)
        self._private = PrivateWatch(target.orders, self._requests, len(target.keys))
        self._market = MarketWatch(target.streams, target.symbol)
        self._session = OrderSession(
            target.orders, steps, self._requests, window, self._private.listening, answered)
        self._lookup = Lookup(target.rest, self._requests)
        self._ledger = LedgerWatch(target.config) if target.config is not None else None
        self._looked_up = 0

    async def run(self, truth: list[State] | None) -> Figures:
        """All stages. Raises VenueError."""
        try:
            await asyncio.gather(self._private.start(), self._market.start())
            if self._ledger is not None:
                await self._ledger.start()
            await self._send()
            await self._hear_rest()
            await self._look_up()
            session = self._session
            proof = await self._ledger.prove(session.order_ids, session.order_times_ms) if self._ledger else None
        finally:
            await asyncio.gather(self._private.stop(), self._market.stop())
            if self._ledger is not None:
                await self._ledger.stop()
        return self._count(truth, proof)

    async def _send(self) -> None:
        """Send all steps; a watch that fails for good ends the run."""
        sending = asyncio.create_task(self._session.run())
        try:
            await first_of(sending, self._private.failed, self._market.failed)
            for watch in (self._private, self._market):
                if watch.failed.done():
                    await watch.failed
            await sending
        finally:
            sending.cancel()

    async def _hear_rest(self) -> None:
        last = self._session.last_update_id
        if not await self._market.reaches(last, HEAR_SECONDS_MAX):
            raise VenueError(f"{self._target.streams}: the stream did not come to update {last} of "
                             f"{self._target.symbol} in {HEAR_SECONDS_MAX:g} s")
        give_up = time.monotonic() + MAKERS_SECONDS_MAX
        while self._unheard() and time.monotonic() < give_up:  # noqa: ASYNC110  bounded, and only at the end
            await asyncio.sleep(_POLL_S)

    def _unheard(self) -> list[tuple[Step, int]]:
        """(step, trade id) of executions that would be exact if only their maker were known."""
        unheard = []
        for number, fills in self._session.fills.items():
            step = self._steps[number]
            if step.action is Action.TAKE and len(fills) == 1 and fills[0][0] not in self._private.makers:
                unheard.append((step, fills[0][0]))
        return unheard

    async def _look_up(self) -> None:
        """What was lost in a crash: first fills, then makers."""
        for number, (order_id, lots) in self._session.unread.items():
            fills = await asyncio.to_thread(self._lookup.fills, self._steps[number].trader, order_id, lots)
            self._session.fills[number] = fills
        unheard = self._unheard()
        self._looked_up = len(self._session.unread) + len(unheard)
        for step, trade_id in unheard:
            if await asyncio.to_thread(self._lookup.was_maker, step, trade_id, len(self._target.keys)):
                self._private.makers[trade_id] = step.maker

    def _count(self, truth: list[State] | None, proof: Proof | None) -> Figures:
        session, market = self._session, self._market
        takes = [(number, step) for number, step in enumerate(self._steps) if step.action is Action.TAKE]
        states = states_of(market.tops, session.spans)
        orders = sum(not step.is_mark for step in self._steps)
        seconds = (session.last_reply_ns - session.first_sent_ns) / 1e9
        return Figures(
            events=self._steps[-1].event, orders=orders, executions=len(takes),
            executions_exact=sum(
                is_exact(step, session.fills.get(number, ()), self._private.makers) for number, step in takes),
            top_states=len(states), top_aligned=None if truth is None else count_aligned(states, truth),
            orders_per_second=round(orders / seconds), fills=len(market.trade_ids),
            **acknowledgement_times(session.ack_ns), gone=sum(session.refusals[code] for code in (-2011, -2013)),
            refused=sum(session.refusals[code] for code in (-1013, -2010, -2038)),
            reconnects=session.reconnects, resent=session.resent, looked_up=self._looked_up,
            stream_interruptions=market.interruptions, send_seconds=round(seconds, 3),
            ledger_lag_ms_max=proof.lag_ms_max if proof else None,
            ledger_behind_seconds=proof.behind_seconds if proof else None,
            verified=proof.verified if proof else None, problems=proof.problems if proof else [])


def acknowledgement_times(ack_ns: Any) -> dict[str, int]:
    """Median and 99th percentile from request to reply, in microseconds."""
    percentiles = statistics.quantiles(ack_ns, n=100)
    return {"ack_p50_us": round(percentiles[49] / 1000), "ack_p99_us": round(percentiles[98] / 1000)}
