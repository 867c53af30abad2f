"""The seed: realistic data, the same for the same day, and only in a database without users."""

import json
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
import pytest

from api.commands.hours import HoursRequest, TimeOffRequest
from hub.accounts.account import Account
from hub.accounts.passwords import verify_password
from hub.ops.judge.consistency import numbering, overlaps_of_patients, states
from hub.ops.judge.reading import read_record
from hub.ops.judge.tolerance import Tolerance
from hub.ops.judge.unoffered import unoffered
from hub.ops.judge.waitlist import lapses, offers, rules
from hub.ops.seeding.clinic import Version
from hub.ops.seeding.history import History, history
from hub.ops.seeding.people import doctors, patients, receptionists, registered_patients
from hub.ops.seeding.seed import NotSeeded, SeedReport, seed
from hub.records.appointment_filter import AppointmentFilter
from hub.records.memory import MemoryRecords
from hub.safety import is_local
from hub.scheduling.apply import apply_all
from hub.scheduling.appointment import Appointment
from hub.scheduling.events import SlotOffered
from hub.scheduling.line import OfferPolicy
from hub.scheduling.recorded_event import RecordedEvent
from hub.scheduling.slots import slots_of
from hub.scheduling.values import APPOINTMENT_DURATION, Role, Status, Visit
from tests.people import patient

NOW = datetime(2026, 11, 23, 10, 4, 5, tzinfo=UTC)
"""A Monday morning in London, an afternoon in Kolkata."""
MIDNIGHT = NOW.replace(hour=0, minute=0, second=0)
EVERYTHING = 100_000


class Seeded:
    """A seeded store with its data."""

    def __init__(self, records: MemoryRecords, report: SeedReport, steps: list[tuple[int, int]], path: Path) -> None:
        self.records, self.report, self.steps, self.path = records, report, steps, path
        self.appointments: list[Appointment] = []
        self.doctors: list[Account] = []

    async def read(self) -> "Seeded":
        self.appointments = await self.records.appointments.page(AppointmentFilter(), EVERYTHING)
        self.doctors = await self.records.users.doctors()
        return self

    async def events_of(self, doctor: Account) -> list[RecordedEvent]:
        return await self.records.appointments.events_after(doctor.id, after=0, limit=EVERYTHING)


@pytest.fixture(scope="module")
async def seeded(tmp_path_factory: pytest.TempPathFactory) -> Seeded:
    records, steps = MemoryRecords(), []
    path = tmp_path_factory.mktemp("seed") / "below" / "report.json"
    report = await seed(records, NOW, lambda *step: steps.append(step), path)
    assert isinstance(report, SeedReport)
    return await Seeded(records, report, steps, path).read()


def test_the_hours_and_the_time_off_of_the_seed_are_what_a_doctor_may_enter() -> None:
    for doctor in doctors(NOW.date()):
        assert doctor.schedule
        shifts = doctor.schedule.shifts
        assert HoursRequest(shifts=shifts).shifts == shifts
        for off in doctor.schedule.time_off:
            assert TimeOffRequest.model_validate_json(off.model_dump_json(exclude={"id"})).end == off.end
            assert doctor.schedule.on_grid(off.start)
            assert doctor.schedule.on_grid(off.end)


async def test_there_are_ten_doctors_many_patients_and_weeks_of_appointments(seeded: Seeded) -> None:
    assert await seeded.records.users.count(Role.DOCTOR) == seeded.report.doctors == 10
    assert await seeded.records.users.count(Role.PATIENT) == seeded.report.patients + 6
    assert seeded.report.patients >= 100
    assert len(seeded.appointments) == seeded.report.appointments >= 500


