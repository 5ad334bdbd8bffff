"""The one configuration file: every address, size and limit with its default, as typed frozen structs.

Unknown keys and wrong values are refused with the file and the key named. A number that bounds a queue, a buffer or a
payload belongs here under [limits], and the behaviour at the limit beside the code that uses it.
"""
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, ValidationError, convert, field
from msgspec.structs import replace

from engine.errors import ConfigError
from engine.frames import FRAME_COMMANDS_MAX
from engine.paths import Paths

Port = Annotated[int, Meta(ge=0, le=65535)]          # 0: any free port
Count = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Most = Annotated[int, Meta(ge=0, le=2**53)]          # 0: any number
Bytes = Annotated[int, Meta(ge=1024, le=2**40)]
FrameCount = Annotated[int, Meta(ge=1, le=FRAME_COMMANDS_MAX)]
Seconds = Annotated[float, Meta(gt=0, le=86400)]
Limit = Annotated[float, Meta(ge=0, le=30 * 86400)]   # 0: none
FrameLimit = Annotated[int, Meta(ge=0, le=2**31 - 1)]  # 0: none


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file; keys that are not named here are refused."""


class Exchange(Section, frozen=True):
    """Where order entry over WebSocket listens."""

    host: str = "127.0.0.1"
    port: Port = 8081


class Feed(Section, frozen=True):
    """Where market streams over WebSocket listen.

    processes: so many share the port (SO_REUSEPORT), the kernel spreads connections over them; `buttonwood up` starts
    them all. More than 1 lets a further `buttonwood feed` of the same user join at any time.
    behind_seconds_max: a subscriber that leaves something unread for so long is cut.
    raw_streams: whether `@depth@raw` and `@depthCrc` are made; they cost the market-data worker a text per frame.
    order_streams: whether `@l3` is made; it costs the market-data worker two thirds more time per command.
    """

    host: str = "127.0.0.1"
    port: Port = 8082
    processes: Annotated[int, Meta(ge=1, le=64)] = 1
    behind_seconds_max: Seconds = 4.0
    raw_streams: bool = True
    order_streams: bool = False


class Rest(Section, frozen=True):
    """Where HTTP listens, and how it reads Postgres.

    A question about trades waits up to history_lag_seconds_max for the ledger to contain all that was durable when it
    came; then it is answered from what is there. Questions beyond history_connections_max at once take turns.
    """

    host: str = "127.0.0.1"
    port: Port = 8080
    history_connections_max: Count = 8
    history_lag_seconds_max: Seconds = 1.0
    history_seconds_max: Seconds = 5.0


class Postgres(Section, frozen=True):
    """dsn "": a server found on PATH, else the packaged one."""

    dsn: str = ""


class Redis(Section, frozen=True):
    """url "": a server found on PATH, else the packaged one.

    A server that leaves more than buffer_bytes_max of market data unread, or does not answer for silent_seconds_max, is
    cut and connected to again; what it misses is dropped.
    """

    url: str = ""
    buffer_bytes_max: Bytes = 8 * 1024 * 1024
    silent_seconds_max: Seconds = 5.0


class Journal(Section, frozen=True):
    """segment_bytes: size of a journal file; frame_commands_max: commands made durable by one disk write.

    reserve_bytes: disk space held back so that cancels are still taken when the disk is full; at most a segment's.
    keep_bytes: above this, segments are deleted that no snapshot and no reader needs; 0 keeps all.
    for_ledger: only once the ledger has said how far it is; false for a venue without one.
    """

    segment_bytes: Bytes = 256 * 1024 * 1024
    reserve_bytes: Bytes = 64 * 1024 * 1024
    frame_commands_max: FrameCount = 4096
    keep_bytes: Annotated[int, Meta(ge=0, le=2**60)] = 0
    for_ledger: bool = True


class Snapshots(Section, frozen=True):
    """A snapshot is asked for after so many commands, or after so many seconds with commands_min at least; `keep` stay.

    stop_orders_max: the exchange writes one itself when it is stopped, if no more orders than that rest; 0: never.
    told_commands: so many commands before the end are told again at a start, so that the exchange knows what was closed
    and traded in them; the snapshot it starts from is older than those where there is one.
    prove: hash the state where snapshots are made and compare with what others found; a difference stops the process.
    """

    commands: Count = 1_000_000
    seconds: Seconds = 300.0
    commands_min: Count = 10_000
    keep: Annotated[int, Meta(ge=1, le=1000)] = 3
    stop_orders_max: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 1_000_000
    told_commands: Count = 200_000
    prove: bool = True


class Core(Section, frozen=True):
    """The matching core.

    expected_orders (open at a time), expected_wallets (an account's assets in pairs), expected_accounts and
    expected_instruments (highest number of each): room is made and touched at the start, so that growing up to there
    makes no batch wait; about 170 bytes an order and 12 kB an instrument. 0, or more than expected: as they come.
    remembered_client_ids: so many client order ids of idempotent orders are remembered, 64 bytes each, the oldest go
    first; 0: such orders are refused. A change is journaled at the next start.
    """

    expected_orders: Annotated[int, Meta(ge=0, le=2**26)] = 0
    expected_accounts: Annotated[int, Meta(ge=0, lt=2**24)] = 0
    expected_wallets: Annotated[int, Meta(ge=0, le=2**28)] = 0
    expected_instruments: Annotated[int, Meta(ge=0, lt=2**20)] = 0
    remembered_client_ids: Annotated[int, Meta(ge=0, le=2**22)] = 100_000


class Limits(Section, frozen=True):
    """Bounds; the code that uses one says what happens when it is reached."""

    ws_message_bytes_max: Bytes = 64 * 1024
    write_buffer_bytes_max: Bytes = 1024 * 1024
    socket_send_bytes: Bytes = 128 * 1024
    connections_max: Count = 4096
    handshake_seconds_max: Seconds = 5.0
    ping_seconds: Seconds = 20.0
    pong_seconds_max: Seconds = 60.0
    close_seconds_max: Seconds = 2.0
    lifetime_seconds_max: Seconds = 86400.0   # of a WebSocket connection
    shutdown_notice_seconds: Limit = 5.0  # from the announcement of the end to the end of connections that are left
    address_connects_max: Most = 0        # WebSocket connections of an address in 5 minutes
    messages_second_max: Most = 0         # WebSocket messages and pings of one connection
    origins: str = ""                     # of web pages that may connect, with commas; empty: any
    http_body_bytes_max: Bytes = 64 * 1024
    requests_pending_max: Count = 65536
    requests_in_flight_max: Count = 512   # of one connection, whose next requests are then not read for a while
    subscriptions_max: Count = 1024
    listen_key_seconds: Seconds = 3600.0  # a listen key is good since it was asked for or kept alive
    resume_seconds: Seconds = 300.0       # private events are kept for those who come back in this time
    resume_account_bytes_max: Bytes = 256 * 1024
    resume_accounts_max: Count = 512
    closed_orders_max: Count = 200_000
    batch_orders_max: Annotated[int, Meta(ge=1, le=1000)] = 50
    followers_max: Count = 32
    follower_buffer_bytes_max: Bytes = 8 * 1024 * 1024
    follower_hello_seconds_max: Seconds = 5.0


class Rates(Section, frozen=True):
    """What gateway/rates.py enforces, each off at 0; ban_refusals within a minute ban an address for ban_seconds."""

    weight_minute_max: Most = 0
    orders_ten_seconds_max: Most = 0
    orders_day_max: Most = 0
    ban_refusals: Count = 100
    ban_seconds: Seconds = 120.0


class Tls(Section, frozen=True):
    """PEM files for all listeners; certificate "": no TLS. key "": it is in the certificate's file."""

    certificate: str = ""
    key: str = ""


class Ledger(Section, frozen=True):
    """Batches into Postgres: one is closed at either maximum (to the end of its frame), or when it is so old.

    While a batch is on its way the next one fills; when that is full the follower stops reading until there is room.
    The exchange refuses new orders while its oldest command that is not in Postgres is older than lag_seconds_max, or
    more than lag_frames_max frames wait (0: no such limit); see engine/ledger_lag.py.
    part_commands: commands whose rows stand in one part of the tables, which is archived as a whole.
    """

    batch_fills_max: Count = 10_000
    batch_events_max: Count = 50_000
    batch_seconds_max: Seconds = 0.02
    part_commands: Count = 100_000_000
    lag_seconds_max: Limit = 300.0
    lag_frames_max: FrameLimit = 0
    connect_seconds_max: Seconds = 5.0
    statement_seconds_max: Seconds = 60.0
    retry_seconds_max: Seconds = 2.0


class Candles(Section, frozen=True):
    """Candles into Postgres, every write_seconds; at most waiting_max wait for a Postgres that is away."""

    write_seconds: Seconds = 0.25
    waiting_max: Count = 100_000
    statement_seconds_max: Seconds = 10.0


class Transfers(Section, frozen=True):
    """Holds and transfers in two steps (engine/transfers.py): holds_account keeps the money meanwhile; 0: none offered.

    The account must be nobody's; it is opened with the first hold. transfers_max ids are remembered, for ever; then no
    new hold is taken. Holds whose time has come expire within look_seconds, at most expired_at_once of them a frame.
    """

    holds_account: Annotated[int, Meta(ge=0, lt=2**24)] = 0
    transfers_max: Count = 1_000_000
    look_seconds: Seconds = 0.25
    expired_at_once: Count = 256


class Supervisor(Section, frozen=True):
    """How `buttonwood up` treats its processes: after restarts_max failures in a row, or a refusal, the venue stops.

    A process that has run for healthy_seconds counts as sound again; pauses between restarts double up to
    restart_seconds_max; one that says that a person must look is tried again after halted_seconds. stop_seconds_max:
    patience with a process that was asked to end, then it is killed.
    """

    restarts_max: Count = 8
    restart_seconds_max: Seconds = 5.0
    healthy_seconds: Seconds = 60.0
    halted_seconds: Seconds = 60.0
    stop_seconds_max: Seconds = 10.0
    log_bytes_max: Bytes = 64 * 1024 * 1024
    redis_memory_bytes_max: Bytes = 256 * 1024 * 1024


class Logs(Section, frozen=True):
    """How all processes log: lines of text, or one JSON object a line (buttonwood/process_log.py names its members).

    level: what is less important than this is not logged.
    """

    format: Literal["text", "json"] = "text"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Metrics(Section, frozen=True):
    """Where Prometheus may read: host "" shows nothing. For a private network, there is no password."""

    host: str = ""
    exchange_port: Port = 9081
    ledger_port: Port = 9082


class Config(Section, frozen=True, dict=True):
    """Everything; see the sections."""

    data_dir: str = "data"
    exchange: Exchange = field(default_factory=Exchange)
    feed: Feed = field(default_factory=Feed)
    rest: Rest = field(default_factory=Rest)
    postgres: Postgres = field(default_factory=Postgres)
    redis: Redis = field(default_factory=Redis)
    journal: Journal = field(default_factory=Journal)
    snapshots: Snapshots = field(default_factory=Snapshots)
    core: Core = field(default_factory=Core)
    limits: Limits = field(default_factory=Limits)
    rates: Rates = field(default_factory=Rates)
    tls: Tls = field(default_factory=Tls)
    ledger: Ledger = field(default_factory=Ledger)
    candles: Candles = field(default_factory=Candles)
    transfers: Transfers = field(default_factory=Transfers)
    supervisor: Supervisor = field(default_factory=Supervisor)
    logs: Logs = field(default_factory=Logs)
    metrics: Metrics = field(default_factory=Metrics)

    @cached_property
    def paths(self) -> Paths:
        """Files and folders below data_dir."""
        return Paths(Path(self.data_dir))


def load_config(path: Path | None = None, **overrides: Any) -> Config:
    """Read a TOML file (None: all defaults) and lay `overrides` over it.

    Overrides are shaped like the file: data_dir="/srv/x", journal={"segment_bytes": 65536}. data_dir becomes absolute,
    seen from the working directory. Raises ConfigError naming the file and the key.
    """
    source = str(path) if path is not None else "the configuration"
    values = _merge(_read(path) if path is not None else {}, overrides)
    try:
        config = convert(values, Config)
    except ValidationError as error:
        raise ConfigError(f"{source}: {error}") from None
    if not config.data_dir:
        raise ConfigError(f"{source}: data_dir is empty: name the folder that shall hold the journal")
    return replace(config, data_dir=str(Path(config.data_dir).expanduser().absolute()))


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None


def _merge(values: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    """Sections are merged key by key, everything else is replaced."""
    merged = dict(values)
    for key, value in overrides.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
