"""The operator's methods, offered at the Unix-socket door only: whoever may open that socket is trusted.

They configure assets, instruments and accounts and move money in and out, as commands in the same journal as orders.
Their shape is that of the trading methods (gateway/orders.py); the account they are called for does not matter.
"""
from collections.abc import Iterator
from contextlib import contextmanager

from engine.core.batch import Batch
from engine.core.codes import AuctionStep, Code, EventKind, InstrumentStatus
from engine.core.decimals import parse_decimal
from engine.core.unpack import Event
from engine.errors import InstrumentError
from engine.instruments import Asset, check_terms
from engine.service import Engine
from engine.transfers import reserved
from gateway.order_terms import DECIMAL_RANGE, Params, needed, unread
from gateway.orders import Finish
from gateway.protocol import encode
from gateway.refusals import ILLEGAL_CHARACTERS, INVALID_PARAMETER, Refusal, Terms, of_core

_REJECTED = int(EventKind.REJECTED)
_INSTRUMENT_FIELDS = frozenset((
    "instrument", "symbol", "base_asset", "quote_asset", "lot_value", "tick_value", "min_lots", "max_lots", "max_ticks",
    "min_notional", "maker_fee_ppm", "taker_fee_ppm", "status"))
_PROTECTION_FIELDS = frozenset(("slippage_ppm", "stops_max", "day_end_s"))
_STEPS = {"START": AuctionStep.START, "UNCROSS": AuctionStep.UNCROSS}
_LIMITS_FIELDS = frozenset(("max_notional", "reference_ticks", "band_up_ppm", "band_down_ppm", "orders_max"))
BAD_TERMS = Terms(400, -1130, "%s")


