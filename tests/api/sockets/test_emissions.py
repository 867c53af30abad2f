"""Which sessions are sent which events, without a socket."""

from datetime import UTC, date, datetime, timedelta

import pytest

from api.people.directory import Directory
from api.people.names import Names
from api.sockets.emissions import Emission, emissions, nameless
from api.sockets.session import Disconnected, DoctorDay, Session, SessionRegistry
from hub.accounts.identity import Identity
from hub.accounts.person import person_of
from hub.bus.messages import AppointmentNotice
from hub.records.memory import MemoryUsers
from hub.scheduling.events import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentRescheduled,
    Event,
    PatientReminded,
    ReminderMissed,
)
from hub.scheduling.slots import SlotChange
from hub.scheduling.values import APPOINTMENT_DURATION, Actor, Role, Status
from hub.scheduling.views import AppointmentView
from tests.people import patient

DIRECTORY = Directory(MemoryUsers())
DIRECTORY.put(person_of(patient("carl", name="Carl Berg")))
NAMES = Names(DIRECTORY)
TEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
ELEVEN = TEN + timedelta(hours=1)
TODAY = DoctorDay(
    "ada", date(2026, 11, 23), datetime(2026, 11, 22, 23, tzinfo=UTC), datetime(2026, 11, 23, 23, tzinfo=UTC)
)
TOMORROW = DoctorDay(
    "ada", date(2026, 11, 24), datetime(2026, 11, 23, 23, tzinfo=UTC), datetime(2026, 11, 24, 23, tzinfo=UTC)
)


def header(seq: int) -> dict[str, object]:
    by = Actor(id="carl", role=Role.PATIENT, via="socket")
    return {"seq": seq, "prev": seq - 1, "at": TEN - timedelta(days=1), "by": by, "command_id": "c", "fingerprint": "f"}


def notice(event: Event, *slots: SlotChange) -> AppointmentNotice:
    """What is told of an event of Ada's with Carl."""
    appointment = AppointmentView(
        id="a1",
        doctor_id="ada",
        patient_id="carl",
        start=TEN,
        end=TEN + APPOINTMENT_DURATION,
        status=Status.SCHEDULED,
        version=1,
        reason="a cough",
        created_at=TEN - timedelta(days=1),
        visit=None,
        arrived_at=None,
        in_room_at=None,
        completed_at=None,
        offered_until=None,
    )
    return AppointmentNotice(doctor_id="ada", event=event, appointment=appointment, slots=slots)


def booked(seq: int, start: datetime = TEN) -> AppointmentNotice:
    event = AppointmentBooked.model_validate(
        {**header(seq), "doctor_id": "ada", "patient_id": "carl", "start": start, "reason": None}
    )
    return notice(event, SlotChange(start=start, available=False))


def cancelled(seq: int, start: datetime = TEN) -> AppointmentNotice:
    return notice(AppointmentCancelled.model_validate(header(seq)), SlotChange(start=start, available=True))


class FollowsAnybody:
    async def follow(self, _doctor_id: str) -> int:
        return 0

    def unfollow(self, _doctor_id: str) -> None:
        """Nothing to release."""


class Sessions(SessionRegistry):
    """A registry whose sessions have no websocket."""

    def __init__(self) -> None:
        super().__init__(FollowsAnybody())

    def connect(self, role: Role, user_id: str, *doctors: str) -> Session:
        """Return a new session that has joined, and is sent the appointments with these doctors."""
        identity = Identity(user_id, role, "log-in", TEN)
        session = Session(f"sid-{len(self)}", identity, None, None, connection=None, doctors=set(doctors))
        self.add(session)
        self.join(session)
        return session

    def watcher(self, day: DoctorDay, answered: int = 0) -> Session:
        """Return a session that watches a day, after its ack."""
        session = self.connect(Role.PATIENT, "dora")
        self.watch(session, day, answered)
        return session


@pytest.fixture
def sessions() -> Sessions:
    return Sessions()


def slots(sent: list[Emission]) -> list[tuple[tuple[Session, ...], object, object]]:
    return [(each.sessions, each.data["start"], each.data["available"]) for each in sent if each.event == "slot"]


def test_an_appointment_is_told_to_its_doctor_and_its_patient_and_to_nobody_else(sessions: Sessions) -> None:
    ada = sessions.connect(Role.DOCTOR, "ada")
    sessions.connect(Role.DOCTOR, "ben")
    carl = sessions.connect(Role.PATIENT, "carl", "ada")
    carl_at_home = sessions.connect(Role.PATIENT, "carl", "ada")
    sessions.connect(Role.PATIENT, "dora", "ada")

    to_staff, to_patient = emissions(sessions, NAMES, booked(7))

    assert to_staff.sessions == (ada,)
    assert set(to_patient.sessions) == {carl, carl_at_home}
    assert len(to_patient.sessions) == 2
    for emission in (to_staff, to_patient):
        assert emission.event == "appointment"
        assert emission.data.keys() == {"type", "appointment", "seq", "prev"}
        assert (emission.data["type"], emission.data["seq"], emission.data["prev"]) == ("booked", 7, 6)
    assert to_staff.data["appointment"]["patient"] == {"id": "carl", "name": "Carl Berg"}
    assert to_patient.data["appointment"]["doctor"] == {"id": "ada", "name": None}
    assert "doctor" not in to_staff.data["appointment"]
    assert "patient" not in to_patient.data["appointment"]