async def test_there_are_past_and_future_appointments_of_every_status(seeded: Seeded) -> None:
    past = [each for each in seeded.appointments if each.start < NOW]
    future = [each for each in seeded.appointments if each.start >= NOW]
    over = {each.status for each in past if each.end < NOW - APPOINTMENT_DURATION}
    assert over == {Status.COMPLETED, Status.CANCELLED, Status.NO_SHOW, Status.LAPSED}
    assert {each.status for each in future} >= {Status.SCHEDULED, Status.CONFIRMED, Status.CANCELLED, Status.OFFERED}
    assert min(len(past), len(future)) > 200
    types = {event.type for each in seeded.appointments for event in each.history}
    assert types >= {"booked", "confirmed", "cancelled", "completed", "no_show", "rescheduled", "reminded"}
    assert types >= {"checked_in", "called_in", "offered", "accepted", "declined", "lapsed"}
    assert any([e.type for e in each.history][-2:] == ["no_show", "completed"] for each in past), "nobody came late"


async def test_every_appointment_matches_its_history(seeded: Seeded) -> None:
    assert all(apply_all(None, each.history) == each for each in seeded.appointments)


async def test_each_doctors_events_are_numbered_without_gaps_in_order_of_time(seeded: Seeded) -> None:
    for doctor in seeded.doctors:
        events = [each.event for each in await seeded.events_of(doctor)]
        assert [(event.prev, event.seq) for event in events] == list(enumerate(range(1, len(events) + 1)))
        assert all(earlier.at <= later.at for earlier, later in pairwise(events))
        assert all(event.at <= NOW and event.by.via == "seed" for event in events)


async def test_no_appointments_of_a_user_overlap(seeded: Seeded) -> None:
    held = defaultdict(list)
    for appointment in seeded.appointments:  # in order of start
        if appointment.status not in {Status.CANCELLED, Status.LAPSED}:
            held[appointment.doctor_id].append(appointment.start)
            held[appointment.patient_id].append(appointment.start)
    assert all(
        later - earlier >= APPOINTMENT_DURATION for starts in held.values() for earlier, later in pairwise(starts)
    )


async def test_every_appointment_is_within_the_doctors_hours(seeded: Seeded) -> None:
    calendars = {doctor.id: doctor.schedule for doctor in seeded.doctors}
    assert all(calendars[each.doctor_id].works_at(each.start) for each in seeded.appointments)


async def test_all_pending_deadlines_are_in_the_future(seeded: Seeded) -> None:
    """A running hub must not send reminders or mark no-shows for old appointments after the seed."""
    due = [each.due for each in seeded.appointments if each.due]
    assert due
    assert min(due) >= NOW
    begun = [each for each in seeded.appointments if each.active and each.start <= NOW - timedelta(minutes=15)]
    assert all(each.visit for each in begun)


async def test_a_day_is_in_progress(seeded: Seeded) -> None:
    now = [each for each in seeded.appointments if each.active and each.visit]
    assert {each.visit for each in now} == {Visit.ARRIVED, Visit.IN_ROOM}
    assert all(abs(each.start - NOW) < timedelta(hours=1) for each in now)
    by = {event.by.role for each in seeded.appointments for event in each.history if event.type == "checked_in"}
    assert by == {Role.RECEPTIONIST}


async def test_a_few_patients_have_no_log_in_and_the_desk_acts_for_them(seeded: Seeded) -> None:
    registered = {person.id: person for person in registered_patients(NOW.date())}
    accounts = await seeded.records.users.by_ids(registered)
    assert len(accounts) == seeded.report.registered_patients == 6
    assert not any(account.has_log_in for account in accounts.values())
    assert len({account.phone for account in accounts.values()}) < 5, "nobody shares a phone, or is without one"
    theirs = [each for each in seeded.appointments if each.patient_id in registered]
    assert theirs
    assert Role.PATIENT not in {event.by.role for each in theirs for event in each.history}


