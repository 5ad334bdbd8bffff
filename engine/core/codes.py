"""The numbers of types.pxd for Python: kinds, sides, types, statuses, refusal codes and cancel reasons.

tests/core/test_records.py compares both lists. Values are part of the journal's format and never change meaning.
"""
from enum import IntEnum

EXTERNAL_ACCOUNT = 0  # the world outside: the only account that may go below zero
FEE_ACCOUNT = 1       # receives fees
FIRST_USER_ACCOUNT = 2
PPM = 1_000_000       # fees are stated in parts per million
MAX_TICKS = 2**53     # highest price of any instrument


class CommandKind(IntEnum):
    ASSET = 1
    INSTRUMENT = 2
    ACCOUNT = 3
    CREDIT = 4
    DEBIT = 5
    INSTRUMENT_LIMITS = 6
    PLACE = 10
    CANCEL = 11
    REDUCE = 12
    CANCEL_ALL = 13
    REPLACE = 14
    PLACE_LIST = 15
    CANCEL_LIST = 16
    TICK = 20
    TIMER = 21
    MASS_CANCEL = 22
    KILL = 23
    FEES = 24
    ACCOUNT_TIER = 25
    BUST = 26
    AUCTION = 27
    PROTECTION = 28
    REMEMBER = 29
    CHECKPOINT = 30


class Side(IntEnum):
    BUY = 0
    SELL = 1


class OrderType(IntEnum):
    LIMIT = 0
    LIMIT_MAKER = 1
    MARKET = 2
    STOP_LOSS = 3
    STOP_LOSS_LIMIT = 4
    TAKE_PROFIT = 5
    TAKE_PROFIT_LIMIT = 6


class TimeInForce(IntEnum):
    GTC = 0
    IOC = 1
    FOK = 2
    GTD = 3
    DAY = 4


class SelfTrade(IntEnum):
    ALLOW = 0
    EXPIRE_TAKER = 1
    EXPIRE_MAKER = 2
    EXPIRE_BOTH = 3
    DECREMENT = 4


class ReplaceMode(IntEnum):
    STOP_ON_FAILURE = 0
    ALLOW_FAILURE = 1


class ListType(IntEnum):
    OCO = 0
    OTO = 1
    OTOCO = 2


class AuctionStep(IntEnum):
    START = 0
    UNCROSS = 1


class AuctionTold(IntEnum):
    INDICATED = 0
    STARTED = 1
    UNCROSSED = 2
    TOUCHED = 3


class ReplaceHalf(IntEnum):
    CANCEL_HALF = 256
    PLACE_HALF = 512


class InstrumentStatus(IntEnum):
    TRADING = 0
    CANCEL_ONLY = 1
    HALT = 2
    AUCTION = 3
    CLOSED = 4


class AccountStatus(IntEnum):
    ACTIVE = 0
    FROZEN = 1


class EventKind(IntEnum):
    CONFIGURED = 1
    MONEY = 2
    REJECTED = 3
    ACCEPTED = 4
    TRADE = 5
    CANCELED = 6
    REDUCED = 7
    TOP = 8
    PREVENTED = 9
    TRIGGERED = 10
    LIST = 11
    AUCTION = 12
    BUSTED = 13
    STATUS = 14


class Code(IntEnum):
    NONE = 0
    BAD_COMMAND = 1
    UNKNOWN_ACCOUNT = 2
    ACCOUNT_FROZEN = 3
    UNKNOWN_INSTRUMENT = 4
    UNKNOWN_ASSET = 5
    CONFLICT = 6
    MARKET_CLOSED = 7
    PRICE_RANGE = 8
    QTY_RANGE = 9
    MIN_NOTIONAL = 10
    OVERFLOW = 11
    INSUFFICIENT_BALANCE = 12
    WOULD_MATCH = 13
    DUPLICATE_CLIENT_ID = 14
    UNKNOWN_ORDER = 15
    BAD_REDUCE = 16
    CAPACITY = 17
    PRICE_BAND = 18
    MAX_NOTIONAL = 19
    TOO_MANY_ORDERS = 20
    WOULD_TRIGGER = 21
    TOO_MANY_STOPS = 22
    BAD_LIST = 23
    BAD_ICEBERG = 24
    KILLED = 25
    EXPIRED_ALREADY = 26
    UNKNOWN_TRADE = 27
    AUCTION_ONLY = 28
    REPEATED = 29
    CLIENT_ID_REUSED = 30
    REQUESTED = 32
    IOC_REMAINDER = 33
    FOK_UNFILLED = 34
    NO_LIQUIDITY = 35
    MASS_CANCEL = 36
    STP = 37
    LIST_DONE = 38
    TRIGGER_REFUSED = 39
    EXPIRED = 40
    SLIPPAGE = 41
    DISCONNECTED = 42
    TIMER = 43
    KILL = 44
