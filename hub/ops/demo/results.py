"""Prints the results of a demo: its figures, and each promise with ✓ or ✗."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from hub.ops.demo.console import Screen
from hub.ops.demo.figures import Figures, Latency
from hub.ops.judge.promises import Promise, Violation
from hub.ops.judge.record import Record

_NOT_TRIED = {
    Promise.NOTHING_LOST: "not tested by the demo; `make test` kills processes",
}
_SHOWN = 5
"""Cases of one broken promise that are printed."""


def show_figures(screen: Screen, figures: Figures) -> None:
    """Print the commands, their results and the latencies."""
    table = _table("The demo in figures")
    table.add_row("commands", f"{figures.commands.total()}  ({_counted(figures.commands)})")
    if figures.repeated:
        table.add_row("repeated", str(figures.repeated))
    table.add_row("bookings", f"{figures.winners} of {figures.slots} slots (a slot that is freed may be booked again)")
    table.add_row("granted", _counted(figures.granted))
    table.add_row("refused", _counted(figures.refused))
    for via, latency in figures.answered.items():
        table.add_row(f"answer over {via}", _milliseconds(latency))
    if figures.delivery:
        table.add_row("update on a dashboard", _milliseconds(figures.delivery))
    screen.console.print(table)


def show_promises(screen: Screen, violations: Sequence[Violation], record: Record) -> None:
    """Print each promise as kept or broken, and the violations of the broken ones."""
    broken: dict[Promise, list[Violation]] = defaultdict(list)
    for violation in violations:
        broken[violation.promise].append(violation)
    events = sum(appointment.version for appointment in record.appointments.values())
    table = _table(f"Promises, checked against {len(record.appointments)} appointments with {events} events in MongoDB")
    for promise in Promise:
        if promise in broken:
            mark, text = Text("✗", "bold red"), Text(f"{promise.text}: {len(broken[promise])} violations", "red")
        elif promise in _NOT_TRIED:
            mark, text = Text("-", "dim"), Text(f"{promise.text} ({_NOT_TRIED[promise]})", "dim")
        else:
            mark, text = Text("✓", "bold green"), Text(promise.text)
        table.add_row(mark, Text(str(promise.value)), text)
    screen.console.print(table)
    for found in broken.values():
        for violation in found[:_SHOWN]:
            screen.say(f"✗ {violation}", "red")
        if len(found) > _SHOWN:
            screen.say(f"  and {len(found) - _SHOWN} more of promise {found[0].promise.value}", "red")


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", show_header=False, box=None, pad_edge=False)


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common()) or "nothing"


def _milliseconds(latency: Latency) -> str:
    return f"p50 {latency.p50:.0f} ms, p99 {latency.p99:.0f} ms  ({latency.count})"
