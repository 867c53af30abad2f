"""The figures of a demo: commands, granted and refused, and latencies."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from hub.client.commands import Via
from hub.ops.judge.dashboard import Dashboard
from hub.ops.judge.history import History
from hub.ops.judge.record import Record


@dataclass(frozen=True)
class Latency:
    """Percentiles in milliseconds over `count` cases."""

    count: int
    p50: float
    p99: float


@dataclass(frozen=True)
class Figures:
    """Counts by kind, and latencies.

    `winners`: successful bookings of the `slots`; a slot that was freed may be booked again. `delivery`: the time from
    the decision of a change to its arrival on a dashboard.
    """

    commands: Counter[str]
    winners: int
    slots: int
    granted: Counter[str]
    refused: Counter[str]
    repeated: int
    answered: dict[Via, Latency]
    delivery: Latency | None


def figures_of(history: History, dashboards: Sequence[Dashboard], record: Record) -> Figures:
    """Return the figures of a demo. Commands without an answer do not count."""
    answered = [(exchange.request, exchange.answer) for exchange in history.exchanges() if exchange.answer]
    seconds: dict[Via, list[float]] = defaultdict(list)
    for request, answer in answered:
        seconds[request.via].append(answer.seconds)
    return Figures(
        commands=Counter(request.via for request, _ in answered),
        winners=len(
            {won.id for request, answer in answered if request.command.kind == "book" and (won := answer.appointment)}
        ),
        slots=len(
            {
                (request.command.doctor_id, request.command.start)
                for request, answer in answered
                if answer.ok and request.command.doctor_id
            }
        ),
        granted=Counter(request.command.kind for request, answer in answered if answer.ok),
        refused=Counter(answer.code or "" for _, answer in answered if not answer.ok),
        repeated=sum(answer.attempts - 1 for _, answer in answered),
        answered={via: latency for via, took in seconds.items() if (latency := _latency(took))},
        delivery=_latency(_delivery_seconds(dashboards, record)),
    )


def _delivery_seconds(dashboards: Sequence[Dashboard], record: Record) -> list[float]:
    """Return the seconds from the decision of each event to its arrival at a client."""
    return [
        (seen.at - recorded.event.at).total_seconds()
        for dashboard in dashboards
        for seen in dashboard.received
        if (recorded := record.by_seq.get((seen.event.doctor_id, seen.event.seq)))
    ]


def _latency(seconds: list[float]) -> Latency | None:
    if not seconds:
        return None
    ordered = sorted(seconds)

    def at_or_below(percent: int) -> float:  # nearest rank
        return 1000 * ordered[-(-percent * len(ordered) // 100) - 1]

    return Latency(len(ordered), at_or_below(50), at_or_below(99))
