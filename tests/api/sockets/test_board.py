"""`board`: a day of all doctors with a position of each, then every later change, once and in order."""

import asyncio
from typing import Any

from tests.api.rest_clinic import MONDAY_MORNING, opening
from tests.api.sockets.clinic import Person, SocketClinic
from tests.api.sockets.raw import until
from tests.people import OFFICE_HOURS, doctor

TUESDAY = "2026-11-24"


async def board_of(clinic: SocketClinic, person: Person, **more: Any) -> Any:
    """Return the board of Tuesday, which has to be the same as over REST for the receptionist."""
    ack = await person.ask("board", {"date": TUESDAY, **more})
    assert ack.pop("ok") is True
    if not more:
        assert ack == (await clinic.rest.ask("GET", "/api/v1/board", "robin", params={"date": TUESDAY})).body
    return ack


def after(board: Any, person: Person) -> list[tuple[str, int]]:
    """Return the doctor and the `seq` of each appointment event above the board's position."""
    events = [(event["appointment"]["doctorId"], event["seq"]) for event in person.of("appointment")]
    return [(doctor_id, seq) for doctor_id, seq in events if seq > board["position"].get(doctor_id, 0)]


async def test_the_events_after_the_board_come_in_order_and_the_slots_of_its_day_with_them(
    clinic: SocketClinic,
) -> None:
    first = await clinic.rest.book("carl", "ada", opening(1))
    robin = await clinic.person("robin")
    board = await board_of(clinic, robin)
    assert board["position"] == {"doctor-ada": 1, "doctor-ben": 0}
    assert [each["id"] for each in board["doctors"][0]["appointments"]] == [first]

    await clinic.rest.book("dora", "ben", opening(1))
    await clinic.rest.book("dora", "ben", opening(2))
    await clinic.rest.ask("PATCH", f"/api/v1/appointments/{first}/cancel", "carl")
    time_off = {"start": opening(1, 2).isoformat(), "end": opening(1, 3).isoformat()}
    assert (await clinic.rest.ask("POST", "/api/v1/doctors/me/time-off", "ada", json=time_off)).status == 201
    await robin.settled()

    assert after(board, robin) == [("doctor-ben", 1), ("doctor-ben", 2), ("doctor-ada", 2)]
    assert [(each["doctorId"], each["start"], each["available"]) for each in robin.of("slot")] == [
        ("doctor-ben", "2026-11-24T08:00:00Z", False),
        ("doctor-ada", "2026-11-24T08:00:00Z", True),
        ("doctor-ada", "2026-11-24T09:00:00Z", False),  # Ada's time off, of which the desk is told nothing else
    ]


async def test_a_board_equals_a_later_board_once_the_events_between_are_applied(clinic: SocketClinic) -> None:
    robin = await clinic.person("robin")

    async def book(number: int) -> None:
        who, whose = ("carl", "ada") if number % 2 else ("dora", "ben")
        await clinic.rest.book(who, whose, opening(1, number))

    booking = [asyncio.create_task(book(number)) for number in range(12)]
    await until(lambda: len(clinic.commands.asked) > 3)
    board = await board_of(clinic, robin, doctorId=["doctor-ada", "doctor-ben"])
    await asyncio.gather(*booking)
    await robin.settled()
    known = {each["id"]: each for column in board["doctors"] for each in column["appointments"]}
    free = {(column["id"], slot["start"]): slot["available"] for column in board["doctors"] for slot in column["slots"]}
    for event in robin.of("appointment"):
        if event["seq"] > board["position"][event["appointment"]["doctorId"]]:
            known[event["appointment"]["id"]] = event["appointment"]
    for change in robin.of("slot"):
        free[change["doctorId"], change["start"]] = change["available"]
    later = await board_of(clinic, robin)
    assert known == {each["id"]: each for column in later["doctors"] for each in column["appointments"]}
    assert free == {
        (column["id"], slot["start"]): slot["available"] for column in later["doctors"] for slot in column["slots"]
    }


async def test_a_second_board_replaces_the_first_and_leaving_ends_it(clinic: SocketClinic) -> None:
    robin = await clinic.person("robin")
    await board_of(clinic, robin)
    assert (await robin.ask("board", {"date": "2026-11-25"}))["ok"]
    await clinic.rest.book("carl", "ada", opening(1))
    await clinic.rest.book("carl", "ada", opening(2))
    await robin.settled()
    assert [each["start"] for each in robin.of("slot")] == ["2026-11-25T08:00:00Z"]
    assert (await robin.ask("leave_board", {"date": TUESDAY}))["ok"]
    await clinic.rest.book("dora", "ada", opening(2, 1))
    assert (await robin.ask("leave_board", {"date": "2026-11-25"}))["ok"]
    await clinic.rest.book("dora", "ada", opening(2, 2))
    await robin.settled()
    assert [each["start"] for each in robin.of("slot")] == ["2026-11-25T08:00:00Z", "2026-11-25T08:30:00Z"]


async def test_a_day_on_the_board_that_is_watched_too_is_told_once(clinic: SocketClinic) -> None:
    robin = await clinic.person("robin")
    await board_of(clinic, robin)
    assert (await robin.ask("watch", {"doctorId": "doctor-ada", "date": TUESDAY}))["ok"]
    await clinic.rest.book("carl", "ada", opening(1))
    await robin.settled()
    assert len(robin.of("slot")) == 1
    assert (await robin.ask("unwatch", {"doctorId": "doctor-ada", "date": TUESDAY}))["ok"]
    await clinic.rest.book("dora", "ada", opening(1, 1))
    await robin.settled()
    assert len(robin.of("slot")) == 2


async def test_a_doctor_has_the_own_day_and_nobody_elses(clinic: SocketClinic) -> None:
    ben = await clinic.person("ben")
    assert [each["id"] for each in (await ben.ask("board", {"date": TUESDAY}))["doctors"]] == ["doctor-ben"]
    await clinic.rest.book("carl", "ada", opening(1))
    await ben.settled()
    assert ben.events == []
    assert await ben.refused("board", {"date": TUESDAY, "doctorId": ["doctor-ada"]}) == "forbidden"
    robin = await clinic.person("robin")
    assert await robin.refused("board", {"date": TUESDAY, "doctorId": ["nobody"]}) == "not_found"


async def test_a_doctor_who_joins_the_clinic_is_on_the_next_board_with_all_that_follows(clinic: SocketClinic) -> None:
    robin = await clinic.person("robin")
    eve = doctor("doctor-eve", "Europe/Berlin", OFFICE_HOURS, name="Dr. Eve", created_at=MONDAY_MORNING)
    clinic.rest.people["eve"] = eve
    assert await clinic.records.users.add([eve]) is None
    board = await board_of(clinic, robin, doctorId=["doctor-eve"])
    assert board["position"] == {"doctor-eve": 0}
    await clinic.rest.book("carl", "eve", opening(1))
    await clinic.rest.book("dora", "eve", opening(1, 1))
    await until(lambda: len(robin.of("appointment")) == 2)
    assert after(board, robin) == [("doctor-eve", 1), ("doctor-eve", 2)]
    assert len(robin.of("slot")) == 2


async def test_nothing_is_left_of_a_board_whose_client_is_gone(clinic: SocketClinic) -> None:
    robin = await clinic.person("robin")
    await board_of(clinic, robin)
    await robin.sio.disconnect()
    await until(lambda: not clinic.followed())
    clinic.nothing_is_left()
