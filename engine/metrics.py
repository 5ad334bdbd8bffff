"""Numbers about a running process, in Prometheus' text format: gauges that are read when asked, and histograms.

Pure: no clock, no socket, no thread; engine/metrics_server.py shows them to the world. Everything happens on one loop,
so nothing is locked. An observation costs a bisection and two additions.
"""
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence

Labels = tuple[tuple[str, str], ...]
Samples = Iterable[tuple[Labels, float]]
SECONDS = tuple(step * 10.0**power for power in range(-5, 1) for step in (1, 2, 5))   # 10 us to 5 s
COUNTS = tuple(float(2**power) for power in range(17))                                # 1 to 65,536


class Histogram:
    """How often values of which size came. bounds: the upper ends of the buckets, rising; one more takes the rest."""

    __slots__ = ("bounds", "buckets", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.buckets = [0] * (len(self.bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one more."""
        self.buckets[bisect_left(self.bounds, value)] += 1
        self.total += value

    @property
    def count(self) -> int:
        """Observations so far."""
        return sum(self.buckets)

    def quantile(self, share: float) -> float:
        """The bound below which this share of the values lies; 0 without any, infinite in the last bucket."""
        wanted, seen = share * self.count, 0
        for bound, number in zip(self.bounds, self.buckets, strict=False):
            seen += number
            if seen and seen >= wanted:
                return bound
        return float("inf") if self.count else 0.0


class Metrics:
    """All numbers of one process, in the order in which they were added. Names begin with `buttonwood_`."""

    def __init__(self) -> None:
        self._families: list[Callable[[], list[str]]] = []

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """A number that goes up and down."""
        self.gauges(name, text, lambda: [((), read())])

    def gauges(self, name: str, text: str, read: Callable[[], Samples]) -> None:
        """The same with labels."""
        self._family(name, text, "gauge", read)

    def counter(self, name: str, text: str, read: Callable[[], float]) -> None:
        """A number that only rises while the process lives."""
        self._family(name, text, "counter", lambda: [((), read())])

    def histogram(self, name: str, text: str, bounds: Sequence[float]) -> Histogram:
        """A new one; observe it."""
        histogram = Histogram(bounds)
        self._families.append(lambda: _head(name, text, "histogram") + _histogram(name, histogram))
        return histogram

    def render(self) -> bytes:
        """Everything as it is now."""
        return "\n".join([line for family in self._families for line in family()] + [""]).encode()

    def _family(self, name: str, text: str, kind: str, read: Callable[[], Samples]) -> None:
        self._families.append(lambda: _head(name, text, kind) + [_line(name, *sample) for sample in read()])


def _head(name: str, text: str, kind: str) -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]


def _line(name: str, labels: Labels, value: float) -> str:
    shown = ",".join(f'{key}="{text}"' for key, text in labels)
    return f"{name}{{{shown}}} {_number(value)}" if labels else f"{name} {_number(value)}"


def _histogram(name: str, histogram: Histogram) -> list[str]:
    lines, seen = [], 0
    for bound, number in zip((*histogram.bounds, float("inf")), histogram.buckets, strict=True):
        seen += number
        lines.append(_line(f"{name}_bucket", (("le", _number(bound)),), seen))
    return [*lines, _line(f"{name}_sum", (), histogram.total), _line(f"{name}_count", (), seen)]


def _number(value: float) -> str:
    if value == float("inf"):
        return "+Inf"
    return str(int(value)) if value == int(value) else f"{value:.9g}"
