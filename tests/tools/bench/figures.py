"""Computes figures from measurements, and the spread over several runs."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

OTHERS = "others, cores"
"""The figure that says how many cores other programs used meanwhile."""

Figures = dict[str, float]
"""The figures of one run: name with unit → value."""


@dataclass(frozen=True)
class Spread:
    """The values of one figure over all runs."""

    least: float
    median: float
    most: float

    def overlaps(self, other: "Spread") -> bool:
        """Whether the ranges of both overlap, so that the difference may be chance."""
        return self.least <= other.most and other.least <= self.most


def spread(runs: Sequence[float]) -> Spread:
    """Return minimum, median and maximum of at least one run."""
    return Spread(min(runs), median(runs), max(runs))


def quantile(values: Iterable[float], share: float) -> float:
    """Return the nearest-rank percentile; `share` is between 0 and 1."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def ratio(name: str, ours: float, theirs: float) -> float:
    """Return how many times as good our value of a figure is: of what comes in a second more is better, else less."""
    better, worse = (ours, theirs) if name.endswith("/s") else (theirs, ours)
    return better / worse if worse else math.inf


def milliseconds(seconds: Sequence[float]) -> Figures:
    """Return the percentiles of durations."""
    return {"p50 ms": quantile(seconds, 0.5) * 1000, "p99 ms": quantile(seconds, 0.99) * 1000}
