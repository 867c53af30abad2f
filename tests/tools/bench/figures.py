"""Computes figures from measurements, and the spread over several runs."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

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


def milliseconds(seconds: Sequence[float]) -> Figures:
    """Return the percentiles of durations."""
    return {"p50 ms": quantile(seconds, 0.5) * 1000, "p99 ms": quantile(seconds, 0.99) * 1000}
