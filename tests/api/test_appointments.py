import asyncio
from datetime import timedelta
from urllib.parse import quote

import pytest

from tests.api.conftest import OpenClinic
from tests.api.rest_clinic import Answer, RestClinic, make_services, opening

APPOINTMENTS = "/api/v1/appointments"


async def test_a_patient_books_a_slot(clinic: RestClinic) -> None:
    answer = await clinic.ask(
        "POST",
        APPOINTMENTS,
        "carl",
        json={"doctorId": "doctor-ada", "start": "2026-11-24T09:30:00+01:00", "reason": "a cough"},
    )
    assert answer.status == 201
    assert answer.headers["Location"] == f"{APPOINTMENTS}/{answer.body['id']}"
    assert answer.body | {"id": None} == {
        "id": None,
        "doctorId": "doctor-ada",
        "patientId": "patient-carl",
        "start": "2026-11-24T08:30:00Z",
        "end": "2026-11-24T09:00:00Z",
        "status": "scheduled",
        "version": 1,
        "reason": "a cough",
        "createdAt": "2026-11-23T08:00:00Z",
        "visit": None,
        "arrivedAt": None,
        "inRoomAt": None,
        "completedAt": None,
        "offeredUntil": None,
        "doctor": {"id": "doctor-ada", "name": "Dr. Ada"},
    }
    assert (await clinic.ask("GET", answer.headers["Location"], "carl")).body == answer.body


async def test_a_doctor_books_for_a_patient(clinic: RestClinic) -> None:
    booked = await clinic.book("ada", "ada", opening(1), patientId="patient-carl")
    assert (await clinic.ask("GET", f"{APPOINTMENTS}/{booked}", "carl")).status == 200


async def test_a_patient_may_name_herself(clinic: RestClinic) -> None:
    await clinic.book("dora", "ada", opening(1), patientId="patient-dora")


@pytest.mark.parametrize(
    ("who", "body", "status", "code"),
    [
        ("carl", {"doctorId": "doctor-ada", "patientId": "patient-dora"}, 403, "forbidden"),
        ("ada", {"doctorId": "doctor-ben", "patientId": "patient-carl"}, 403, "forbidden"),
        ("ada", {"doctorId": "doctor-ada"}, 422, "invalid_request"),
        ("ada", {"doctorId": "doctor-ada", "patientId": "patient-nobody"}, 422, "invalid_request"),
        ("ada", {"doctorId": "doctor-ada", "patientId": "doctor-ben"}, 422, "invalid_request"),
        ("carl", {"doctorId": "doctor-nobody"}, 404, "not_found"),
        ("carl", {"doctorId": "patient-dora"}, 404, "not_found"),
    ],
)
async def test_a_forbidden_booking_is_explained_and_sends_no_command(
    clinic: RestClinic, who: str, body: dict[str, str], status: int, code: str
) -> None:
    answer = await clinic.ask("POST", APPOINTMENTS, who, json={"start": opening(1).isoformat()} | body)
    assert (answer.status, answer.code) == (status, code)
    assert clinic.commands.asked == []
    if code == "invalid_request":
        assert [error["pointer"] for error in answer.body["errors"]] == ["/patientId"]


@pytest.mark.parametrize(
    ("start", "status", "code"),
    [
        ("2026-11-24T09:15:00Z", 422, "off_grid"),
        ("2026-11-24T09:30:00.001Z", 422, "off_grid"),
        ("2026-11-24T16:00:00Z", 422, "outside_hours"),
        ("2026-11-28T09:00:00Z", 422, "outside_hours"),
        ("2026-11-23T08:00:00Z", 422, "in_the_past"),
        ("2000-01-03T09:00:00Z", 422, "in_the_past"),
        ("2027-11-29T09:00:00Z", 422, "too_far_ahead"),
        ("2999-12-31T23:30:00Z", 422, "too_far_ahead"),
    ],
)
async def test_an_impossible_start_is_refused_with_its_reason(
    clinic: RestClinic, start: str, status: int, code: str
) -> None:
    answer = await clinic.ask("POST", APPOINTMENTS, "carl", json={"doctorId": "doctor-ada", "start": start})
    assert (answer.status, answer.code) == (status, code)


async def test_a_taken_slot_and_a_busy_patient_are_conflicts(clinic: RestClinic) -> None:
    await clinic.book("carl", "ada", opening(1))
    at_once = {"start": opening(1).isoformat()}
    taken = await clinic.ask("POST", APPOINTMENTS, "dora", json=at_once | {"doctorId": "doctor-ada"})
    busy = await clinic.ask("POST", APPOINTMENTS, "carl", json=at_once | {"doctorId": "doctor-ben"})
    assert (taken.status, taken.code) == (409, "slot_taken")
    assert (busy.status, busy.code) == (409, "patient_busy")


