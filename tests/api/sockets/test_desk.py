"""A receptionist's client is sent the events of the appointments of all doctors, and none of the doctors' hours."""

from dataclasses import replace

from tests.api.rest_clinic import MONDAY_MORNING, opening
from tests.api.sockets.clinic import LIMITS, SocketClinic, open_sockets
from tests.api.sockets.raw import until
from tests.people import OFFICE_HOURS, doctor

TIME_OFF = {"start": opening(7).isoformat(), "end": opening(8).isoformat(), "note": "private"}


async def test_the_events_of_all_doctors_arrive_and_those_of_hours_do_not(clinic: SocketClinic) -> None:
    robin = await clinic.person("robin")
    booked = [
        await clinic.rest.book("carl", "ada", opening(1)),
        await clinic.rest.book("dora", "ben", opening(1)),
    ]
    assert (await clinic.rest.ask("POST", "/api/v1/doctors/me/time-off", "ada", json=TIME_OFF)).status == 201
    await robin.settled()
    assert [event["appointment"]["id"] for event in robin.of("appointment")] == booked
    assert robin.of("calendar") == []


async def test_a_snapshot_and_a_resume_cover_all_doctors(clinic: SocketClinic) -> None:
    first = await clinic.rest.book("carl", "ada", opening(1))
    robin = await clinic.person("robin")
    snapshot = await robin.ask("sync")
    assert (snapshot["mode"], snapshot["position"]) == ("snapshot", {"doctor-ada": 1, "doctor-ben": 0})
    assert [appointment["id"] for appointment in snapshot["appointments"]] == [first]
    assert "calendar" not in snapshot

    second = await clinic.rest.book("dora", "ben", opening(1))
    assert (await clinic.rest.ask("POST", "/api/v1/doctors/me/time-off", "ada", json=TIME_OFF)).status == 201
    missed = await robin.ask("sync", {"since": snapshot["position"]})
    assert (missed["mode"], missed["position"]) == ("resume", {"doctor-ada": 2, "doctor-ben": 1})
    assert [event["appointment"]["id"] for event in missed["events"]] == [second]
    # A doctor who is new since the position: everything that happened there.
    newer = await robin.ask("sync", {"since": {"doctor-ada": 1}})
    assert [event["appointment"]["id"] for event in newer["events"]] == [second]


async def test_a_resume_from_very_far_behind_is_a_snapshot() -> None:
    async with open_sockets(replace(LIMITS, resume_events=1)) as clinic:
        robin = await clinic.person("robin")
        for number in range(2):
            await clinic.rest.book("carl", "ada", opening(1, number))
        answer = await robin.ask("sync", {"since": {"doctor-ada": 0, "doctor-ben": 0}})
        assert (answer["mode"], len(answer["appointments"])) == ("snapshot", 2)


async def test_a_doctor_who_joins_the_clinic_is_followed_too() -> None:
    async with open_sockets(replace(LIMITS, compare_every=0.05)) as clinic:
        robin = await clinic.person("robin")
        eve = doctor("doctor-eve", "Europe/Berlin", OFFICE_HOURS, created_at=MONDAY_MORNING)
        clinic.rest.people["eve"] = eve
        assert await clinic.records.users.add([eve]) is None
        first = await clinic.rest.book("carl", "eve", opening(1))
        await until(lambda: robin.of("appointment"))
        second = await clinic.rest.book("dora", "eve", opening(2))
        await until(lambda: len(robin.of("appointment")) == 2)
        assert [event["appointment"]["id"] for event in robin.of("appointment")] == [first, second]


async def test_nothing_is_left_of_a_receptionists_session(clinic: SocketClinic) -> None:
    robin = await clinic.person("robin")
    await robin.ask("sync")
    await robin.sio.disconnect()
    await until(lambda: not clinic.followed())
    clinic.nothing_is_left()
