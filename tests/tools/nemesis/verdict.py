"""The judge of a run: all seven promises, each with how much there was to judge it by, and whether the faults came."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from hub.ops.judge import due_deadlines, text_deliveries
from hub.ops.judge.answers import acknowledged
from hub.ops.judge.history import Exchange, describe
from hub.ops.judge.promises import Promise, Violation
from hub.ops.judge.refusals import Tolerance
from hub.ops.judge.text_deliveries import TextEvidence
from hub.ops.judge.verdict import judge
from tests.tools.nemesis.evidence import Evidence
from tests.tools.nemesis.faults import Injury

_WRITING = 5.0
"""Real seconds that a decision takes to be written, when nobody is stopped meanwhile."""
_CLOCKS = 0.05
_TEXT_UNDER_WAY = 10.0
_TEXT_SETTLED = 15.0
"""Real seconds after which a reminder has left for its phone, if nobody died over it."""
_TEXT_IN_THE_DARK = 150.0
"""Real seconds after which the fate of every text is known: two minutes, and two looks (docs/texts.md)."""
_GOES_ON = 30.0
"""Real seconds after a fault is healed within which somebody is answered."""
_EMPTYING, _NOTICING = 30.0, 15.0
"""Real seconds of commands that the broker may hold undecided, and lose with its data; and after its return until the
agents have noticed and begun anew: until then they go on at offsets of the broker that is no more."""


@dataclass(frozen=True)
class Patience:
    """Real seconds that a deadline may be late: the agents read those that got lost again every thirty."""

    deadlines: float = 45.0


@dataclass(frozen=True)
class Ruling:
    """What the judge says. `grounds`: how much there was to judge each promise by, by what it was."""

    violations: Sequence[Violation]
    grounds: dict[Promise, dict[str, int]]
    not_happened: Sequence[Injury]
    lacking: Sequence[str]

    @property
    def kept(self) -> bool:
        """Whether every promise was kept, every fault happened, and there was enough to say so."""
        return not (self.violations or self.not_happened or self.lacking)


def rule(evidence: Evidence, patience: Patience, least: dict[Promise, dict[str, int]]) -> Ruling:
    """Judge a run. `least` is how much of each ground there must be; with less the run proves nothing."""
    late, post = evidence.hub(patience.deadlines), _post(evidence)
    paused = max(
        (
            _length(injury, evidence)
            for injury in evidence.injuries
            if "stalled" in injury.fault.kind or "paused" in injury.fault.kind
        ),
        default=0.0,
    )
    tolerance = Tolerance(clocks=evidence.hub(_CLOCKS), writing=evidence.hub(_WRITING + paused))
    violations = [
        *judge(evidence.history, evidence.dashboards, evidence.record, tolerance),
        *due_deadlines.missed(evidence.record, late),
        *text_deliveries.undelivered(evidence.record, post),
        *text_deliveries.duplicates(evidence.record, post),
        *text_deliveries.too_late(evidence.record, post),
        *_lost(evidence),
        *_standstills(evidence),
        *_undecided_letters(evidence),
    ]
    if evidence.unrest:
        violations.append(Violation(Promise.NOTHING_LOST, "the hub did not come to rest", evidence.unrest))
    grounds = grounds_of(evidence, late)
    lacking = [
        f"promise {promise.value}: {grounds[promise].get(what, 0)} {what}, at least {number} wanted"
        for promise, wanted in least.items()
        for what, number in wanted.items()
        if grounds[promise].get(what, 0) < number
    ]
    return Ruling(violations, grounds, [each for each in evidence.injuries if not each.found.happened], lacking)


def grounds_of(evidence: Evidence, late: timedelta) -> dict[Promise, dict[str, int]]:
    """Count what each promise was judged by."""
    record, history = evidence.record, evidence.history
    exchanges = list(history.exchanges())
    answers = [exchange.answer for exchange in exchanges if exchange.answer]
    refused = Counter(answer.code or "" for answer in answers if not answer.ok)
    due = due_deadlines.due_deadlines(record, late)
    arrived = {each.text_id for each in evidence.arrived}
    blows = [injury for injury in evidence.injuries if _is_blow(injury)]
    return {
        Promise.ACKNOWLEDGED_IS_WRITTEN: {"acknowledged changes": sum(answer.ok for answer in answers)},
        Promise.NO_OVERLAP: {
            "slots held": len(record.occupancies),
            "slots wanted by several": _contended(exchanges),
            "refused for a patient elsewhere": refused["patient_busy"],
        },
        Promise.APPLIED_ONCE: {
            "commands": len(history.entries),
            "sent more than once": sum(answer.attempts > 1 for answer in answers),
            "asked again later": sum(len(entry.exchanges) > 1 for entry in history.entries),
            "left without waiting": sum(exchange.abandoned for exchange in exchanges),
        },
        Promise.TOLD_IN_ORDER: {
            "events received": sum(len(dashboard.received) for dashboard in evidence.dashboards),
            "connections": sum(len(dashboard.periods) for dashboard in evidence.dashboards),
            "days watched": evidence.watches,
        },
        Promise.REMINDED_ONCE: {
            "reminders due": sum(each.kind == "reminder" for each in due),
            "reminders on phones": sum(each in arrived for each in _reminder_ids(evidence)),
            "no-shows": sum(each.kind == "no_show" and each.event is not None for each in due),
            "texts on phones": len(evidence.arrived),
        },
        Promise.NOTHING_LOST: {
            "kills": len(blows),
            "acknowledged before a kill": sum(
                any(answer.at <= blow.began for blow in blows) for answer in answers if answer.ok
            ),
        },
        Promise.REFUSALS_ARE_TRUE: {
            "refusals": refused.total(),
            "reasons": len(refused),
            "commands that nobody repeats": len(evidence.letters),
        },
    }


def _post(evidence: Evidence) -> TextEvidence:
    paused = max((_length(injury, evidence) for injury in evidence.injuries), default=0.0)
    return TextEvidence(
        texts=evidence.texts,
        accepted=evidence.arrived,
        settled=evidence.stopped - evidence.hub(_TEXT_SETTLED),
        given_up=evidence.stopped - evidence.hub(_TEXT_IN_THE_DARK),
        # A worker that was stopped between its last look and the POST sends the text when it goes on.
        in_transit=evidence.hub(_TEXT_UNDER_WAY + paused),
    )


def _lost(evidence: Evidence) -> Iterator[Violation]:
    """Find what had been acknowledged before something was killed or emptied, and is gone."""
    missing = {violation.case.partition(":")[0] for violation in acknowledged(evidence.history, evidence.record)}
    blows = [injury for injury in evidence.injuries if _is_blow(injury)]
    for exchange in evidence.history.exchanges():
        answer = exchange.answer
        if answer is None or not answer.ok or describe(exchange.request) not in missing:
            continue
        if blow := next((each for each in blows if answer.at <= each.ended), None):
            case = f"{describe(exchange.request)}, before this was over: {blow.fault.kind}"
            yield Violation(Promise.NOTHING_LOST, "what was acknowledged did not survive", case)


def _standstills(evidence: Evidence) -> Iterator[Violation]:
    """Find faults after whose end nobody was answered for long."""
    answered = sorted(
        exchange.answer.at for exchange in evidence.history.exchanges() if exchange.answer and exchange.answer.decided
    )
    for injury in evidence.injuries:
        if injury.stuck:
            yield Violation(Promise.NOTHING_LOST, "a process did not begin to work again", injury.stuck)
        until = injury.ended + evidence.hub(_GOES_ON)
        if answered and answered[-1] > until and not any(injury.ended <= at <= until for at in answered):
            case = f"{injury.fault.kind} at {injury.fault.at} s"
            yield Violation(Promise.NOTHING_LOST, f"nobody was answered for {_GOES_ON:g} s after a fault", case)


def _undecided_letters(evidence: Evidence) -> Iterator[Violation]:
    """Find commands that the broker had taken, and still had, and that nobody has decided."""
    emptied = [injury for injury in evidence.injuries if injury.fault.kind == "broker emptied"]
    before, after = evidence.hub(_EMPTYING), evidence.hub(_NOTICING)
    for letter in evidence.letters:
        lost = any(injury.began - before <= letter.at <= injury.ended + after for injury in emptied)
        if letter.command_id not in evidence.record.by_command and not lost:
            case = f"command {letter.command_id} of doctor {letter.doctor_id}"
            yield Violation(Promise.REFUSALS_ARE_TRUE, "a command that the broker took was never decided", case)


def _contended(exchanges: Sequence[Exchange]) -> int:
    """Return how many slots several people asked for."""
    wanted: dict[tuple[str | None, object], set[str]] = {}
    for exchange in exchanges:
        command = exchange.request.command
        if command.kind == "book":
            wanted.setdefault((command.doctor_id, command.start), set()).add(exchange.request.user.id)
    return sum(len(people) > 1 for people in wanted.values())


def _reminder_ids(evidence: Evidence) -> list[str]:
    return [text.id for text in evidence.texts.values() if text.kind == "reminder"]


def _is_blow(injury: Injury) -> bool:
    return injury.fault.kind.endswith(("killed", "emptied"))


def _length(injury: Injury, evidence: Evidence) -> float:
    """Return how many real seconds a fault lasted."""
    return (injury.ended - injury.began) / timedelta(seconds=1) / evidence.rate
