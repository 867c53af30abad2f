"""Formats figures as Markdown tables, alone or beside earlier figures."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

from tests.tools.bench.figures import OTHERS, Figures, Spread, ratio, spread

_CPU = ", CPU ms"

Runs = Mapping[str, Sequence[Figures]]
"""Scenario → figures of each run."""


def tables(runs: Runs) -> str:
    """Return a table for each kind of scenario, with median (minimum to maximum) of each figure."""
    return _tables(runs, lambda scenario, figure: _shown(_spread(runs, scenario, figure)))


def comparison(runs: Runs, earlier: Runs) -> str:
    """Return the tables with the change of the medians. `≈` means that the ranges overlap, so it may be chance."""

    def cell(scenario: str, figure: str) -> str:
        if not any(figure in run for run in earlier.get(scenario, ())):
            return "new"
        return _change(_spread(earlier, scenario, figure), _spread(runs, scenario, figure))

    return _tables(runs, cell)


def ratios(ours: Runs, rival: Runs) -> str:
    """Return one table of how many times as good as the rival the hub is, with the figures of both.

    A ratio is that of the same round, and in the table is the median (minimum to maximum) of all rounds. Above 1 the
    hub is better. The CPU time is that of all processes together, and of the database alone.
    """
    header = ["scenario", "figure", "ratio", "hub", "rival"]
    rows = [
        [scenario, name, *map(_shown, (_ratio(name, *both), spread(both[0]), spread(both[1])))]
        for scenario in ours
        if scenario in rival
        for name, both in _shared(ours[scenario], rival[scenario])
    ]
    first, second, *others = (max(map(len, column)) for column in zip(header, *rows, strict=True))
    rule = ["-" * first, "-" * second, *("-" * (width - 1) + ":" for width in others)]
    lines = (header, rule, *rows)
    return "\n".join(f"| {name.ljust(first)} {_row(cells, second, others)}" for name, *cells in lines)


def _shared(ours: Sequence[Figures], rival: Sequence[Figures]) -> Iterator[tuple[str, tuple[list[float], list[float]]]]:
    """Yield each figure that both have, with its values of both in the rounds that both have measured."""
    pairs = [(_with_total(our), _with_total(their)) for our, their in zip(ours, rival, strict=False)]
    for name in pairs[0][0]:
        if name in pairs[0][1] and name not in {OTHERS, f"load{_CPU}"}:
            yield name, ([our[name] for our, _ in pairs], [their[name] for _, their in pairs])


def _with_total(run: Figures) -> Figures:
    cpu = [value for name, value in run.items() if name.endswith(_CPU) and name != f"load{_CPU}"]
    return {**run, f"all processes{_CPU}": sum(cpu)} if cpu else run


def _ratio(name: str, ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    return spread([ratio(name, *both) for both in zip(ours, theirs, strict=True)])


def _tables(runs: Runs, cell: Callable[[str, str], str]) -> str:
    kinds = groupby(runs, key=lambda scenario: tuple(runs[scenario][0]))
    return "\n\n".join("\n".join(_table(figures, list(scenarios), cell)) for figures, scenarios in kinds)


def _table(figures: Sequence[str], scenarios: Sequence[str], cell: Callable[[str, str], str]) -> Iterator[str]:
    header = ["", *figures]
    rows = [[scenario, *(cell(scenario, figure) for figure in figures)] for scenario in scenarios]
    first, *others = (max(map(len, column)) for column in zip(header, *rows, strict=True))
    yield _row(header, first, others)
    yield _row(["-" * first, *("-" * (width - 1) + ":" for width in others)], first, others)
    for row in rows:
        yield _row(row, first, others)


def _row(cells: Sequence[str], first: int, others: Sequence[int]) -> str:
    """Align the scenario left and numbers right."""
    name, *numbers = cells
    aligned = [name.ljust(first), *(text.rjust(width) for text, width in zip(numbers, others, strict=True))]
    return f"| {' | '.join(aligned)} |"


def _spread(runs: Runs, scenario: str, figure: str) -> Spread:
    return spread([run[figure] for run in runs[scenario]])


def _shown(values: Spread) -> str:
    least, middle, most = map(_number, (values.least, values.median, values.most))
    return middle if least == most else f"{middle} ({least} to {most})"


def _change(before: Spread, after: Spread) -> str:
    if not before.median:
        return f"{_number(before.median)} → {_number(after.median)}"
    share = after.median / before.median - 1
    chance = " ≈" if before.overlaps(after) else ""
    return f"{_number(before.median)} → {_number(after.median)} ({share:+.0%}{chance})"


def _number(value: float) -> str:
    """Format with three significant digits."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
