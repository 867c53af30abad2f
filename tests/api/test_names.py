"""The names in appointments: staff see the patient's, a patient the doctor's, as the accounts are now."""

import json
from typing import Any

from hub.accounts.account import Account
from hub.client.appointment import PersonName, unnamed
from hub.client.clinic import clinic_at
from hub.client.member import Member
from hub.clock import system_clock
from hub.records.errors import StoreUnavailable
from hub.records.memory import MemoryUsers
from hub.scheduling.views import view
from tests.api.rest_clinic import PASSWORD, RestClinic, opening

A = "/api/v1/appointments"
CARL, ADA = {"id": "patient-carl", "name": "Carl"}, {"id": "doctor-ada", "name": "Dr. Ada"}


async def names(clinic: RestClinic, who: str, path: str = A) -> list[Any]:
    """Return what the appointments of a list say of the patient and the doctor."""
    body = (await clinic.ask("GET", path, who)).body
    return [(each.get("patient"), each.get("doctor")) for each in (body if isinstance(body, list) else [body])]


async def test_each_sees_the_name_of_the_other(clinic: RestClinic) -> None:
    booked = await clinic.ask("POST", A, "carl", json={"doctorId": "doctor-ada", "start": opening(1).isoformat()})
    assert (booked.body["doctor"], "patient" in booked.body) == (ADA, False)
    path = f"{A}/{booked.body['id']}"
    for who in ("ada", "robin"):
        assert await names(clinic, who) == await names(clinic, who, path) == [(CARL, None)]
    assert await names(clinic, "carl") == await names(clinic, "carl", path) == [(None, ADA)]
    confirmed = await clinic.ask("PATCH", f"{path}/confirm", "ada")
    assert (confirmed.body["patient"], "doctor" in confirmed.body) == (CARL, False)
    board = await clinic.ask("GET", "/api/v1/board", "robin", params={"date": "2026-11-24"})
    assert [each["patient"] for doctor in board.body["doctors"] for each in doctor["appointments"]] == [CARL]
    away = {"start": opening(1).isoformat(), "end": opening(2).isoformat()}
    off = await clinic.ask("POST", "/api/v1/doctors/me/time-off", "ada", json=away)
    assert [each["patient"] for each in off.body["outside"]] == [CARL]
    hours = await clinic.ask("GET", "/api/v1/doctors/me/hours", "ada")
    assert [each["patient"] for each in hours.body["outside"]] == [CARL]


async def test_who_is_renamed_has_the_new_name_everywhere(clinic: RestClinic) -> None:
    appointment = await clinic.book("carl", "ada", opening(1))
    board = {"date": "2026-11-24"}
    before = await clinic.ask("GET", "/api/v1/board", "robin", params=board)
    assert (await clinic.ask("GET", f"{A}/{appointment}", "ada")).body["patient"] == CARL
    await clinic.ask("PATCH", "/api/v1/users/me", "carl", json={"name": "Karl"})
    await clinic.ask("PATCH", "/api/v1/users/me", "ada", json={"name": "Dr. Ada Lund"})
    new = {"id": "patient-carl", "name": "Karl"}
    assert await names(clinic, "ada") == await names(clinic, "ada", f"{A}/{appointment}") == [(new, None)]
    assert await names(clinic, "carl") == [(None, {"id": "doctor-ada", "name": "Dr. Ada Lund"})]
    headers = {"If-None-Match": before.headers["ETag"]}
    after = await clinic.ask("GET", "/api/v1/board", "robin", params=board, headers=headers)
    assert [each["patient"] for doctor in after.body["doctors"] for each in doctor["appointments"]] == [new]


async def test_an_account_that_is_gone_has_no_name_and_breaks_nothing(clinic: RestClinic) -> None:
    appointment = await clinic.book("carl", "ada", opening(1))
    users: Any = clinic.services.records.users
    assert isinstance(users, MemoryUsers)
    del users._stored["patient-carl"]
    clinic.services.names._directory.__init__(users)
    gone = {"id": "patient-carl", "name": None}
    assert await names(clinic, "ada") == await names(clinic, "robin", f"{A}/{appointment}") == [(gone, None)]
    assert (await clinic.ask("PATCH", f"{A}/{appointment}/confirm", "ada")).body["patient"] == gone


async def test_while_the_accounts_cannot_be_read_a_new_patient_has_no_name(clinic: RestClinic) -> None:
    await clinic.book("carl", "ada", opening(1))
    users: Any = clinic.services.records.users
    real = users.by_ids

    async def away(_: object) -> dict[str, Account]:
        raise StoreUnavailable("away")

    clinic.services.names._directory.__init__(users)
    users.by_ids = away
    assert await names(clinic, "ada") == [({"id": "patient-carl", "name": None}, None)]
    users.by_ids = real
    assert await names(clinic, "ada") == [(CARL, None)]


async def test_names_are_neither_stored_nor_on_the_bus_nor_in_the_log(clinic: RestClinic, lines: list[Any]) -> None:
    await clinic.ask("PATCH", "/api/v1/users/me", "carl", json={"name": "Xaver Quist"})
    appointment = await clinic.book("carl", "ada", opening(1))
    assert (await names(clinic, "ada"))[0][0]["name"] == "Xaver Quist"
    stored = (await clinic.services.records.appointments.by_ids([appointment]))[appointment]
    told = [command.model_dump_json() for command in clinic.commands.asked]
    assert "Xaver" not in json.dumps([stored.model_dump_json(), *told, str(lines)])


async def test_the_python_client_has_the_names(clinic: RestClinic) -> None:
    carl, ada = PersonName(**CARL), PersonName(**ADA)
    appointment = await clinic.book("carl", "ada", opening(1))
    async with clinic_at(str(clinic.client.make_url("")), system_clock) as hub:
        desk = await hub.log_in("receptionist", "robin@clinic.test", PASSWORD)
        patient = await hub.log_in("patient", "carl@clinic.test", PASSWORD)
        assert isinstance(desk, Member)
        assert isinstance(patient, Member)
        [shown] = (await desk.board(opening(1).date(), ["doctor-ada"])).doctors[0].appointments
        confirmed = (await desk.commands.confirm(appointment)).appointment
        assert confirmed
        assert [shown.patient, confirmed.patient, (await desk.appointments())[0].patient] == [carl] * 3
        assert (await patient.appointment(appointment)).doctor == ada
        assert shown.doctor is None
        stored = (await clinic.services.records.appointments.by_ids([appointment]))[appointment]
        assert unnamed(confirmed) == view(stored)
