import pytest

from tests.api.rest_clinic import RestClinic, opening

APPOINTMENTS = "/api/v1/appointments"
JSON = {"Content-Type": "application/json"}
START = opening(1).isoformat()


async def nothing_happened(clinic: RestClinic) -> bool:
    return clinic.commands.asked == [] and await clinic.services.records.appointments.last_seq("doctor-ada") == 0


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/doctorId", "/start"]),
        ([], [""]),
        ("book", [""]),
        ({"doctorId": "doctor-ada"}, ["/start"]),
        ({"doctorId": {"$gt": ""}, "start": START}, ["/doctorId"]),
        ({"doctorId": ["doctor-ada"], "start": START}, ["/doctorId"]),
        ({"doctorId": 7, "start": START}, ["/doctorId"]),
        ({"doctorId": "", "start": START}, ["/doctorId"]),
        ({"doctorId": "d" * 65, "start": START}, ["/doctorId"]),
        ({"doctorId": "$where", "start": START}, ["/doctorId"]),
        ({"doctorId": "doctor-ada\n", "start": START}, ["/doctorId"]),
        ({"doctorId": "doctor-ada", "start": {"$gt": ""}}, ["/start"]),
        ({"doctorId": "doctor-ada", "start": "2026-11-24T09:00:00"}, ["/start"]),
        ({"doctorId": "doctor-ada", "start": "2026-11-24"}, ["/start"]),
        ({"doctorId": "doctor-ada", "start": "2026-13-24T09:00:00Z"}, ["/start"]),
        ({"doctorId": "doctor-ada", "start": "2026-11-24T25:00:00Z"}, ["/start"]),
        ({"doctorId": "doctor-ada", "start": "2026-11-24T09:00:00+25:00"}, ["/start"]),
        ({"doctorId": "doctor-ada", "start": "1000-01-01T00:00:00+23:59"}, ["/start"]),
        ({"doctorId": "doctor-ada", "start": "9999-12-31T23:30:00-23:00"}, ["/start"]),
        ({"doctorId": "doctor-ada", "start": "tomorrow"}, ["/start"]),
        ({"doctorId": "doctor-ada", "start": "20261124T090000Z"}, ["/start"]),
        ({"doctorId": "doctor-ada", "start": "2026-W48-2T09:00:00Z"}, ["/start"]),
        ({"doctorId": "doctor-ada", "start": "2026-11-24T09Z"}, ["/start"]),
        ({"doctorId": "doctor-ada", "start": "2026-11-24T09:00:00+01:00:30"}, ["/start"]),
        ({"doctorId": "doctor-ada", "start": 1795510800}, ["/start"]),
        ({"doctorId": "doctor-ada", "start": "1795510800"}, ["/start"]),
        ({"doctorId": "doctor-ada", "start": True}, ["/start"]),
        ({"doctorId": "doctor-ada", "start": START, "reason": ""}, ["/reason"]),
        ({"doctorId": "doctor-ada", "start": START, "reason": "r" * 501}, ["/reason"]),
        ({"doctorId": "doctor-ada", "start": START, "reason": {"$ne": 1}}, ["/reason"]),
        ({"doctorId": "doctor-ada", "start": START, "status": "confirmed"}, ["/status"]),
        ({"doctor_id": "doctor-ada", "start": START}, ["/doctorId", "/doctor_id"]),
        ({"doctorId": "doctor-ada", "start": START, "$where": "1", "a/b~": 1}, ["/$where", "/a~1b~0"]),
        ({"doctorId": "doctor-ada", "start": START, "patientId": {"$in": []}}, ["/patientId"]),
    ],
)
async def test_each_bad_field_of_a_booking_is_named_and_nothing_is_written(
    clinic: RestClinic, body: object, pointers: list[str]
) -> None:
    answer = await clinic.ask("POST", APPOINTMENTS, "carl", json=body)
    assert (answer.status, answer.code) == (422, "invalid_request")
    assert [error["pointer"] for error in answer.body["errors"]] == pointers
    assert await nothing_happened(clinic)


