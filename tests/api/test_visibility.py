"""Who sees which appointments; a role that nobody thought of sees none."""

from datetime import timedelta
from time import monotonic
from typing import Any, cast

import orjson
import pytest

from api.http.access_log import AccessLog
from api.http.problems import Problem
from api.people.directory import Directory
from api.people.names import Names
from api.sockets.history import HistoryReader
from api.sockets.limits import Limits
from api.sockets.sync import Sync
from api.views.view_store import ViewStore
from api.visibility import visible_appointment, visible_to
from hub.accounts.identity import Identity
from hub.bus.feed import Feed
from hub.records.appointment_filter import NO_APPOINTMENTS, AppointmentFilter
from hub.records.memory import MemoryRecords
from hub.records.ports import Saved
from hub.scheduling.values import Role
from tests.contracts.histories import HALF_HOUR, NINE, Histories
from tests.people import doctor

UNKNOWN = [pytest.param(Role.SYSTEM, id="system"), pytest.param(cast("Role", "visitor"), id="visitor")]


def identity(role: Role, user_id: str) -> Identity:
    return Identity(user_id=user_id, role=role, session_id="session", expires_at=NINE + timedelta(days=1))


@pytest.fixture
async def records() -> MemoryRecords:
    """Dora's appointments with Pat and Paul, and one of Dick with Pat."""
    made, histories = MemoryRecords(), Histories()
    saved = [
        histories.book("dora", "pat", NINE, command="dora-pat"),
        histories.book("dora", "paul", NINE + HALF_HOUR, command="dora-paul"),
        histories.book("dick", "pat", NINE + 2 * HALF_HOUR, command="dick-pat"),
    ]
    assert await made.appointments.save(saved) == Saved()
    assert await made.users.add([doctor("dora"), doctor("dick")]) is None
    return made


async def seen(records: MemoryRecords, role: Role, user_id: str) -> list[str]:
    """Return the appointments that a person sees, which has to be the same in a list, one by one and by `sync`."""
    page = await records.appointments.page(visible_to(role, user_id), 10)
    singly = []
    for appointment in await records.appointments.page(AppointmentFilter(), 10):
        try:
            singly.append(await visible_appointment(records.appointments, identity(role, user_id), appointment.id))
        except Problem as problem:
            assert problem.code == "not_found"  # noqa: PT017  # any number of them
    assert page == singly
    views = ViewStore(records, Feed(records, lambda _: None), lambda: NINE, monotonic, 1_000_000)
    access_log = AccessLog(records.access_log, lambda: NINE, days=1, secret="", every=1)
    names = Names(Directory(records.users))
    sync = Sync(views, HistoryReader(records, Limits()), names, access_log, lambda: NINE, Limits())
    snapshot = orjson.loads(orjson.dumps(await sync._read(identity(role, user_id), None)))
    assert [appointment["id"] for appointment in snapshot["appointments"]] == [each.id for each in page]
    return [f"{appointment.doctor_id}-{appointment.patient_id}" for appointment in page]


async def test_a_receptionist_sees_the_appointments_of_all_doctors(records: MemoryRecords) -> None:
    assert await seen(records, Role.RECEPTIONIST, "robin") == ["dora-pat", "dora-paul", "dick-pat"]


async def test_a_doctor_sees_the_own_calendar_and_a_patient_the_own_appointments(records: MemoryRecords) -> None:
    assert await seen(records, Role.DOCTOR, "dora") == ["dora-pat", "dora-paul"]
    assert await seen(records, Role.PATIENT, "pat") == ["dora-pat", "dick-pat"]
    assert await seen(records, Role.DOCTOR, "pat") == await seen(records, Role.PATIENT, "dora") == []


@pytest.mark.parametrize("role", UNKNOWN)
async def test_an_unknown_role_sees_nothing(records: MemoryRecords, role: Role) -> None:
    for user_id in ("dora", "pat", "anybody"):
        assert await seen(records, role, user_id) == []


@pytest.mark.parametrize("role", UNKNOWN)
@pytest.mark.parametrize(
    "wanted", [{}, {"doctor_id": "dora"}, {"patient_id": "pat"}, {"start_from": NINE}, {"start_to": NINE}]
)
def test_nothing_that_is_asked_for_widens_what_an_unknown_role_sees(role: Role, wanted: dict[str, Any]) -> None:
    assert AppointmentFilter(**wanted).within(visible_to(role, "dora")) == NO_APPOINTMENTS


def test_a_filter_within_another_passes_what_both_pass() -> None:
    own = visible_to(Role.DOCTOR, "dora")
    assert AppointmentFilter(patient_id="pat").within(own) == AppointmentFilter(doctor_id="dora", patient_id="pat")
    assert AppointmentFilter(doctor_id="dick").within(own) == NO_APPOINTMENTS
    morning = AppointmentFilter(start_from=NINE, start_to=NINE + 4 * HALF_HOUR)
    later = AppointmentFilter(start_from=NINE + HALF_HOUR, start_to=NINE + 8 * HALF_HOUR)
    both = AppointmentFilter(start_from=NINE + HALF_HOUR, start_to=NINE + 4 * HALF_HOUR)
    assert morning.within(later) == later.within(morning) == both
