"""The judge checks requests about the lines: each planted fault is reported, and nothing else."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from hub.client.commands import User
from hub.ops.judge import line_requests
from hub.ops.judge.history import History, LineAnswer, LineRequest
from hub.ops.judge.record import Record
from hub.ops.judge.tolerance import Tolerance
from hub.scheduling.apply import apply
from hub.scheduling.appointment import Appointment
from hub.scheduling.events import SlotOffered
from hub.scheduling.values import Actor, Role
from hub.scheduling.waitlist_entry import WaitlistEntry
from hub.scheduling.waitlist_events import WaitlistJoined, WaitlistLeft
from hub.scheduling.wish import Wish
from tests.unit.judge_examples import found

NINE = datetime(2026, 6, 1, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
CARL, DESK = User("carl", "patient", "Carl"), User("desk", "receptionist", "Desk")
WISH = Wish(first_day=NINE.date(), last_day=NINE.date())
START = NINE + timedelta(hours=3)


def request(user: User, kind: str, *answers: LineAnswer, **more: object) -> LineRequest:
    """Return a request about Carl's place in Ada's line, with these answers."""
    made = LineRequest(user, kind, f"{kind} of {user.id}", NINE, "ada", "carl", **more)
    made.answers.extend(answers)
    return made


JOIN = request(CARL, "join")
OFFER = request(DESK, "offer", entry_id=JOIN.command_id, start=START)
LEAVE = request(CARL, "leave", entry_id=JOIN.command_id)


def header(asked: LineRequest, seq: int) -> dict[str, object]:
    by = Actor(id=asked.user.id, role=Role(asked.user.role), via="rest")
    at = NINE + seq * SECOND
    return {"seq": seq, "prev": seq - 1, "at": at, "by": by, "command_id": asked.command_id, "fingerprint": "f"}


def entry(*, left: bool = False) -> WaitlistEntry:
    """Return Carl's entry."""
    joined = WaitlistJoined(**header(JOIN, 1), doctor_id="ada", patient_id="carl", wish=WISH)
    waiting = apply(None, joined)
    return apply(waiting, WaitlistLeft(**header(LEAVE, 2))) if left else waiting


def offer() -> Appointment:
    """Return the offer out of turn."""
    fields = {"doctor_id": "ada", "patient_id": "carl", "entry_id": JOIN.command_id, "start": START}
    return apply(None, SlotOffered(**header(OFFER, 2), **fields, until=START - SECOND, out_of_turn=True))


def judged(
    requests: Iterable[LineRequest], entries: Iterable[WaitlistEntry] = (), appointments: Iterable[Appointment] = ()
) -> set[str]:
    history = History()
    for each in requests:
        history.on_line_request(each)
    record = Record(appointments, [], NINE + 60 * SECOND, entries)
    violations = [
        *line_requests.judged(history, record, Tolerance()),
        *line_requests.requested(history, record),
    ]
    return found(violations)


def yes(asked: LineRequest, id_: str) -> LineRequest:
    return request(asked.user, asked.kind, LineAnswer(NINE + 3 * SECOND, id=id_), **more(asked))


def no(asked: LineRequest, code: str) -> LineRequest:
    return request(asked.user, asked.kind, LineAnswer(NINE + 3 * SECOND, code=code), **more(asked))


def more(asked: LineRequest) -> dict[str, object]:
    return {"entry_id": asked.entry_id, "start": asked.start}


def test_what_was_asked_for_and_done_is_no_defect() -> None:
    joined, left = yes(JOIN, JOIN.command_id), yes(LEAVE, JOIN.command_id)
    assert judged([joined, left], [entry(left=True)]) == set()
    assert judged([joined, yes(OFFER, OFFER.command_id)], [entry()], [offer()]) == set()


@pytest.mark.parametrize("asked", [JOIN, LEAVE, OFFER], ids=lambda each: each.kind)
def test_what_was_acknowledged_is_in_the_record(asked: LineRequest) -> None:
    assert judged([yes(asked, "any")]) == {"an acknowledged change is not in the record"}


def test_what_was_done_was_not_refused() -> None:
    assert judged([no(JOIN, "in_the_past")], [entry()]) == {"a refused command was applied"}


@pytest.mark.parametrize(("refused_after", "defects"), [(0, set()), (10, {"a refused command was applied"})])
def test_a_refused_request_may_be_granted_when_it_is_repeated(refused_after: int, defects: set[str]) -> None:
    refused = LineAnswer(NINE + refused_after * SECOND, code="in_the_past")
    done = LineAnswer(NINE + 12 * SECOND, id=JOIN.command_id)
    left = request(CARL, "join", refused)
    left.abandoned = True
    for asked in (request(CARL, "join", refused, done), left):
        assert judged([asked], [entry()]) == defects


def test_what_nobody_asked_for_is_not_done() -> None:
    joined = yes(JOIN, JOIN.command_id)
    here = request(DESK, "leave", LineAnswer(NINE, code="not_found"))
    assert judged([joined], [entry(left=True)]) == {"the record has a change that no client requested"}
    assert judged([joined, here], [entry()], [offer()]) == {"the record has a change that no client requested"}


def test_every_request_is_decided_unless_its_caller_has_left() -> None:
    unanswered = request(CARL, "join", LineAnswer(NINE))
    assert judged([unanswered]) == {"a command was not decided"}
    unanswered.abandoned = True
    assert judged([unanswered]) == set()


def test_a_repetition_gets_the_same_entry() -> None:
    twice = yes(JOIN, JOIN.command_id)
    twice.answers.append(LineAnswer(NINE + 4 * SECOND, id="another"))
    assert "a command was acknowledged for two entries" in judged([twice], [entry()])


@pytest.mark.parametrize("code", ["already_waiting", "offer_open", "slot_taken"])
def test_a_refusal_has_a_true_reason(code: str) -> None:
    second = request(DESK, "offer", LineAnswer(NINE + 3 * SECOND, code=code), **{**more(OFFER), "entry_id": "another"})
    second.key = "another"
    assert judged([second]) == {f"the reason of a refusal was not true: {code}"}
    asked = [yes(JOIN, JOIN.command_id), yes(OFFER, OFFER.command_id), second]
    assert judged(asked, [entry()], [offer()]) == set()


def test_the_reason_of_a_refusal_is_true_also_when_the_patient_has_been_joined_since() -> None:
    history = History()
    refused = request(DESK, "offer", LineAnswer(NINE + 3 * SECOND, code="offer_open"), **more(OFFER))
    refused.key, refused.patient_id = "another", "without"
    history.on_line_request(refused)
    record = Record([offer()], [], NINE + 60 * SECOND, [entry()])
    wrong = {"the reason of a refusal was not true: offer_open"}
    assert found(line_requests.judged(history, record, Tolerance())) == wrong
    history.on_join("desk", "without", "carl", NINE + 5 * SECOND)
    assert found(line_requests.judged(history, record, Tolerance())) == set()


def test_a_refusal_has_a_known_code() -> None:
    assert judged([no(JOIN, "nonsense")]) == {"a refusal has no known reason code"}