async def test_a_patient_at_the_limit_is_refused_and_the_clinic_is_not(open_for_test: OpenClinic) -> None:
    clinic = await open_for_test(await make_services(active_appointments_per_patient=2))
    booked = [await clinic.book("carl", doctor, opening(1, half_hours=at)) for at, doctor in enumerate(("ada", "ben"))]
    third = {"doctorId": "doctor-ada", "start": opening(2).isoformat()}
    answer = await clinic.ask("POST", APPOINTMENTS, "carl", json=third)
    assert (answer.status, answer.code) == (409, "too_many_appointments")
    await clinic.book("robin", "ada", opening(3), patientId="patient-carl")
    await clinic.ask("PATCH", f"{APPOINTMENTS}/{booked[0]}/cancel", "carl")
    assert (await clinic.ask("POST", APPOINTMENTS, "carl", json=third)).status == 201


async def test_a_command_has_its_actor_channel_and_expiry(clinic: RestClinic) -> None:
    booked = await clinic.book("carl", "ada", opening(1))
    await clinic.ask("PATCH", f"{APPOINTMENTS}/{booked}/confirm", "ada")
    booking, confirmation = clinic.commands.asked
    assert (booking.by.id, booking.by.role, booking.by.via) == ("patient-carl", "patient", "rest")
    assert (confirmation.by.id, confirmation.by.role, confirmation.doctor_id) == ("doctor-ada", "doctor", "doctor-ada")
    assert booking.expires == clinic.clock() + timedelta(seconds=15)


async def test_a_change_of_another_persons_appointment_sends_no_command(clinic: RestClinic) -> None:
    booked = await clinic.book("carl", "ada", opening(1))
    clinic.commands.asked.clear()
    for stranger in ("dora", "ben"):
        assert (await clinic.ask("PATCH", f"{APPOINTMENTS}/{booked}/cancel", stranger)).status == 404
    assert clinic.commands.asked == []


async def test_an_appointment_goes_its_way(clinic: RestClinic) -> None:
    booked = await clinic.book("carl", "ada", opening(0, half_hours=2))
    confirmed = await clinic.ask("PATCH", f"{APPOINTMENTS}/{booked}/confirm", "carl")
    early = await clinic.ask("PATCH", f"{APPOINTMENTS}/{booked}/complete", "ada")
    clinic.clock.forward(timedelta(minutes=65))
    completed = await clinic.ask("PATCH", f"{APPOINTMENTS}/{booked}/complete", "ada")
    late = await clinic.ask("PATCH", f"{APPOINTMENTS}/{booked}/cancel", "ada")
    assert (confirmed.status, confirmed.body["status"], confirmed.body["version"]) == (200, "confirmed", 2)
    assert (early.status, early.code) == (409, "too_early")
    assert (completed.status, completed.body["status"], completed.body["version"]) == (200, "completed", 3)
    assert (late.status, late.code) == (409, "wrong_status")


async def test_a_visit_goes_its_way(clinic: RestClinic) -> None:
    booked = await clinic.book("carl", "ada", opening(0, half_hours=2))
    steps = []
    for change in ("check-in", "call-in", "undo-visit", "call-in", "complete"):
        clinic.clock.forward(timedelta(minutes=10))
        answer = await clinic.ask("PATCH", f"{APPOINTMENTS}/{booked}/{change}", "ada")
        assert answer.status == 200
        steps.append((answer.body["visit"], answer.body["status"]))
    walked = ["arrived", "in_room", "arrived", "in_room"]
    assert steps == [*((visit, "scheduled") for visit in walked), ("in_room", "completed")]
    shown = (await clinic.ask("GET", f"{APPOINTMENTS}/{booked}", "carl")).body
    instants = {name: shown[name][11:16] for name in ("arrivedAt", "inRoomAt", "completedAt")}
    assert instants == {"arrivedAt": "08:10", "inRoomAt": "08:40", "completedAt": "08:50"}
    history = (await clinic.ask("GET", f"{APPOINTMENTS}/{booked}/history", "carl")).body
    kinds = ["booked", "checked_in", "called_in", "visit_undone", "called_in", "completed"]
    assert [event["type"] for event in history] == kinds


