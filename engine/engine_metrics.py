"""What a running engine tells about itself: how far it is, how long a frame takes to be durable, who lags behind."""
from engine.core.unpack import Event
from engine.frames import Frame
from engine.metrics import COUNTS, SECONDS, Metrics
from engine.service import Engine

_NS = 1e9


def engine_metrics(engine: Engine) -> Metrics:
    """Made once for an engine; from now on every frame is counted."""
    metrics = Metrics()
    metrics.gauge("buttonwood_durable_seq", "last command on the disk", lambda: engine.durable_seq)
    metrics.gauge("buttonwood_applied_seq", "last command applied to the book", lambda: engine.seq)
    metrics.gauge("buttonwood_epoch", "which run of the engine this is", lambda: engine.epoch)
    metrics.gauge("buttonwood_pending_commands", "taken and not durable yet", lambda: engine.pending)
    metrics.gauge("buttonwood_storage_low", "1: the disk is full, cancels only", lambda: engine.storage_low)
    metrics.gauge("buttonwood_ledger_reported_seq", "last command in Postgres, by the ledger's word",
                  lambda: engine.ledger_lag.reported_seq)
    metrics.gauge("buttonwood_ledger_behind_seconds", "age of the oldest durable command not in Postgres",
                  lambda: engine.ledger_lag.seconds)
    metrics.gauge("buttonwood_ledger_behind_frames", "durable frames not in Postgres, give or take 10 ms of them",
                  lambda: engine.ledger_lag.frames)
    metrics.gauge("buttonwood_cancel_only", "1: no new orders are taken, for want of disk or because of the ledger",
                  lambda: engine.ledger_lag.look() or engine.orders_refused)
    metrics.gauge("buttonwood_journal_segments", "files of the journal", lambda: len(engine.dropcopy.writer.segments))
    metrics.gauge("buttonwood_replay_commands_per_second", "of the start",
                  lambda: engine.recovered.replayed / max(engine.recovered.replay_seconds, 1e-9))
    metrics.gauge("buttonwood_snapshot_load_seconds", "of the start", lambda: engine.recovered.load_seconds)
    metrics.gauge("buttonwood_snapshot_seq", "last command in the newest snapshot", lambda: engine.checkpoints.told_seq)
    metrics.gauge("buttonwood_snapshot_age_seconds", "since the newest snapshot, 0 without one",
                  engine.checkpoints.age_seconds)
    metrics.gauge("buttonwood_state_proofs", "checkpoints that agreed with this process, its start included",
                  lambda: engine.core.marks_proven)
    sizes = metrics.histogram("buttonwood_frame_commands", "commands made durable by one disk write", COUNTS)
    times = metrics.histogram("buttonwood_write_seconds", "write and fdatasync of one frame", SECONDS)
    metrics.gauges("buttonwood_follower_unsent_bytes", "durable frames a follower of the drop copy has not been sent",
                   lambda: [((("follower", str(each.number)),), each.unsent_bytes)
                            for each in sorted(engine.dropcopy.followers, key=lambda each: each.number)])

    def frame_applied(frame: Frame, events: list[Event]) -> None:
        sizes.observe(frame.count)
        times.observe(engine.dropcopy.writer.write_ns / _NS)

    engine.listen(frame_applied)
    return metrics
