"""From single measurements to figures, and from several runs to their spread."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

Figures = dict[str, float]
"""What one run of a scenario gives: name with unit → value."""


@dataclass(frozen=True)
class Spread:
    """The runs of one figure."""

    least: float
    median: float
    most: float

    def overlaps(self, other: "Spread") -> bool:
        """Whether the difference may be chance: some runs of one lie among those of the other."""
        return self.least <= other.most and other.least <= self.most


def spread(runs: Sequence[float]) -> Spread:
    """Return least, median and most of at least one run."""
    return Spread(min(runs), median(runs), max(runs))


def quantile(values: Iterable[float], share: float) -> float:
    """Return the smallest value that at least this share of all is not above (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def milliseconds(seconds: Sequence[float]) -> Figures:
    """Return the middle and the slow end of durations."""
    return {"p50 ms": quantile(seconds, 0.5) * 1000, "p99 ms": quantile(seconds, 0.99) * 1000}