async def test_a_visit_out_of_order_or_on_another_day_is_a_conflict_and_changes_nothing(clinic: RestClinic) -> None:
    today = await clinic.book("carl", "ada", opening(0, half_hours=2))
    tomorrow = await clinic.book("carl", "ada", opening(1))
    cancelled = await clinic.book("dora", "ada", opening(0, half_hours=3))
    await clinic.ask("PATCH", f"{APPOINTMENTS}/{cancelled}/cancel", "dora")
    refusals = [
        (today, "call-in", "wrong_status"),
        (today, "undo-visit", "wrong_status"),
        (tomorrow, "check-in", "too_early"),
        (cancelled, "check-in", "wrong_status"),
    ]
    for appointment, change, code in refusals:
        answer = await clinic.ask("PATCH", f"{APPOINTMENTS}/{appointment}/{change}", "ada")
        assert (answer.status, answer.code) == (409, code)
    clinic.clock.forward(timedelta(days=1))
    over = await clinic.ask("PATCH", f"{APPOINTMENTS}/{today}/check-in", "ada")
    assert (over.status, over.code) == (422, "in_the_past")
    assert (await clinic.ask("GET", f"{APPOINTMENTS}/{today}", "ada")).body["version"] == 1


async def test_a_check_in_again_under_its_key_is_the_same_check_in(clinic: RestClinic) -> None:
    booked = await clinic.book("carl", "ada", opening(0, half_hours=2))
    path, key = f"{APPOINTMENTS}/{booked}/check-in", {"Idempotency-Key": "arrival"}
    first = await clinic.ask("PATCH", path, "ada", headers=key)
    again = await clinic.ask("PATCH", path, "ada", headers=key)
    assert (first.status, again.status, again.body) == (200, 200, first.body)
    assert (await clinic.ask("PATCH", path, "ada")).code == "wrong_status"


async def test_a_doctor_books_the_running_half_hour_and_a_patient_does_not(clinic: RestClinic) -> None:
    running = {"doctorId": "doctor-ada", "start": opening(0).isoformat()}
    clinic.clock.forward(opening(0) + timedelta(minutes=10) - clinic.clock())
    own = await clinic.ask("POST", APPOINTMENTS, "carl", json=running)
    assert (own.status, own.code) == (422, "in_the_past")
    walk_in = await clinic.ask("POST", APPOINTMENTS, "ada", json=running | {"patientId": "patient-carl"})
    assert walk_in.status == 201
    arrived = await clinic.ask("PATCH", f"{APPOINTMENTS}/{walk_in.body['id']}/check-in", "ada")
    assert arrived.body["visit"] == "arrived"


async def test_what_already_holds_is_a_conflict(clinic: RestClinic) -> None:
    booked = await clinic.book("carl", "ada", opening(1))
    path = f"{APPOINTMENTS}/{booked}/cancel"
    assert (await clinic.ask("PATCH", path, "carl")).body["status"] == "cancelled"
    assert (await clinic.ask("PATCH", path, "carl")).code == "wrong_status"


async def test_rescheduling_moves_the_same_appointment(clinic: RestClinic) -> None:
    booked = await clinic.book("carl", "ada", opening(1))
    answer = await clinic.ask(
        "PATCH", f"{APPOINTMENTS}/{booked}/reschedule", "carl", json={"start": opening(2).isoformat()}
    )
    assert (answer.body["id"], answer.body["start"]) == (booked, "2026-11-25T08:00:00Z")
    await clinic.book("dora", "ada", opening(1))


async def test_a_change_needs_no_body_and_minds_none(clinic: RestClinic) -> None:
    booked = await clinic.book("carl", "ada", opening(1))
    assert (await clinic.ask("PATCH", f"{APPOINTMENTS}/{booked}/confirm", "carl", data=b"{")).status == 200


async def listed(clinic: RestClinic, who: str, **query: object) -> list[str]:
    answer = await clinic.ask("GET", APPOINTMENTS, who, params=query)
    assert answer.status == 200, answer.body
    return [appointment["id"] for appointment in answer.body]


async def test_each_sees_the_own_appointments_by_start(clinic: RestClinic) -> None:
    late = await clinic.book("carl", "ada", opening(3))
    early = await clinic.book("carl", "ben", opening(1))
    others = await clinic.book("dora", "ada", opening(2))
    assert await listed(clinic, "carl") == [early, late]
    assert await listed(clinic, "dora") == [others]
    assert await listed(clinic, "ada") == [others, late]
    assert await listed(clinic, "ben") == [early]


