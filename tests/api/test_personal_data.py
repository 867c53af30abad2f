"""What a person gets who asks for all that is stored about them."""

from datetime import timedelta

from hub.texting.inbound_text import InboundText
from hub.texting.text import Text, TextStatus
from tests.api.rest_clinic import MONDAY_MORNING, PASSWORD, RestClinic, opening

EXPORT = "/api/v1/users/me/export"


def text(id_: str, user_id: str, appointment_id: str, body: str) -> Text:
    return Text(
        id=id_,
        kind="cancelled",
        line="patient",
        user_id=user_id,
        phone="+12025550123",
        appointment_id=appointment_id,
        doctor_id="doctor-ada",
        seq=1,
        version=1,
        start=opening(1),
        body=body,
        status=TextStatus.DELIVERED,
        not_before=MONDAY_MORNING,
        useless_after=opening(1),
        created_at=MONDAY_MORNING,
        updated_at=MONDAY_MORNING,
    )


async def test_everything_of_the_person_is_there_and_nothing_of_others(clinic: RestClinic) -> None:
    booked = await clinic.book("carl", "ada", opening(1), reason="headache since Friday")
    others = await clinic.book("dora", "ada", opening(1, 1), reason="a cough")
    await clinic.ask("PATCH", f"/api/v1/appointments/{booked}/cancel", "carl", json={"reason": "it is better"})
    records = clinic.services.records
    await records.texts.add_all(
        [
            text("t1", "patient-carl", booked, "Your appointment is cancelled."),
            text("t2", "patient-dora", others, "Dora's."),
        ]
    )
    for id_, about, words in (("m1", booked, "2"), ("m2", others, "other")):
        message = InboundText(
            id=id_, phone="+12025550123", our_number="12345", body=words, received_at=MONDAY_MORNING, answer=None
        )
        await records.inbound_texts.receive(message)
        await records.inbound_texts.bind(id_, about)

    answer = await clinic.ask("GET", EXPORT, "carl")

    assert answer.status == 200
    assert answer.headers["Content-Disposition"] == 'attachment; filename="clinic-hub.json"'
    profile, (appointment,), texts = (answer.body[key] for key in ("profile", "appointments", "texts"))
    assert (profile["name"], profile["email"], profile["phone"]) == ("Carl", "carl@clinic.test", "+12025550123")
    assert (appointment["doctor"], appointment["reason"]) == ("Dr. Ada", "headache since Friday")
    assert [(each["type"], each["by"], each["reason"]) for each in appointment["history"]] == [
        ("booked", "patient", "headache since Friday"),
        ("cancelled", "patient", "it is better"),
    ]
    assert {(each["direction"], each["body"]) for each in texts} == {
        ("sent", "Your appointment is cancelled."),
        ("received", "2"),
    }
    assert "dora" not in str(answer.body).lower()


async def test_texts_about_the_account_are_there_too(clinic: RestClinic) -> None:
    change = {"email": "carl@home.test", "currentPassword": PASSWORD}
    assert (await clinic.ask("PATCH", "/api/v1/users/me", "carl", json=change)).status == 200

    answer = await clinic.ask("GET", EXPORT, "carl")

    assert answer.status == 200
    assert [(each["kind"], each["appointmentId"]) for each in answer.body["texts"]] == [("account_changed", None)]


async def test_the_appointments_come_as_a_calendar_too(clinic: RestClinic) -> None:
    await clinic.book("carl", "ada", opening(1), reason="headache")
    answer = await clinic.ask("GET", f"{EXPORT}?format=ics", "carl")
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.body.count(b"BEGIN:VEVENT") == 1
    assert b"headache" not in answer.body
    assert (await clinic.ask("GET", f"{EXPORT}?format=pdf", "carl")).code == "invalid_request"


async def test_staff_get_their_profile_and_no_patients(clinic: RestClinic) -> None:
    await clinic.book("carl", "ada", opening(1))
    for who in ("ada", "robin"):
        answer = await clinic.ask("GET", EXPORT, who)
        assert (answer.body["appointments"], answer.body["texts"]) == ([], [])
        assert "carl" not in str(answer.body).lower()


async def test_an_export_is_a_line_of_the_access_log(clinic: RestClinic) -> None:
    await clinic.ask("GET", EXPORT, "carl")
    await clinic.services.access_log.flush()
    day = timedelta(days=1)
    lines = await clinic.services.records.access_log.about("patient-carl", MONDAY_MORNING - day, MONDAY_MORNING + day)
    assert [line.action for line in lines] == ["data_exported"]
