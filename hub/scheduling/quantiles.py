"""Percentiles of values that occurred."""

from collections.abc import Sequence


def quantile(ordered: Sequence[int], percent: int) -> int | None:
    """Return the percentile by nearest rank of values in order; None without values."""
    return ordered[-(-len(ordered) * percent // 100) - 1] if ordered else None