async def test_a_list_is_narrowed_by_what_the_query_says(clinic: RestClinic) -> None:
    first = await clinic.book("carl", "ada", opening(1))
    second = await clinic.book("dora", "ada", opening(2))
    third = await clinic.book("carl", "ben", opening(3))
    await clinic.ask("PATCH", f"{APPOINTMENTS}/{second}/cancel", "dora")
    await clinic.ask("PATCH", f"{APPOINTMENTS}/{third}/confirm", "ben")
    assert await listed(clinic, "carl", doctorId="doctor-ben") == [third]
    assert await listed(clinic, "carl", patientId="patient-carl") == [first, third]
    assert await listed(clinic, "ada", patientId="patient-dora") == [second]
    assert await listed(clinic, "ada", doctorId="doctor-ada", status="scheduled") == [first]
    assert await listed(clinic, "ada", status="scheduled,cancelled") == [first, second]
    both = await clinic.ask("GET", f"{APPOINTMENTS}?status=scheduled&status=confirmed", "carl")
    assert [appointment["id"] for appointment in both.body] == [first, third]
    assert await listed(clinic, "ada", **{"from": "2026-11-25T08:00:00Z"}) == [second]
    assert await listed(clinic, "ada", to="2026-11-25T08:00:00Z") == [first]


@pytest.mark.parametrize(
    ("who", "query"),
    [
        ("carl", "patientId=patient-dora"),
        ("carl", "patientId=patient-dora&doctorId=patient-carl"),
        ("ada", "doctorId=doctor-ben"),
        ("ada", "doctorId=doctor-ben&patientId=doctor-ada"),
    ],
)
async def test_the_appointments_of_others_cannot_be_listed(clinic: RestClinic, who: str, query: str) -> None:
    assert (await clinic.ask("GET", f"{APPOINTMENTS}?{query}", who)).code == "forbidden"


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/limit"),
        ("limit=201", "/limit"),
        ("limit=ten", "/limit"),
        ("limit=5&limit=6", "/limit"),
        ("status=late", "/status/0"),
        ("status=", "/status/0"),
        ("status=scheduled,,confirmed", "/status/1"),
        ("from=2026-11-24T08:00:00", "/from"),
        ("from=2026-11-24", "/from"),
        ("from=1795478400", "/from"),
        ("to=soon", "/to"),
        ("doctorId=", "/doctorId"),
        ("doctorId[$ne]=x", "/doctorId[$ne]"),
        ("doctor_id=doctor-ada", "/doctor_id"),
        ("cursor=", "/cursor"),
        ("cursor=nonsense", "/cursor"),
        ("cursor=%ff%00", "/cursor"),
        ("cursor=" + "x" * 201, "/cursor"),
        ("cursor=WzEsMl0", "/cursor"),
        ("page=2", "/page"),
    ],
)
async def test_a_bad_parameter_is_named(clinic: RestClinic, query: str, pointer: str) -> None:
    answer = await clinic.ask("GET", f"{APPOINTMENTS}?{query}", "carl")
    assert (answer.status, answer.code) == (422, "invalid_request")
    assert [error["pointer"] for error in answer.body["errors"]] == [pointer]


async def test_a_range_that_ends_before_it_begins_is_refused_and_both_ends_are_named(clinic: RestClinic) -> None:
    query = {"from": "2026-11-25T08:00:00Z", "to": "2026-11-25T08:59:00+01:00"}
    answer = await clinic.ask("GET", APPOINTMENTS, "carl", params=query)
    assert (answer.status, answer.code) == (422, "invalid_request")
    assert [(error["pointer"], error["code"]) for error in answer.body["errors"]] == [
        ("/from", "range"),
        ("/to", "range"),
    ]
    assert await listed(clinic, "carl", **{"from": query["from"], "to": query["from"]}) == []


async def test_white_space_around_a_reason_is_removed_and_a_blank_one_is_refused(clinic: RestClinic) -> None:
    body = {"doctorId": "doctor-ada", "start": opening(1).isoformat(), "reason": " a cough\r\n"}
    assert (await clinic.ask("POST", APPOINTMENTS, "carl", json=body)).body["reason"] == "a cough"
    blank = await clinic.ask("POST", APPOINTMENTS, "carl", json=body | {"reason": " \n "})
    assert [error["pointer"] for error in blank.body["errors"]] == ["/reason"]


def next_of(answer: Answer) -> str | None:
    link = answer.headers.get("Link")
    if link is None:
        return None
    target, _, rel = link.partition("; ")
    assert rel == 'rel="next"'
    return target[1:-1]


