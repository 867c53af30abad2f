"""The judge compares dashboards with the record: each missing, duplicate or altered event is reported."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from hub.client.commands import User
from hub.client.wire import AppointmentEvent, SlotEvent
from hub.ops.judge.dashboard import Dashboard
from hub.scheduling.apply import apply_all
from hub.scheduling.events import ReminderMissed
from tests.unit.judge_examples import ADA, ANN, BOB, ELEVEN, MAX, NINE, TEN, FaultlessClinic, altered, found


def _busy_clinic() -> FaultlessClinic:
    clinic = FaultlessClinic()
    first = clinic.book(ANN, ADA, TEN)
    clinic.book(BOB, ADA, ELEVEN)
    clinic.change(ADA, "confirm", first)
    clinic.change(ANN, "cancel", first)
    clinic.book(ANN, MAX, NINE)
    return clinic


@pytest.mark.parametrize("user", [ADA, ANN])
@pytest.mark.parametrize("position", [0, 1, -1])
def test_an_event_that_was_not_sent_is_reported(user: User, position: int) -> None:
    clinic = _busy_clinic()
    del clinic.dashboards[user.id].periods[0].received[position]
    assert found(clinic.judged()) == {"an event was not sent"}


def test_a_dashboard_without_any_event_is_reported() -> None:
    clinic = _busy_clinic()
    clinic.dashboards[MAX.id].periods[0].received.clear()
    assert found(clinic.judged()) == {"an event was not sent"}


def test_an_event_sent_twice_is_reported() -> None:
    clinic = _busy_clinic()
    seen = clinic.dashboards[ADA.id].periods[0].received
    seen.append(seen[-1])
    assert found(clinic.judged()) == {"an event was sent twice"}


def test_events_sent_in_another_order_are_reported() -> None:
    clinic = _busy_clinic()
    seen = clinic.dashboards[ADA.id].periods[0].received
    seen[0], seen[1] = seen[1], seen[0]
    assert found(clinic.judged()) == {"an event was sent after a later one"}


def test_the_events_of_different_doctors_have_no_order() -> None:
    clinic = _busy_clinic()
    clinic.dashboards[ANN.id].periods[0].received.reverse()
    assert found(clinic.judged()) == {"an event was sent after a later one"}
    clinic.dashboards[ANN.id].periods[0].received.reverse()
    clinic.dashboards[ANN.id].periods[0].received.insert(0, clinic.dashboards[ANN.id].periods[0].received.pop())
    assert clinic.judged() == []


@pytest.mark.parametrize(
    "bend",
    [
        lambda event: {"type": "cancelled" if event.type == "booked" else "booked"},
        lambda event: {"prev": event.prev + 1},
        lambda event: {"appointment": event.appointment.model_copy(update={"start": NINE})},
    ],
)
def test_an_event_sent_with_other_content_is_reported(bend: Callable[[AppointmentEvent], dict[str, object]]) -> None:
    clinic = _busy_clinic()
    _alter(clinic.dashboards[BOB.id], 0, bend)
    assert found(clinic.judged()) == {"an event was sent with other content than in the record"}


def test_an_event_that_never_happened_is_reported() -> None:
    clinic = _busy_clinic()
    dashboard = clinic.dashboards[ADA.id]
    dashboard.on_event(dashboard.received[-1].event.model_copy(update={"seq": 99, "prev": 98}))
    assert "an event was sent that is not in the record" in found(clinic.judged())


def test_an_event_sent_to_another_user_is_reported() -> None:
    clinic = _busy_clinic()
    clinic.dashboards[BOB.id].periods[0].received.insert(0, clinic.dashboards[ADA.id].periods[0].received[0])
    assert found(clinic.judged()) == {"an event was sent to a client that may not see it"}


def test_a_missed_reminder_is_sent_only_to_the_doctor() -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, TEN)
    by = {"id": "hub", "role": "system", "via": "timer"}
    missed = ReminderMissed(seq=2, prev=1, at=clinic.now, by=by, command_id="late", fingerprint="0")
    told = altered(clinic.appointments, booked.appointment.id, lambda each: apply_all(None, [*each.history, missed]))
    assert [violation.case for violation in clinic.judged(told)] == ["doctor ada: doctor ada, seq 2"]


def test_events_during_a_lost_connection_are_not_required_but_all_between_received_ones_are() -> None:
    clinic = FaultlessClinic()
    dashboard = clinic.dashboards[ADA.id]
    first = clinic.book(ANN, ADA, TEN)
    clinic.change(ADA, "confirm", first)
    clinic.book(BOB, ADA, ELEVEN)
    before = dashboard.periods[0].received.copy()
    dashboard.on_disconnected()
    clinic.now += timedelta(seconds=1)
    clinic.change(ANN, "cancel", first)
    dashboard.periods = dashboard.periods[:1]  # the client did not receive the events in between
    clinic.now += timedelta(seconds=1)
    dashboard.on_connected()
    clinic.now += timedelta(seconds=1)
    clinic.book(ANN, ADA, TEN)
    assert len(dashboard.periods) == 2
    assert clinic.judged() == []
    dashboard.periods[0].received = before[:2]  # the last one may have been in transit when the connection ended
    assert clinic.judged() == []
    dashboard.periods[0].received = [before[0], before[2]]
    assert found(clinic.judged()) == {"an event was not sent"}
    dashboard.periods[0].received = before
    dashboard.periods[1].received.clear()
    assert found(clinic.judged()) == {"an event was not sent"}


@pytest.mark.parametrize(("start", "available"), [(TEN, True), (NINE, False)])
def test_a_watched_slot_shown_wrongly_is_reported(start: object, *, available: bool) -> None:
    clinic = FaultlessClinic()
    clinic.book(BOB, ADA, TEN)
    assert clinic.judged() == []
    clinic.dashboards[ANN.id].on_slot(SlotEvent(doctor_id=ADA.id, start=start, available=available))
    assert found(clinic.judged()) == {"a watched slot is shown wrongly"}


def test_slots_that_have_begun_and_disconnected_clients_are_ignored() -> None:
    clinic = FaultlessClinic()
    clinic.dashboards[ANN.id].on_slot(SlotEvent(doctor_id=ADA.id, start=NINE, available=False))
    clinic.now = NINE
    assert clinic.judged() == []
    clinic.now = NINE - timedelta(hours=1)
    assert found(clinic.judged()) == {"a watched slot is shown wrongly"}
    clinic.dashboards[ANN.id].on_disconnected()
    assert clinic.judged() == []


def test_a_dashboard_knows_the_version_of_an_appointment_it_received() -> None:
    clinic = _busy_clinic()
    cancelled = next(each for each in clinic.appointments if each.version == 3)
    assert clinic.dashboards[ANN.id].has(cancelled.id, 3)
    assert not clinic.dashboards[ANN.id].has(cancelled.id, 4)
    assert not clinic.dashboards[BOB.id].has(cancelled.id, 1)


def _alter(dashboard: Dashboard, position: int, bend: Callable[[AppointmentEvent], dict[str, object]]) -> None:
    seen = dashboard.periods[0].received[position]
    event = seen.event.model_copy(update=bend(seen.event))
    dashboard.periods[0].received[position] = type(seen)(event, seen.at)