async def test_every_doctor_has_free_slots_in_the_next_week(seeded: Seeded) -> None:
    for doctor in seeded.doctors:
        taken = {each.start for each in seeded.appointments if each.holds_slot and each.doctor_id == doctor.id}
        week = [
            slot.available
            for away in range(1, 8)
            for slot in slots_of(doctor.schedule, NOW.date() + timedelta(days=away), taken, NOW)
        ]
        assert 0.4 < sum(week) / len(week) < 1, doctor.name


async def test_the_first_patient_is_offered_a_slot_of_a_full_day_and_others_wait_for_it(seeded: Seeded) -> None:
    first, doctor = patients(NOW.date())[0], seeded.doctors[0]
    (offer,) = [each for each in seeded.appointments if each.patient_id == first.id and each.offered_until]
    assert (offer.doctor_id, offer.offered_until) == (doctor.id, NOW + timedelta(minutes=30))
    assert seeded.report.offered_to
    assert (seeded.report.offered_to.email, seeded.report.offered_until) == (first.email, offer.offered_until)
    day = doctor.schedule.day_of(offer.start)
    taken = {each.start for each in seeded.appointments if each.holds_slot and each.doctor_id == doctor.id}
    assert taken >= set(doctor.schedule.starts_of(day))
    line = await seeded.records.waitlist.line(doctor.id)
    wishes = [entry for entry in line if entry.wish.first_day == entry.wish.last_day == day]
    assert wishes[0].patient_id == first.id
    assert len({entry.patient_id for entry in wishes}) == len(wishes) == 4


async def test_the_judge_finds_nothing_wrong_with_the_waitlists(seeded: Seeded) -> None:
    """So the seed's offers are those that an actor would have made, and as soon as it would have made them."""
    record = await read_record(seeded.records, lambda: NOW)
    assert len([each for each in seeded.appointments if each.entry_id]) > 3
    exact = timedelta(0)
    found = [*offers(record, exact), *rules(record, OfferPolicy(), NOW - timedelta(days=60))]
    found += [*lapses(record, exact, NOW - timedelta(days=60))]
    found += unoffered(record, Tolerance(writing=exact), NOW - timedelta(hours=1))
    found += [*overlaps_of_patients(record, exact), *numbering(record), *states(record)]
    assert not found


@pytest.mark.parametrize(
    ("day", "hour"),
    [(date(2026, 7, 3), 0.01), (date(2026, 7, 3), 20.5), (date(2026, 12, 31), 12), (date(2026, 12, 31), 23.99)],
    ids=str,
)
def test_there_is_an_open_offer_at_any_hour(day: date, hour: float) -> None:
    cancelled, offer, *more = history_of(day, hour).latest
    assert not more
    assert isinstance(cancelled, Appointment)
    assert isinstance(offer, Appointment)
    assert (cancelled.status, offer.status) == (Status.CANCELLED, Status.OFFERED)
    assert offer.patient_id == patients(day)[0].id
    assert offer.offered_until == at(day, hour) + timedelta(minutes=30)
    event = offer.history[0]
    assert isinstance(event, SlotOffered)
    hours = doctors(day)[0].schedule
    assert hours
    assert event.out_of_turn is not OfferPolicy().may_text(hours, event.at)


async def test_doctors_work_in_many_time_zones_and_their_schedules_have_their_ids(seeded: Seeded) -> None:
    assert len({doctor.schedule.zone for doctor in seeded.doctors}) == 10
    offsets = {ZoneInfo(doctor.schedule.zone).utcoffset(NOW) % timedelta(hours=1) for doctor in seeded.doctors}
    assert offsets == {timedelta(0), timedelta(minutes=30), timedelta(minutes=45)}
    assert all(doctor.schedule.id == doctor.id and doctor.specialty for doctor in seeded.doctors)
    assert sum(bool(doctor.schedule.time_off) for doctor in seeded.doctors) >= 3


