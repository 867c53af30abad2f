"""The judge compares what doctors read with the record: an outdated answer, or an untrue one, is reported."""

from dataclasses import replace

from hub.ops.judge.reads import Read
from hub.scheduling.apply import as_of
from hub.scheduling.values import Status
from hub.scheduling.views import view
from tests.unit.judge_examples import ADA, ANN, BOB, ELEVEN, MAX, MONDAY, NINE, TEN, FaultlessClinic, found


def read_of(clinic: FaultlessClinic, position: int, known: int = 0, limit: int = 200) -> Read:
    """Return what Ada reads after the event `position`."""
    booked = [each for each in clinic.appointments if each.doctor_id == ADA.id and each.history[0].seq <= position]
    shown = sorted((view(as_of(each, position)) for each in booked), key=lambda each: each.start)
    return Read(ADA, clinic.now, MONDAY, limit, known, position, tuple(shown[:limit]))


def clinic() -> FaultlessClinic:
    """Return a clinic in which Ada has four events."""
    clinic = FaultlessClinic()
    first = clinic.book(ANN, ADA, TEN)
    clinic.book(BOB, ADA, ELEVEN)
    clinic.book(ANN, MAX, NINE)
    clinic.change(ADA, "confirm", first)
    clinic.change(ANN, "cancel", first)
    return clinic


def test_true_reads_of_any_position_break_no_promise() -> None:
    seen = clinic()
    for position in range(5):
        seen.history.on_read(read_of(seen, position, known=position))
        seen.history.on_read(read_of(seen, position, limit=1))
    assert [len(read.appointments) for read in seen.history.reads][::2] == [0, 1, 2, 2, 2]
    assert seen.judged() == []


def test_an_answer_from_before_a_known_position_is_reported() -> None:
    seen = clinic()
    seen.history.on_read(read_of(seen, 3, known=4))
    assert found(seen.judged()) == {"a read was answered from before a known position"}


def test_an_answer_that_lacks_an_event_up_to_its_position_is_reported() -> None:
    for lacking in (1, 2, 3):
        seen = clinic()
        seen.history.on_read(replace(read_of(seen, lacking), position=lacking + 1))
        assert found(seen.judged()) == {"a read was answered with other appointments than in the record"}


def test_an_answer_with_an_event_after_its_position_is_reported() -> None:
    seen = clinic()
    seen.history.on_read(replace(read_of(seen, 4), position=3))
    assert found(seen.judged()) == {"a read was answered with other appointments than in the record"}


def test_an_altered_appointment_and_one_of_another_doctor_are_reported() -> None:
    seen = clinic()
    true = read_of(seen, 4)
    altered = true.appointments[1].model_copy(update={"status": Status.COMPLETED})
    (of_max,) = [view(each) for each in seen.appointments if each.doctor_id == MAX.id]
    for shown in ((true.appointments[0], altered), (of_max, *true.appointments)):
        untrue = clinic()
        untrue.history.on_read(replace(true, appointments=shown))
        assert found(untrue.judged()) == {"a read was answered with other appointments than in the record"}
