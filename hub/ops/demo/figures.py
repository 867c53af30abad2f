"""The figures of a morning: what was asked, granted and refused, and how long it took."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from hub.client.commands import Via
from hub.ops.judge.dashboard import Dashboard
from hub.ops.judge.history import History
from hub.ops.judge.record import Record


@dataclass(frozen=True)
class Latency:
    """How long something took, in milliseconds, over `count` cases."""

    count: int
    p50: float
    p99: float


@dataclass(frozen=True)
class Figures:
    """Counts by kind, and latencies by what was waited for.

    `winners` got one of `slots` by booking; one that was given back may be won again. `told` is how long it took from
    a decision to a dashboard.
    """

    commands: Counter[str]
    winners: int
    slots: int
    granted: Counter[str]
    refused: Counter[str]
    repeated: int
    answered: dict[Via, Latency]
    told: Latency | None


def figures_of(history: History, dashboards: Sequence[Dashboard], record: Record) -> Figures:
    """Count a morning; commands without any answer are not among them."""
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
        told=_latency(_until_told(dashboards, record)),
    )


def _until_told(dashboards: Sequence[Dashboard], record: Record) -> list[float]:
    """Return the seconds from each event's decision until a client had it."""
    return [
        (seen.at - entered.event.at).total_seconds()
        for dashboard in dashboards
        for seen in dashboard.received
        if (entered := record.by_seq.get((seen.event.doctor_id, seen.event.seq)))
    ]


def _latency(seconds: list[float]) -> Latency | None:
    if not seconds:
        return None
    ordered = sorted(seconds)

    def at_or_below(percent: int) -> float:  # nearest rank
        return 1000 * ordered[-(-percent * len(ordered) // 100) - 1]

    return Latency(len(ordered), at_or_below(50), at_or_below(99))
