"""One customer's connection to the WebSocket API: who is speaking, what is asked, and the private events to deliver.

A request is signed with a key of its own, or it speaks for whoever logged on to the session before; many accounts may
share one connection by signing each request. Replies come in the order of the requests. Session methods take effect
when they are read, so that orders may be pipelined right behind session.logon. An answer above half of
write_buffer_bytes_max is replaced by an error that says so: sending it could cut the connection.
"""
import time
from functools import partial
from typing import NamedTuple
from urllib.parse import parse_qs

from msgspec import Raw

from gateway.auth import authenticate, check_timing, named_key
from gateway.disconnects import Disconnects
from gateway.feed_shapes import ServerShutdown
from gateway.lane import Lane
from gateway.order_intake import OrderIntake
from gateway.order_path import OrderPath
from gateway.order_terms import Params, needed, order_id
from gateway.protocol import EMPTY_RESULT, SessionState, UserEvent, encode, error_reply, reply
from gateway.questions import QUESTIONS, SIGNED
from gateway.refusals import (
    ANSWER_TOO_LARGE,
    INVALID_PARAMETER,
    ONLY_ED25519,
    REJECTED_API_KEY,
    SUBSCRIPTION_ACTIVE,
    SUBSCRIPTION_INACTIVE,
    TOO_MANY_REQUESTS,
    UNAUTHORIZED,
    UNSUPPORTED,
    Refusal,
)
from gateway.requests import PATH, BadRequest, read_request, signed_payload
from gateway.small_shapes import DisconnectMode, StreamTerminated, Subscription
from gateway.tokens import read_token
from gateway.venue import Tag, Venue
from gateway.websocket import Connection
from gateway.weights import weight_of

KIND_NAMES = {"hmac": "HMAC_SHA256", "rsa": "RSA"}
_NS_PER_MS, _NS_PER_US = 1_000_000, 1000
_POLICY_VIOLATION = 1008
OK = 200
PLACING = frozenset(("order.place", "order.cancelReplace"))


class Principal(NamedTuple):
    """Who logged on: an account, by a key or (api_key None) by a token."""

    account: int
    api_key: str | None
    since_ns: int