async def test_all_log_ins_in_the_report_work(seeded: Seeded) -> None:
    first, last = seeded.report.log_ins[0], seeded.report.log_ins[-1]
    assert (first.email, first.password) == ("doctor1@clinic.test", "Doctor#1")
    assert (last.email, last.password) == (
        f"patient{seeded.report.patients}@clinic.test",
        f"Patient#{seeded.report.patients}",
    )
    desk = seeded.report.log_ins[seeded.report.doctors]
    assert (desk.role, desk.email, desk.password) == ("receptionist", "desk1@clinic.test", "Desk#1")
    for log_in in (first, last, desk):
        account = await seeded.records.users.by_email(log_in.email)
        assert await verify_password(log_in.password, account.password_hash)
        assert (account.role, account.name) == (log_in.role, log_in.name)


async def test_the_report_is_written_with_counts_and_log_ins(seeded: Seeded) -> None:
    written = read(seeded.path)
    assert written == seeded.report.model_dump(mode="json", by_alias=True)
    assert sum(written["byStatus"].values()) == written["appointments"]
    assert len(written["logIns"]) == written["doctors"] + written["receptionists"] + written["patients"]


async def test_progress_is_reported_up_to_the_total(seeded: Seeded) -> None:
    done = [step for step, _ in seeded.steps]
    assert done == sorted(done)
    report = seeded.report
    total = report.doctors + report.receptionists + report.patients + report.events
    assert seeded.steps[-1] == (total, total)


async def test_a_second_seed_changes_nothing_and_says_so(seeded: Seeded, tmp_path: Path) -> None:
    again = await seed(seeded.records, NOW + timedelta(days=1), report_path=tmp_path / "report.json")
    assert isinstance(again, NotSeeded)
    assert "nothing was changed" in again.reason
    assert is_empty(tmp_path)
    assert await seeded.records.appointments.page(AppointmentFilter(), EVERYTHING) == seeded.appointments


async def test_a_database_with_one_user_is_not_seeded() -> None:
    records = MemoryRecords()
    await records.users.add([somebody()])
    assert isinstance(await seed(records, NOW), NotSeeded)
    assert await records.users.count() == 1
    assert not await records.appointments.page(AppointmentFilter(), EVERYTHING)


async def test_an_interrupted_seed_is_completed_by_the_next(seeded: Seeded) -> None:
    records = MemoryRecords()
    versions = clinic_of(NOW.date(), 8)
    await records.appointments.save(versions[: len(versions) // 2])
    assert await seed(records, NOW) == seeded.report
    assert await records.appointments.page(AppointmentFilter(), EVERYTHING) == seeded.appointments


async def test_a_database_with_the_appointments_of_another_day_is_not_changed() -> None:
    records = MemoryRecords()
    await records.appointments.save(clinic_of(NOW.date() - timedelta(days=1))[:50])
    before = await records.appointments.page(AppointmentFilter(), EVERYTHING)
    assert isinstance(await seed(records, NOW), NotSeeded)
    assert await records.users.count() == 0
    assert await records.appointments.page(AppointmentFilter(), EVERYTHING) == before


async def test_a_later_hour_of_the_day_gives_the_same_clinic_with_more_events(seeded: Seeded) -> None:
    records = MemoryRecords()
    early = await seed(records, MIDNIGHT + timedelta(hours=3))
    assert isinstance(early, SeedReport)
    assert early.events < seeded.report.events
    later = {each.id: each for each in seeded.appointments}
    for appointment in await records.appointments.page(AppointmentFilter(), EVERYTHING):
        before = tuple(event for event in appointment.history if event.at < MIDNIGHT + timedelta(hours=3))
        assert not before or later[appointment.id].history[: len(before)] == before
    other = [doctor.model_copy(update={"password_hash": ""}) for doctor in await records.users.doctors()]
    assert other == [doctor.model_copy(update={"password_hash": ""}) for doctor in seeded.doctors]


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25), date(2028, 2, 29)], ids=str)
def test_any_day_and_hour_gives_a_clinic(day: date) -> None:
    """On the first two days, clocks change in Europe."""
    last = clinic_of(day, 23.999)
    assert len(latest_of(last)) >= 500
    assert clinic_of(day, 1.5) == until(last, at(day, 1.5))
    for hour in (0, 0.001, 1, 2, 12, 23.99):
        now = at(day, hour)
        latest = latest_of(until(last, now))
        assert all(each.due >= now for each in latest if each.due)
        assert all(each.visit for each in latest if each.active and each.start < now - timedelta(minutes=15))