class Admin:
    """Operator commands, and what the engine says of itself."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def asset(self, batch: Batch, account: int, params: Params, unit_ns: int) -> Finish:
        """admin.asset {asset: number, code, scale}"""
        _only(params, frozenset(("asset", "code", "scale")))
        with _fields_that_fit():
            batch.asset(_number(params, "asset"), _number(params, "scale"), needed(params, "code"))
        return _done

    def instrument(self, batch: Batch, account: int, params: Params, unit_ns: int) -> Finish:
        """admin.instrument: the fields of an INSTRUMENT command; base_asset and quote_asset are numbers or codes."""
        _only(params, _INSTRUMENT_FIELDS)
        base, quote = self._asset(params, "base_asset"), self._asset(params, "quote_asset")
        numbers = {name: _number(params, name) for name in sorted(
            _INSTRUMENT_FIELDS - {"symbol", "base_asset", "quote_asset"}) if name in params}
        try:
            check_terms(base.scale, quote.scale, _number(params, "lot_value"), _number(params, "tick_value"),
                        numbers.get("max_ticks", 1))
        except InstrumentError as error:
            raise Refusal(BAD_TERMS, str(error)) from None
        with _fields_that_fit():
            batch.instrument(
                numbers.pop("instrument", 0), text=needed(params, "symbol"), base_asset=base.id, quote_asset=quote.id,
                **numbers)
        return _done

    def limits(self, batch: Batch, account: int, params: Params, unit_ns: int) -> Finish:
        """admin.limits {instrument, ...}: the fields of INSTRUMENT_LIMITS; one that is not sent is switched off"""
        _only(params, _LIMITS_FIELDS | {"instrument"})
        with _fields_that_fit():
            batch.limits(_number(params, "instrument"), **{
                name: _number(params, name) for name in sorted(_LIMITS_FIELDS) if name in params})
        return _done

    def protection(self, batch: Batch, account: int, params: Params, unit_ns: int) -> Finish:
        """admin.protection {instrument, ...}: the fields of PROTECTION; one that is not sent is switched off"""
        _only(params, _PROTECTION_FIELDS | {"instrument"})
        with _fields_that_fit():
            batch.protection(_number(params, "instrument"), **{
                name: _number(params, name) for name in sorted(_PROTECTION_FIELDS) if name in params})
        return _done

    def kill(self, batch: Batch, account: int, params: Params, unit_ns: int) -> Finish:
        """admin.kill {account, instrument, on, cancel}: no new orders of that account, in that instrument, or at all"""
        _only(params, frozenset(("account", "instrument", "on", "cancel")))
        with _fields_that_fit():
            batch.kill(*(_number(params, name) if name in params else 0 for name in ("account", "instrument")),
                       on=_flag(params, "on", True), cancel=_flag(params, "cancel", False))
        return _done

    def auction(self, batch: Batch, account: int, params: Params, unit_ns: int) -> Finish:
        """admin.auction {instrument, step: START or UNCROSS, status, reference_ticks}: status after an uncross"""
        _only(params, frozenset(("instrument", "step", "status", "reference_ticks")))
        step, status = _STEPS.get(needed(params, "step")), params.get("status", InstrumentStatus.TRADING.name)
        if step is None or status not in InstrumentStatus.__members__:
            raise Refusal(INVALID_PARAMETER, "step" if step is None else "status")
        with _fields_that_fit():
            batch.auction(
                _number(params, "instrument"), step, status=InstrumentStatus[status],
                reference_ticks=_number(params, "reference_ticks") if "reference_ticks" in params else 0)
        return _done

    def account(self, batch: Batch, account: int, params: Params, unit_ns: int) -> Finish:
        """admin.account {account, status, label, trade_group}: the group stays as it is when it is not sent"""
        _only(params, frozenset(("account", "status", "label", "trade_group")))
        number, status = _number(params, "account"), _number(params, "status") if "status" in params else 0
        with _fields_that_fit():
            group = _number(params, "trade_group") if "trade_group" in params else self._engine.core.trade_group(number)
            batch.account(number, status, params.get("label", ""), group)
        return _done

    def credit(self, batch: Batch, account: int, params: Params, unit_ns: int) -> Finish:
        """admin.credit {account, asset: code, amount: decimal, reference}: money comes in"""
        with _fields_that_fit():
            batch.credit(*self._money(params))
        return _done

    def debit(self, batch: Batch, account: int, params: Params, unit_ns: int) -> Finish:
        """admin.debit {account, asset: code, amount: decimal, reference}: money goes out"""
        with _fields_that_fit():
            batch.debit(*self._money(params))
        return _done

    def snapshot(self, batch: Batch, account: int, params: Params, unit_ns: int) -> Finish:
        """admin.snapshot: a mark at which the role `snapshots` writes one"""
        _only(params, frozenset())
        batch.checkpoint()
        return _done

    def position(self, params: Params, unit_ns: int) -> bytes:
        """engine.position: how far the journal is"""
        return encode(self._position())

    def status(self, params: Params, unit_ns: int) -> bytes:
        """engine.status: the same with the hash of the whole state, which takes time in proportion to its size"""
        return encode(self._position() | {"stateHash": self._engine.core.state_hash()})

    def catalog(self, params: Params, unit_ns: int) -> bytes:
        """engine.catalog: {"assets": [...], "instruments": [...]} as engine.instruments.Asset and Instrument"""
        catalog = self._engine.catalog
        return encode({
            "assets": [catalog.assets[number] for number in sorted(catalog.assets)],
            "instruments": [catalog.by_id[number] for number in sorted(catalog.by_id)]})

    def _position(self) -> dict[str, int]:
        engine = self._engine
        return {"seq": engine.seq, "durableSeq": engine.durable_seq, "epoch": engine.epoch}

    def _money(self, params: Params) -> tuple[int, int, int, str]:
        _only(params, frozenset(("account", "asset", "amount", "reference")))
        asset = self._asset(params, "asset")
        amount = parse_decimal(needed(params, "amount"), asset.scale)
        if amount < 0:
            raise Refusal(ILLEGAL_CHARACTERS, "amount", DECIMAL_RANGE)
        if reserved(reference := params.get("reference", "")):
            raise Refusal(BAD_TERMS, "reference: hold:, post:, void: and exp: are those of transfers; use admin.hold")
        return _number(params, "account"), asset.id, amount, reference

    def _asset(self, params: Params, name: str) -> Asset:
        """The asset a parameter names, by code or by number."""
        catalog, text = self._engine.catalog, needed(params, name)
        asset = catalog.asset_by_code.get(text)
        if asset is None and text.isascii() and text.isdigit():
            asset = catalog.assets.get(int(text))
        if asset is None:
            raise Refusal(INVALID_PARAMETER, name)
        return asset


@contextmanager
def _fields_that_fit() -> Iterator[None]:
    """Refuse what has no room in a command: a text too long, a number too great."""
    try:
        yield
    except (OverflowError, ValueError) as error:
        raise Refusal(BAD_TERMS, str(error)) from None


def _only(params: Params, known: frozenset[str]) -> None:
    if not known.issuperset(params):
        raise unread(params, known)


def _flag(params: Params, name: str, usual: bool) -> bool:
    text = params.get(name, "true" if usual else "false")
    if text not in ("true", "false"):
        raise Refusal(INVALID_PARAMETER, name)
    return text == "true"


def _number(params: Params, name: str) -> int:
    text = needed(params, name)
    if not (text.isascii() and text.isdigit() and len(text) <= 19) or int(text) >= 2**63:
        raise Refusal(ILLEGAL_CHARACTERS, name, "^[0-9]{1,19}$")
    return int(text)


def _done(events: list[Event]) -> bytes:
    """{"seq"} of a configuration or money command that the core took."""
    event = events[0]
    if event.kind == _REJECTED:
        why = f"The engine refuses this command: {Code(event.code).name}."
        raise Refusal(Terms(400, of_core(event.code).code, why))
    return encode({"seq": event.seq})
