"""Judges a run: all promises, the coverage of each, and whether every fault happened."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.ops.judge import due_deadlines, text_deliveries
from hub.ops.judge.answers import acknowledged
from hub.ops.judge.history import Exchange, describe
from hub.ops.judge.promises import Promise, Violation
from hub.ops.judge.text_deliveries import TextEvidence
from hub.ops.judge.tolerance import Stretch, Tolerance
from hub.ops.judge.verdict import judge
from hub.scheduling.events import SlotOffered
from tests.tools.nemesis.evidence import Evidence
from tests.tools.nemesis.faults import InjectedFault
from tests.tools.nemesis.people import MOST_ACTIVE

_WRITING = 5.0
"""Real seconds from a decision to its write, if no process is stopped meanwhile."""
_CLOCKS = 0.05
_TEXT_UNDER_WAY = 10.0
_TEXT_SETTLED = 15.0
"""Real seconds within which a reminder is sent, if no process dies meanwhile."""
_TEXT_IN_THE_DARK = 150.0
"""Real seconds within which the result of every text is known: two minutes and two polls (docs/texts.md)."""
_GOES_ON = 30.0
"""Real seconds after the end of a fault within which a command is answered, without the outages of the engines."""
_OFFERING = 10.0
"""Real seconds for which a free slot may be without an offer: five, and as much as an event may take to be written."""
_RETURNING = 20.0
"""Real seconds from the end of a fault until all processes work again."""
_EMPTYING, _NOTICING = 30.0, 15.0
"""Real seconds. The first: age of commands that an emptied broker may lose undecided. The second: until the agents have
noticed and restarted; before that, they use offsets of the previous broker."""


@dataclass(frozen=True)
class Patience:
    """Real seconds that a deadline may be late. The agents reread lost deadlines every 30 seconds."""

    deadlines: float = 45.0


@dataclass(frozen=True)
class Ruling:
    """The judge's result. `coverage` counts, by promise, what there was to judge it by."""

    violations: Sequence[Violation]
    coverage: dict[Promise, dict[str, int]]
    not_happened: Sequence[InjectedFault]
    lacking: Sequence[str]

    @property
    def kept(self) -> bool:
        """Whether every promise was kept, every fault happened, and the coverage was sufficient."""
        return not (self.violations or self.not_happened or self.lacking)


def rule(evidence: Evidence, patience: Patience, least: dict[Promise, dict[str, int]]) -> Ruling:
    """Judge a run. `least` is the required coverage; with less, the run proves nothing."""
    late, post = evidence.hub(patience.deadlines), _post(evidence)
    paused = max(
        (
            _length(injected, evidence)
            for injected in evidence.injected_faults
            if "stalled" in injected.fault.kind or "paused" in injected.fault.kind
        ),
        default=0.0,
    )
    tolerance = Tolerance(
        clocks=evidence.hub(_CLOCKS),
        writing=evidence.hub(_WRITING + paused),
        most_active=MOST_ACTIVE,
        offers=evidence.offers,
        offering=evidence.hub(_OFFERING),
        lapsing=late,
        disturbed=[(each.began, each.ended + evidence.hub(_RETURNING)) for each in evidence.injected_faults],
        stopped=evidence.stopped,
    )
    violations = [
        *judge(evidence.history, evidence.dashboards, evidence.record, tolerance),
        *due_deadlines.missed(evidence.record, late),
        *text_deliveries.undelivered(evidence.record, post),
        *text_deliveries.duplicates(evidence.record, post),
        *text_deliveries.too_late(evidence.record, post),
        *text_deliveries.after_erasure(evidence.finished_erasures, post),
        *_erased_badly(evidence),
        *_lost(evidence),
        *_standstills(evidence),
        *_undecided_one_shot_commands(evidence),
    ]
    if evidence.unfinished:
        violations.append(Violation(Promise.NOTHING_LOST, "the hub did not come to rest", evidence.unfinished))
    coverage = coverage_of(evidence, late)
    lacking = [
        f"promise {promise.value}: {coverage[promise].get(what, 0)} {what}, at least {number} wanted"
        for promise, wanted in least.items()
        for what, number in wanted.items()
        if coverage[promise].get(what, 0) < number
    ]
    return Ruling(violations, coverage, [each for each in evidence.injected_faults if not each.found.happened], lacking)