def test_midnight_gives_another_clinic() -> None:
    today, tomorrow = date(2026, 12, 31), date(2027, 1, 1)
    versions = clinic_of(tomorrow, 0.001)
    assert len(latest_of(versions)) >= 500
    assert versions != clinic_of(today, 23.999)


def test_on_working_days_patients_wait_and_are_seen_most_of_the_time() -> None:
    day = date(2026, 12, 3)
    last = clinic_of(day, 23.999)
    times = [at(day, hour + minutes / 60) for hour in range(24) for minutes in (10, 25, 40)]
    visits = [{each.visit for each in latest_of(until(last, now)) if each.active} for now in times]
    for step in Visit:
        assert sum(step in seen for seen in visits) > len(times) / 2, step


def test_phone_numbers_are_valid_unique_and_fictional() -> None:
    phones = [person.phone for person in [*doctors(NOW.date()), *patients(NOW.date())]]
    assert len(set(phones)) == len(phones)
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(phone)) for phone in phones)
    assert all(phone.startswith("+1") and phone[5:10] == "55501" for phone in phones), "not kept for fiction"


def test_names_and_addresses_are_unique() -> None:
    people = [*doctors(NOW.date()), *patients(NOW.date())]
    for field in ("id", "name", "email"):
        assert len({getattr(person, field) for person in people}) == len(people)


LOCAL = [
    "mongodb://localhost:27017/clinic",
    "mongodb://127.0.0.1",
    "mongodb://user:p%40ss@127.0.0.1:40001/?directConnection=true",
    "mongodb://[::1]:27017",
    "mongodb://localhost:1,127.0.0.2:2/clinic?replicaSet=rs0",
    "mongodb://%2Ftmp%2Fmongodb-27017.sock",
]
REMOTE = [
    "mongodb://db.example.org/clinic",
    "mongodb+srv://localhost/clinic",
    "mongodb://127.0.0.1,10.0.0.5:27017/clinic",
    "mongodb://localhost@db.example.org",
    "mongodb://0.0.0.0:27017",
    "mongodb://localhost.example.org",
    "mongodb://10.0.0.5/?host=localhost",
    "",
]


@pytest.mark.parametrize(("url", "local"), [*((url, True) for url in LOCAL), *((url, False) for url in REMOTE)])
def test_only_a_database_on_this_machine_is_local(url: str, *, local: bool) -> None:
    assert is_local(url) is local


def read(report: Path) -> dict[str, Any]:
    return json.loads(report.read_text(encoding="utf-8"))


def is_empty(folder: Path) -> bool:
    return not any(folder.iterdir())


def clinic_of(day: date, hour: float = 12) -> list[Version]:
    return history_of(day, hour).versions


def history_of(day: date, hour: float) -> History:
    people = (doctors(day), patients(day), registered_patients(day), receptionists(day))
    ids = [[person.id for person in group] for group in people]
    _, patient_ids, registered_ids, desk_ids = ids
    return history([d.schedule for d in doctors(day)], patient_ids, registered_ids, desk_ids, at(day, hour))


def until(versions: list[Version], now: datetime) -> list[Version]:
    return [each for each in versions if each.last.at < now]


def at(day: date, hour: float) -> datetime:
    return datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=hour)


def latest_of(versions: list[Version]) -> list[Appointment]:
    return list({each.id: each for each in versions if isinstance(each, Appointment)}.values())


def somebody() -> Account:
    return patient("ann", name="Ann", email="ann@example.org", phone="+12025550199")
