"""The report of a run: injected faults, outcomes of commands, and the coverage of each promise."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.tools.nemesis.evidence import Evidence, outcome_of
from tests.tools.nemesis.verdict import Ruling

_SHOWN = 12


@dataclass(frozen=True)
class Latency:
    """Seconds from a command to its answer, over `count` commands."""

    count: int
    p50: float
    p99: float
    longest: float


def latency(seconds: Iterable[float]) -> Latency | None:
    """Return the nearest-rank percentiles, or None if there are no commands."""
    ordered = sorted(seconds)
    if not ordered:
        return None

    def at_or_below(percent: int) -> float:
        return ordered[-(-percent * len(ordered) // 100) - 1]

    return Latency(len(ordered), at_or_below(50), at_or_below(99), ordered[-1])


def summary(evidence: Evidence, ruling: Ruling) -> dict[str, object]:
    """Return the figures of a run for JSON."""
    exchanges = list(evidence.history.exchanges())
    return {
        "faults": Counter(injected.fault.kind for injected in evidence.injected_faults),
        "commands": Counter(f"{exchange.request.command.kind} {outcome_of(exchange)}" for exchange in exchanges),
        "refused": Counter(
            exchange.answer.code or "" for exchange in exchanges if exchange.answer and not exchange.answer.ok
        ),
        "latency": {
            "in peace": _latency(evidence, under_fault=False),
            "under fault": _latency(evidence, under_fault=True),
        },
        "endedByThemselves": list(evidence.deaths),
        "coverage": {str(promise.value): coverage for promise, coverage in ruling.coverage.items()},
        "violations": [str(violation) for violation in ruling.violations],
        "notHappened": [
            f"{each.fault.kind} at {each.fault.at} s: {each.found.evidence}" for each in ruling.not_happened
        ],
        "lacking": list(ruling.lacking),
        "kept": ruling.kept,
    }


def lines(evidence: Evidence, ruling: Ruling) -> list[str]:
    """Return the figures as lines of text."""
    faults = Counter(injected.fault.kind for injected in evidence.injected_faults)
    outcomes = Counter(outcome_of(exchange) for exchange in evidence.history.exchanges())
    refused = Counter(
        exchange.answer.code or ""
        for exchange in evidence.history.exchanges()
        if exchange.answer and not exchange.answer.ok
    )
    shown = [
        f"faults    {faults.total()}: {_counted(faults)}",
        f"ended     by themselves, and were started again: {len(evidence.deaths)}",
        f"commands  {outcomes.total()}: {_counted(outcomes)}",
        f"refused   {_counted(refused)}",
        f"answered  {_said('in peace', _latency(evidence, under_fault=False))}",
        f"          {_said('under fault', _latency(evidence, under_fault=True))}",
    ]
    broken = {violation.promise for violation in ruling.violations}
    for promise, counted in ruling.coverage.items():
        mark = "✗" if promise in broken else "✓"
        stands_on = ", ".join(f"{number:,} {what}" for what, number in counted.items())
        shown.append(f"{mark} {promise.value}  {promise.text}\n     judged by {stands_on}")
    shown += [f"- {death}" for death in evidence.deaths]
    shown += _some([f"✗ {violation}" for violation in ruling.violations])
    shown += [f"✗ a fault did not happen: {each.fault}: {each.found.evidence}" for each in ruling.not_happened]
    shown += [f"✗ not enough to judge by: {each}" for each in ruling.lacking]
    return shown


def _latency(evidence: Evidence, *, under_fault: bool) -> Latency | None:
    """Return the latency of commands during faults, or of the other commands."""
    stretches = [(injected.began, injected.ended) for injected in evidence.injected_faults]
    return latency(
        exchange.answer.seconds
        for exchange in evidence.history.exchanges()
        if exchange.answer
        and under_fault
        == any(exchange.request.at <= ended and exchange.answer.at >= began for began, ended in stretches)
    )


def _said(when: str, found: Latency | None) -> str:
    if found is None:
        return f"{when}: none"
    return f"{when}: p50 {found.p50:.3f} s, p99 {found.p99:.2f} s, longest {found.longest:.1f} s ({found.count:,})"


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common()) or "none"


def _some(found: Sequence[str]) -> list[str]:
    more = len(found) - _SHOWN
    return [*found[:_SHOWN], *([f"  and {more} more"] if more > 0 else [])]