def coverage_of(evidence: Evidence, late: timedelta) -> dict[Promise, dict[str, int]]:
    """Count what there was to judge each promise by."""
    record, history = evidence.record, evidence.history
    exchanges = list(history.exchanges())
    answers = [exchange.answer for exchange in exchanges if exchange.answer]
    refused = Counter(answer.code or "" for answer in answers if not answer.ok)
    due = due_deadlines.due_deadlines(record, late)
    arrived = {each.text_id for each in evidence.arrived}
    kills = [injected for injected in evidence.injected_faults if _is_kill(injected)]
    return {
        Promise.ACKNOWLEDGED_IS_WRITTEN: {
            "acknowledged changes": sum(answer.ok for answer in answers),
            "patients erased": len(history.erased),
            "erased during a fault": sum(
                any(each.began <= answered and at <= each.ended for each in evidence.injected_faults)
                for at, answered in ((history.erasures[id_], done) for id_, done in history.erased.items())
            ),
        },
        Promise.NO_OVERLAP: {
            "slots held": len(record.occupancies),
            "slots wanted by several": _contended(exchanges),
            "refused for a patient elsewhere": refused["patient_busy"],
            "refused at the limit of a patient": refused["too_many_appointments"],
        },
        Promise.APPLIED_ONCE: {
            "commands": len(history.entries),
            "joins": len(history.finished_joins),
            "day changes": len(history.day_changes),
            "appointments in day changes": sum(max(0, len(each.lines) - 2) for each in history.day_changes),
            "sent more than once": sum(answer.attempts > 1 for answer in answers),
            "asked again later": sum(len(entry.exchanges) > 1 for entry in history.entries),
            "left without waiting": sum(exchange.abandoned for exchange in exchanges),
        },
        Promise.TOLD_IN_ORDER: {
            "events received": sum(len(dashboard.received) for dashboard in evidence.dashboards),
            "connections": sum(len(dashboard.periods) for dashboard in evidence.dashboards),
            "days watched": evidence.watches,
            "lists read": len(history.reads),
        },
        Promise.REMINDED_ONCE: {
            "reminders due": sum(each.kind == "reminder" for each in due),
            "reminders on phones": sum(each in arrived for each in _reminder_ids(evidence)),
            "no-shows": sum(each.kind == "no_show" and each.event is not None for each in due),
            "texts on phones": len(evidence.arrived),
        },
        Promise.NOTHING_LOST: {
            "kills": len(kills),
            "acknowledged before a kill": sum(
                any(answer.at <= kill.began for kill in kills) for answer in answers if answer.ok
            ),
        },
        Promise.WAITLIST: _of_the_waitlist(evidence),
        Promise.REFUSALS_ARE_TRUE: {
            "refusals": refused.total(),
            "reasons": len(refused),
            "commands that nobody repeats": len(evidence.one_shot_commands),
        },
    }


def _of_the_waitlist(evidence: Evidence) -> dict[str, int]:
    """Count what happened in the lines."""
    requests = evidence.history.line_requests.values()
    events = [each.event for each in (one for found in evidence.record.by_doctor.values() for one in found)]
    offered = [each for each in events if isinstance(each, SlotOffered)]
    kinds = Counter(each.type for each in events)
    arrived = {each.text_id for each in evidence.arrived}
    return {
        "joined a line": sum(each.kind == "join" and any(one.id for one in each.answers) for each in requests),
        "left a line": kinds["waitlist_left"],
        "offers": len(offered),
        "offers out of turn": sum(each.out_of_turn for each in offered),
        "accepted": kinds["accepted"],
        "declined": kinds["declined"],
        "lapsed": kinds["lapsed"],
        "offers on phones": sum(text.kind == "offer" and text.id in arrived for text in evidence.texts.values()),
        "asked again later": sum(len(each.answers) > 1 for each in requests),
    }


def _post(evidence: Evidence) -> TextEvidence:
    paused = max((_length(injected, evidence) for injected in evidence.injected_faults), default=0.0)
    return TextEvidence(
        texts=evidence.texts,
        accepted=evidence.arrived,
        settled=evidence.stopped - evidence.hub(_TEXT_SETTLED),
        given_up=evidence.stopped - evidence.hub(_TEXT_IN_THE_DARK),
        # A worker that was stopped between its last look and the POST sends the text when it goes on.
        in_transit=evidence.hub(_TEXT_UNDER_WAY + paused),
    )