async def test_following_the_links_shows_each_appointment_once(clinic: RestClinic) -> None:
    booked = [await clinic.book("carl", "ada", opening(1, half_hours=index)) for index in range(7)]
    at_the_same_time = [await clinic.book("dora", "ada", opening(2)), await clinic.book("carl", "ben", opening(2))]
    seen, sizes, path = [], [], f"{APPOINTMENTS}?limit=3&status=scheduled"
    while path:
        page = await clinic.ask("GET", path, "ada")
        seen += [appointment["id"] for appointment in page.body]
        sizes.append(len(page.body))
        path = next_of(page)
    assert seen == [*booked, at_the_same_time[0]]
    assert sizes == [3, 3, 2]


async def test_a_page_stays_right_when_things_happen_before_it(clinic: RestClinic) -> None:
    booked = [await clinic.book("carl", "ada", opening(1, half_hours=index)) for index in (2, 4, 6, 8)]
    first = await clinic.ask("GET", APPOINTMENTS, "ada", params={"limit": 2})
    await clinic.book("dora", "ada", opening(1))
    await clinic.ask(
        "PATCH", f"{APPOINTMENTS}/{booked[0]}/reschedule", "ada", json={"start": opening(0, 9).isoformat()}
    )
    path = next_of(first)
    assert path
    second = await clinic.ask("GET", path, "ada")
    assert [appointment["id"] for appointment in second.body] == booked[2:]
    assert next_of(second) is None


async def test_a_list_is_stable_while_others_book_at_the_same_time(clinic: RestClinic) -> None:
    before = [await clinic.book("carl", "ada", opening(day, half_hours=index)) for day in (1, 2) for index in range(8)]
    more = [
        asyncio.create_task(clinic.book("dora", "ada", opening(day, half_hours=index)))
        for index in range(8, 14)
        for day in (0, 1, 2, 3)
    ]
    seen: list[str] = []
    path: str | None = f"{APPOINTMENTS}?limit=3"
    while path:
        page = await clinic.ask("GET", path, "ada")
        seen += [appointment["id"] for appointment in page.body]
        path = next_of(page)
    new = await asyncio.gather(*more)
    assert [one for one in seen if one in before] == before
    assert len(seen) == len(set(seen))
    assert set(seen) <= {*before, *new}
    assert set(seen) & set(new), "nobody booked while the list was read"


async def test_no_cursor_opens_the_list_of_somebody_else(clinic: RestClinic) -> None:
    for index in range(3):
        await clinic.book("carl", "ada", opening(1, half_hours=index))
    path = next_of(await clinic.ask("GET", APPOINTMENTS, "carl", params={"limit": 1}))
    assert path
    assert (await clinic.ask("GET", path, "dora")).body == []


async def test_a_zone_with_a_plus_is_read_when_it_is_encoded(clinic: RestClinic) -> None:
    booked = await clinic.book("carl", "ada", opening(1))
    answer = await clinic.ask("GET", f"{APPOINTMENTS}?from={quote('2026-11-24T09:00:00+01:00')}", "carl")
    assert [appointment["id"] for appointment in answer.body] == [booked]


async def test_the_history_says_who_did_what_when_and_through_which_channel(clinic: RestClinic) -> None:
    booked = await clinic.book("carl", "ada", opening(1))
    clinic.clock.forward(timedelta(minutes=5))
    await clinic.ask("PATCH", f"{APPOINTMENTS}/{booked}/confirm", "ada")
    await clinic.ask("PATCH", f"{APPOINTMENTS}/{booked}/reschedule", "carl", json={"start": opening(2).isoformat()})

    answer = await clinic.ask("GET", f"{APPOINTMENTS}/{booked}/history", "carl")

    carl = {"id": "patient-carl", "role": "patient", "via": "rest"}
    ada = {"id": "doctor-ada", "role": "doctor", "via": "rest"}
    tuesday, wednesday = "2026-11-24T08:00:00Z", "2026-11-25T08:00:00Z"
    nothing = {"start": None, "previousStart": None, "reason": None}
    assert answer.body == [
        nothing | {"type": "booked", "at": "2026-11-23T08:00:00Z", "by": carl, "seq": 1, "start": tuesday},
        nothing | {"type": "confirmed", "at": "2026-11-23T08:05:00Z", "by": ada, "seq": 2},
        nothing
        | {
            "type": "rescheduled",
            "at": "2026-11-23T08:05:00Z",
            "by": carl,
            "seq": 3,
            "start": wednesday,
            "previousStart": tuesday,
        },
    ]
    assert (await clinic.ask("GET", f"{APPOINTMENTS}/{booked}/history", "ada")).body == answer.body


async def test_the_history_of_what_does_not_exist_is_not_found(clinic: RestClinic) -> None:
    assert (await clinic.ask("GET", f"{APPOINTMENTS}/nothing/history", "carl")).code == "not_found"