def test_a_name_is_asked_for_only_if_somebody_is_sent_it_and_it_is_not_known(sessions: Sessions) -> None:
    assert nameless(sessions, NAMES, booked(1)) == set()
    sessions.connect(Role.DOCTOR, "ada")
    assert nameless(sessions, NAMES, booked(1)) == set()  # Carl is known
    assert nameless(sessions, Names(Directory(MemoryUsers())), booked(1)) == {"carl"}
    sessions.connect(Role.PATIENT, "carl", "ada")
    assert nameless(sessions, NAMES, booked(1)) == {"ada"}


def test_a_doctor_and_a_patient_of_one_id_are_two_people(sessions: Sessions) -> None:
    sessions.connect(Role.DOCTOR, "carl")
    sessions.connect(Role.PATIENT, "ada", "ada")
    assert emissions(sessions, NAMES, booked(1)) == []


def test_a_patient_is_told_nothing_of_a_doctor_before_the_catch_up_with_the_doctor(sessions: Sessions) -> None:
    carl = sessions.connect(Role.PATIENT, "carl", "ben")
    assert emissions(sessions, NAMES, booked(1)) == []
    carl.doctors.add("ada")
    assert len(emissions(sessions, NAMES, booked(2))) == 1


def test_a_session_in_admission_is_told_nothing(sessions: Sessions) -> None:
    sessions.add(Session("sid", Identity("ada", Role.DOCTOR, "log-in", TEN), None, None, connection=None))
    assert emissions(sessions, NAMES, booked(1)) == []


def test_a_missed_reminder_is_told_to_the_doctor_only_and_a_reminder_to_both(sessions: Sessions) -> None:
    ada = sessions.connect(Role.DOCTOR, "ada")
    carl = sessions.connect(Role.PATIENT, "carl", "ada")
    [missed] = emissions(sessions, NAMES, notice(ReminderMissed.model_validate(header(1))))
    reminded = emissions(sessions, NAMES, notice(PatientReminded.model_validate(header(2))))
    assert missed.sessions == (ada,)
    assert [each.sessions for each in reminded] == [(ada,), (carl,)]


def test_a_session_that_ended_is_told_nothing(sessions: Sessions) -> None:
    ada = sessions.connect(Role.DOCTOR, "ada")
    sessions.watch(ada, TODAY, 0)
    sessions.end(ada.sid)
    sessions.end("never connected")
    assert emissions(sessions, NAMES, booked(1)) == []
    assert ada.watches == {}


def test_a_session_that_ended_gets_into_no_index_again(sessions: Sessions) -> None:
    ada = sessions.connect(Role.DOCTOR, "ada")
    sessions.end(ada.sid)
    with pytest.raises(Disconnected):
        sessions.join(ada)
    with pytest.raises(Disconnected):
        sessions.watch(ada, TODAY, 0)
    assert emissions(sessions, NAMES, booked(1)) == []


def test_a_watcher_is_told_of_the_slot_and_never_by_whom(sessions: Sessions) -> None:
    dora = sessions.watcher(TODAY)
    [emission] = emissions(sessions, NAMES, booked(1))
    assert emission == Emission(
        (dora,), "slot", {"doctorId": "ada", "start": "2026-11-23T10:00:00Z", "available": False, "seq": 1}
    )


def test_a_watcher_is_told_of_the_watched_day_only(sessions: Sessions) -> None:
    today, tomorrow = sessions.watcher(TODAY), sessions.watcher(TOMORROW)
    last_night, midnight = TODAY.end - APPOINTMENT_DURATION, TODAY.end

    assert slots(emissions(sessions, NAMES, booked(1, last_night))) == [((today,), "2026-11-23T22:30:00Z", False)]
    assert slots(emissions(sessions, NAMES, booked(2, midnight))) == [((tomorrow,), "2026-11-23T23:00:00Z", False)]


def test_a_move_frees_one_slot_and_takes_another(sessions: Sessions) -> None:
    dora = sessions.watcher(TODAY)
    event = AppointmentRescheduled.model_validate({**header(1), "previous_start": TEN, "start": ELEVEN})
    moved = notice(event, SlotChange(start=TEN, available=True), SlotChange(start=ELEVEN, available=False))
    assert slots(emissions(sessions, NAMES, moved)) == [
        ((dora,), "2026-11-23T10:00:00Z", True),
        ((dora,), "2026-11-23T11:00:00Z", False),
    ]


def test_an_unwatched_day_is_told_no_more_and_the_other_one_still_is(sessions: Sessions) -> None:
    dora = sessions.watcher(TODAY)
    sessions.watch(dora, TOMORROW, 0)
    sessions.unwatch(dora, "ada", TODAY.date)
    sessions.unwatch(dora, "ada", TODAY.date)
    assert len(dora.watches) == 1
    assert emissions(sessions, NAMES, booked(1)) == []
    assert len(emissions(sessions, NAMES, booked(2, TOMORROW.begin))) == 1


def test_a_change_that_the_ack_holds_already_is_not_told_when_its_notice_comes_late(sessions: Sessions) -> None:
    sessions.watcher(TODAY, answered=6)
    assert emissions(sessions, NAMES, booked(5)) == []
    assert emissions(sessions, NAMES, cancelled(6)) == []
    assert len(emissions(sessions, NAMES, booked(7))) == 1


def test_a_second_watch_of_a_day_replaces_the_first(sessions: Sessions) -> None:
    dora = sessions.watcher(TODAY, answered=3)
    sessions.watch(dora, TODAY, 5)
    assert emissions(sessions, NAMES, booked(4)) == []
    assert slots(emissions(sessions, NAMES, cancelled(6))) == [((dora,), "2026-11-23T10:00:00Z", True)]
    assert len(dora.watches) == 1
    assert len(sessions.watches("ada")) == 1