def _erased_badly(evidence: Evidence) -> Iterator[Violation]:
    """Find erasures that were acknowledged and did not end, and words of erased patients in the database."""
    for patient_id in evidence.history.erased.keys() - evidence.finished_erasures.keys():
        yield Violation(Promise.NOTHING_LOST, "an acknowledged erasure was not finished", patient_id)
    for collection, words in evidence.words_left.items():
        case = f"{', '.join(words)} in {collection}"
        yield Violation(Promise.ACKNOWLEDGED_IS_WRITTEN, "an erasure has left words in the database", case)


def _lost(evidence: Evidence) -> Iterator[Violation]:
    """Find changes that were acknowledged before a kill or an emptied broker, and are missing."""
    missing = {violation.case.partition(":")[0] for violation in acknowledged(evidence.history, evidence.record)}
    kills = [injected for injected in evidence.injected_faults if _is_kill(injected)]
    for exchange in evidence.history.exchanges():
        answer = exchange.answer
        if answer is None or not answer.ok or describe(exchange.request) not in missing:
            continue
        if kill := next((each for each in kills if answer.at <= each.ended), None):
            case = f"{describe(exchange.request)}, before this was over: {kill.fault.kind}"
            yield Violation(Promise.NOTHING_LOST, "what was acknowledged did not survive", case)


def _standstills(evidence: Evidence) -> Iterator[Violation]:
    """Find faults after whose end no command was answered for too long, while broker and database were there."""
    answered = sorted(
        exchange.answer.at for exchange in evidence.history.exchanges() if exchange.answer and exchange.answer.decided
    )
    outages = [
        (each.began, each.ended)
        for each in evidence.injected_faults
        if each.fault.kind.startswith(("broker", "database"))
    ]
    for injected in evidence.injected_faults:
        if injected.stuck:
            yield Violation(Promise.NOTHING_LOST, "a process did not begin to work again", injected.stuck)
        until = without_outages(injected.ended, evidence.hub(_GOES_ON), outages)
        if answered and answered[-1] > until and not any(injected.ended <= at <= until for at in answered):
            case = f"{injected.fault.kind} at {injected.fault.at} s"
            yield Violation(Promise.NOTHING_LOST, f"nobody was answered for {_GOES_ON:g} s after a fault", case)


def without_outages(since: datetime, allowed: timedelta, outages: Sequence[Stretch]) -> datetime:
    """Return the instant until which the time since then, without the outages, is what is allowed."""
    until, counted = since + allowed, since
    for began, ended in sorted(outages):
        first = max(began, counted)
        if first > until:
            break
        if ended > first:
            until += ended - first
            counted = ended
    return until


def _undecided_one_shot_commands(evidence: Evidence) -> Iterator[Violation]:
    """Find commands that the broker accepted and did not lose, and that were never decided."""
    emptied = [injected for injected in evidence.injected_faults if injected.fault.kind == "broker emptied"]
    before, after = evidence.hub(_EMPTYING), evidence.hub(_NOTICING)
    for one_shot in evidence.one_shot_commands:
        lost = any(injected.began - before <= one_shot.at <= injected.ended + after for injected in emptied)
        if one_shot.command_id not in evidence.record.by_command and not lost:
            case = f"command {one_shot.command_id} of doctor {one_shot.doctor_id}"
            yield Violation(Promise.REFUSALS_ARE_TRUE, "a command that the broker took was never decided", case)


def _contended(exchanges: Sequence[Exchange]) -> int:
    """Return the number of slots that several people tried to book."""
    wanted: dict[tuple[str | None, object], set[str]] = {}
    for exchange in exchanges:
        command = exchange.request.command
        if command.kind == "book":
            wanted.setdefault((command.doctor_id, command.start), set()).add(exchange.request.user.id)
    return sum(len(people) > 1 for people in wanted.values())


def _reminder_ids(evidence: Evidence) -> list[str]:
    return [text.id for text in evidence.texts.values() if text.kind == "reminder"]


def _is_kill(injected: InjectedFault) -> bool:
    return injected.fault.kind.endswith(("killed", "emptied"))


def _length(injected: InjectedFault, evidence: Evidence) -> float:
    """Return the duration of a fault in real seconds."""
    return (injected.ended - injected.began) / timedelta(seconds=1) / evidence.rate