class Session(OrderPath):
    """Handler of one connection; see gateway.websocket."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._lane: Lane[Tag] = Lane(
            venue.engine, venue.config, self._answer, self._refuse, self.pace)
        self._intake = OrderIntake(
            venue.desk, self._lane.batch, venue.engine, venue.keys, venue.new_order_id, self._lane.add)
        self._answer_bytes_max = venue.config.limits.write_buffer_bytes_max // 2
        rates = venue.rates
        self._unlimited = not (rates.counts_weight or rates.counts_orders)
        self.join(self._lane, self._intake, venue.config.limits.requests_in_flight_max, not self._unlimited)
        self._principal: Principal | None = None
        self._subscriptions: dict[int, int] = {}       # account: subscription id
        self._last_subscription = -1
        self._by_session: set[int] = set()             # of them those that end with session.logout
        self._missed: list[bytes] = []                 # to be sent right behind the answer under way
        self._disconnects = Disconnects(venue.engine)
        self._session_methods = {"session.logon": self._logon, "session.status": self._status}
        self._stream_methods = {
            "session.subscriptions": self._list_subscriptions, "userDataStream.unsubscribe": self._unsubscribe}
        self.microseconds = False

    # called by the connection

    def opened(self, connection: Connection) -> None:
        """Read what the URL asks for."""
        self._connection = connection
        self.joined(connection)
        self._opened_ns = time.time_ns()
        if connection.path.rstrip("/") != PATH:
            connection.close(_POLICY_VIOLATION, f"the WebSocket API is at {PATH}")
            return
        query = parse_qs(connection.query)
        self._show_limits = query.get("returnRateLimits", ["true"])[-1].lower() != "false"
        self.microseconds = query.get("timeUnit", [""])[-1].upper() == "MICROSECOND"
        self._unit_ns = _NS_PER_US if self.microseconds else _NS_PER_MS
        self._intake.opened(self._unit_ns, self._show_limits)
        self._venue.sessions.add(self)

    def request(self, data: bytes) -> None:
        """One request that is no ordinary order."""
        try:
            request = read_request(data)
        except BadRequest as bad:
            self._lane.refuse(Tag(bad.id, self._show_limits), bad)
            return
        tag = Tag(request.id, self._show_limits)
        try:
            shown = request.params.get("returnRateLimits")
            if shown is not None:
                tag = Tag(request.id, _flag(shown, "returnRateLimits"))
            if not self._unlimited:
                tag = self._counted(tag, request.method.removeprefix("v3/"), request.params)
            self._begin(tag, request.method, request.params)
        except Refusal as refusal:
            self._lane.refuse(tag, refusal)

    def overrun(self) -> None:
        """More requests wait than may."""
        self._connection.close(_POLICY_VIOLATION, TOO_MANY_REQUESTS.msg)

    def closed(self) -> None:
        """Forget the subscriptions; commands that wait for the engine go on."""
        self._venue.sessions.discard(self)
        self._disconnects.gone()
        for account in self._subscriptions:
            self._venue.streams.unsubscribe(account, self)
        self._subscriptions.clear()

    def user_event(self, account: int, event: bytes) -> None:
        """Called by the user streams for a subscribed account."""
        self._connection.send(encode(UserEvent(self._subscriptions[account], Raw(event))))

    def shutting_down(self, now_ns: int) -> None:
        """Tell the client that the connection is about to be closed."""
        self._connection.send(encode({"event": ServerShutdown(event_time=now_ns // self._unit_ns)}))

    # requests

    def _begin(self, tag: Tag, method: str, params: Params) -> None:
        method = method.removeprefix("v3/")
        venue = self._venue
        if self._disconnects.number and (placing := venue.placing.get(method)):
            account = self._account(params)
            self._lane.command(tag, placing(
                self._lane.batch, account, params, self._unit_ns, self._disconnects.number))
        elif command := venue.commands.get(method):
            account = self._account(params)
            self._lane.command(tag, command(self._lane.batch, account, params, self._unit_ns))
        elif group := venue.groups.get(method):
            account = self._account(params)
            self._lane.make_room(venue.group_max)
            before = len(self._lane.batch)
            finish = group(self._lane.batch, account, params, self._unit_ns)
            self._lane.commands(tag, len(self._lane.batch) - before, finish)
        elif private := venue.private.get(method):
            self._lane.query(tag, partial(private, self._account(params), params, self._unit_ns))
        elif keyed := venue.keyed.get(method):
            self._lane.query(tag, partial(keyed, self._named(params), params, self._unit_ns))
        elif public := venue.public.get(method):
            self._lane.query(tag, partial(public, params, self._unit_ns))
        elif method == "session.logout":
            self._principal = None
            self._intake.logged_off()
            self._lane.query(tag, self._logged_out)
        elif session := self._session_methods.get(method):
            body = session(params)
            self._lane.query(tag, lambda: body)
        elif stream := self._stream_methods.get(method):
            self._lane.query(tag, partial(stream, params))
        elif method in QUESTIONS:
            account = self._account(params) if method in SIGNED else 0
            self.waiting += 1
            self._lane.start(tag, partial(
                venue.questions.ask, account, method, params, self._unit_ns, partial(self._told, tag)))
        elif method == "session.cancelOnDisconnect":
            body = self._cancel_on_disconnect(params)
            self._lane.query(tag, lambda: body)
        elif method in ("userDataStream.subscribe", "userDataStream.subscribe.signature"):
            self._begin_subscribe(tag, method, params)
        else:
            raise Refusal(UNSUPPORTED)

    def _counted(self, tag: Tag, method: str, params: Params) -> Tag:
        """Count the request towards the limits in force; its tag shows them. Raises RateRefusal."""
        rates = self._venue.rates
        used = rates.request(self._connection.address, weight_of(method, params))
        limits = rates.weight_limits(used)
        if method in PLACING:
            limits = rates.order_limits(self._who(params)) + limits
        return tag._replace(limits=encode(limits))

    def _who(self, params: Params) -> int | None:
        """The account that a request says it is for; whether rightly, is looked at later."""
        if "apiKey" in params:
            key = self._venue.keys.find(params["apiKey"])
            return key.account if key else None
        return self._principal.account if self._principal else None

    def _account(self, params: Params) -> int:
        """Whose request this is. Raises Refusal."""
        now_us = time.time_ns() // _NS_PER_US
        who = self._principal
        if who is not None and "apiKey" not in params:
            check_timing(params.get("timestamp"), params.get("recvWindow"), now_us)
            if who.api_key is not None and self._venue.keys.find(who.api_key) is None:
                raise Refusal(REJECTED_API_KEY)   # revoked since
            return who.account
        return authenticate(
            self._venue.keys, params.get("apiKey"), signed_payload(params), params.get("signature"),
            params.get("timestamp"), params.get("recvWindow"), now_us).account

    def _named(self, params: Params) -> int:
        """Whose key a request names, or who is logged on. Raises Refusal."""
        who = self._principal
        return who.account if who and "apiKey" not in params else named_key(
            self._venue.keys, params.get("apiKey")).account

    # the session

    def _logon(self, params: Params) -> bytes:
        now_ns = time.time_ns()
        if "token" in params:
            return self._speak_for(read_token(self._venue.config, params["token"]), None, now_ns, params)
        key = authenticate(
            self._venue.keys, params.get("apiKey"), signed_payload(params), params.get("signature"),
            params.get("timestamp"), params.get("recvWindow"), now_ns // _NS_PER_US)
        if key.kind != "ed25519":
            raise Refusal(ONLY_ED25519, KIND_NAMES[key.kind])
        return self._speak_for(key.account, key.api_key, now_ns, params)

    def _speak_for(self, account: int, api_key: str | None, now_ns: int, params: Params) -> bytes:
        self._principal = Principal(account, api_key, now_ns)
        self._intake.logged_on(account, api_key)
        return self._status(params)

    def _logged_out(self) -> bytes:
        """At the reply's turn: what the session subscribed to ends with it."""
        self._terminate([account for account in self._subscriptions if account in self._by_session])
        return self._state(None)

    def _status(self, params: Params) -> bytes:
        return self._state(self._principal)

    def _state(self, who: Principal | None) -> bytes:
        return encode(SessionState(
            who.api_key if who else None, who.since_ns // self._unit_ns if who else None,
            self._opened_ns // self._unit_ns, self._show_limits, time.time_ns() // self._unit_ns,
            bool(self._subscriptions)))

    def _cancel_on_disconnect(self, params: Params) -> bytes:
        """For the account that asks; takes effect when it is read, as the other session methods."""
        account, mode = self._account(params), needed(params, "mode")
        self._disconnects.set(account, mode)
        self._intake.owned_by(self._disconnects.number)
        return encode(DisconnectMode(mode))

    # user data streams

    def _begin_subscribe(self, tag: Tag, method: str, params: Params) -> None:
        if method == "userDataStream.subscribe":
            if self._principal is None:
                raise Refusal(UNAUTHORIZED)
            account = self._principal.account
        else:
            account = self._account(params)
        resume_from = order_id(params, "resumeFrom")
        by_session = method == "userDataStream.subscribe"
        self._lane.query(tag, partial(self._subscribe, account, resume_from, by_session))

    def _subscribe(self, account: int, resume_from: int | None, by_session: bool) -> bytes:
        if account in self._subscriptions:
            raise Refusal(SUBSCRIPTION_ACTIVE)
        if len(self._subscriptions) >= self._venue.config.limits.subscriptions_max:
            raise Refusal(TOO_MANY_REQUESTS)
        self._last_subscription += 1
        self._subscriptions[account] = self._last_subscription
        if by_session:
            self._by_session.add(account)
        if resume_from is None:
            self._venue.streams.subscribe(account, self)
            return encode(Subscription(self._last_subscription))
        missed = self._venue.streams.subscribe_from(account, self, resume_from)
        self._missed = [encode(UserEvent(self._last_subscription, Raw(event))) for event in missed or ()]
        return encode(Subscription(self._last_subscription, missed is not None))

    def _unsubscribe(self, params: Params) -> bytes:
        text = params.get("subscriptionId")
        ended = [account for account, number in self._subscriptions.items() if text is None or str(number) == text]
        if not ended:
            raise Refusal(SUBSCRIPTION_INACTIVE)
        self._terminate(ended)
        return EMPTY_RESULT

    def _terminate(self, accounts: list[int]) -> None:
        """End these subscriptions; their last event goes behind the answer under way."""
        event = Raw(encode(StreamTerminated(event_time=time.time_ns() // self._unit_ns)))
        for account in accounts:
            self._missed.append(encode(UserEvent(self._subscriptions.pop(account), event)))
            self._by_session.discard(account)
            self._venue.streams.unsubscribe(account, self)

    def _list_subscriptions(self, params: Params) -> bytes:
        return encode([Subscription(number) for number in self._subscriptions.values()])

    # replies

    def _answer(self, tag: Tag, body: bytes) -> None:
        if len(body) > self._answer_bytes_max:
            self._refuse(tag, Refusal(ANSWER_TOO_LARGE, self._answer_bytes_max))
        else:
            self._connection.send(reply(tag.id, body, tag.show_limits, tag.limits))
        missed, self._missed = self._missed, []
        for event in missed:
            self._connection.send(event)

    def _refuse(self, tag: Tag, refusal: Refusal) -> None:
        self._connection.send(error_reply(
            tag.id, refusal.status, refusal.body(), tag.show_limits, tag.limits))

    def _told(self, tag: Tag, status: int, body: bytes) -> None:
        """The answer to a question about the past, in no order with other replies."""
        self.waiting -= 1
        if status == OK:
            self._answer(tag, body)
        else:
            self._connection.send(error_reply(tag.id, status, body, tag.show_limits, tag.limits))
        self.pace()


def _flag(text: str, name: str) -> bool:
    if text not in ("true", "false"):
        raise Refusal(INVALID_PARAMETER, name)
    return text == "true"