async def test_a_time_without_a_zone_is_said_to_lack_one(clinic: RestClinic) -> None:
    body = {"doctorId": "doctor-ada", "start": "2026-11-24T09:00:00"}
    answer = await clinic.ask("POST", APPOINTMENTS, "carl", json=body)
    assert answer.body["errors"] == [
        {"pointer": "/start", "detail": "Input should have timezone info", "code": "timezone_aware"}
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"doctorId": "doctor-ada",}',
        b"{'doctorId': 'doctor-ada'}",
        b"doctorId=doctor-ada",
        b'{"doctorId": "\xff"}',
        b'{"reason": "\\ud800"}',
        b"[" * 10_000,
        b"\x00",
        '{"doctorId": "doctor-ada"}'.encode("utf-16"),
    ],
)
async def test_invalid_json_is_malformed(clinic: RestClinic, body: bytes) -> None:
    answer = await clinic.ask("POST", APPOINTMENTS, "carl", data=body, headers=JSON)
    assert (answer.status, answer.code) == (400, "malformed_json")
    assert await nothing_happened(clinic)


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "nonsense", ""],
)
async def test_another_content_type_is_not_read(clinic: RestClinic, content_type: str) -> None:
    answer = await clinic.ask("POST", APPOINTMENTS, "carl", data=b"{}", headers={"Content-Type": content_type})
    assert (answer.status, answer.code) == (415, "unsupported_media_type")
    assert answer.headers["Accept"] == "application/json"


async def test_a_charset_after_the_content_type_is_fine(clinic: RestClinic) -> None:
    body = b'{"doctorId": "doctor-ada", "start": "2026-11-24T09:00:00Z"}'
    answer = await clinic.ask(
        "POST", APPOINTMENTS, "carl", data=body, headers={"Content-Type": "application/json; charset=utf-8"}
    )
    assert answer.status == 201


@pytest.mark.parametrize("size", [64 * 1024 + 1, 5_000_000])
async def test_a_body_that_is_too_large_is_refused(clinic: RestClinic, size: int) -> None:
    answer = await clinic.ask("POST", APPOINTMENTS, "carl", data=b" " * size, headers=JSON)
    assert (answer.status, answer.code) == (413, "body_too_large")
    assert await nothing_happened(clinic)


async def test_a_body_just_small_enough_is_read(clinic: RestClinic) -> None:
    answer = await clinic.ask("POST", APPOINTMENTS, "carl", data=b" " * (64 * 1024), headers=JSON)
    assert answer.code == "malformed_json"


async def test_a_body_that_decompresses_to_too_much_is_refused(clinic: RestClinic) -> None:
    answer = await clinic.ask("POST", APPOINTMENTS, "carl", data=b" " * 50_000_000, headers=JSON, compress="deflate")
    assert (answer.status, answer.code) == (413, "body_too_large")


async def test_a_body_with_a_wrong_content_encoding_is_malformed(clinic: RestClinic) -> None:
    answer = await clinic.ask(
        "POST",
        "/api/v1/auth/refresh",
        data=b'{"refreshToken": "x"}',
        headers=JSON | {"Content-Encoding": "gzip"},
        skip_auto_headers=["Content-Encoding"],
    )
    assert (answer.status, answer.code) == (400, "malformed_request")


@pytest.mark.parametrize("appointment_id", ["nobody", "no.id", "%24gt", "x" * 65, "%00", "a%2Fb", "doctor-ada"])
@pytest.mark.parametrize("change", ["confirm", "cancel", "reschedule"])
async def test_an_appointment_that_does_not_exist_is_not_found(
    clinic: RestClinic, appointment_id: str, change: str
) -> None:
    body = {"json": {"start": START}} if change == "reschedule" else {}
    answer = await clinic.ask("PATCH", f"{APPOINTMENTS}/{appointment_id}/{change}", "carl", **body)
    assert (answer.status, answer.code) == (404, "not_found")
    assert await nothing_happened(clinic)


async def test_rescheduling_needs_a_start(clinic: RestClinic) -> None:
    booked = await clinic.book("carl", "ada", opening(1))
    answer = await clinic.ask("PATCH", f"{APPOINTMENTS}/{booked}/reschedule", "carl", json={})
    assert [error["pointer"] for error in answer.body["errors"]] == ["/start"]
