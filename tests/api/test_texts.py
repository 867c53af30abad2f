"""A doctor sees which texts did not arrive and why, and neither what they said nor to which number they went."""

from datetime import datetime, timedelta

import pytest

from hub.scheduling.values import rfc3339
from hub.texting.outcomes import SendResult, classify_error_code
from hub.texting.text import SkipReason, StatusUpdate, Text, TextStatus, repetition_of, text_id
from tests.api.conftest import OpenClinic
from tests.api.rest_clinic import make_services, opening
from tests.api.test_twilio import CARL, LINE, TWILIO_API_URL, Office

APPOINTMENTS = "/api/v1/appointments"
UNDELIVERED = "/api/v1/texts/undelivered"


@pytest.fixture
async def office(open_for_test: OpenClinic) -> Office:
    return Office(await open_for_test(await make_services(**TWILIO_API_URL)))


async def failed(office: Office, text: Text, code: int | None, status: TextStatus = TextStatus.FAILED) -> None:
    await office.records.texts.settle(text.id, StatusUpdate(status, error_code=code), office.clinic.clock())


async def test_a_doctor_sees_the_texts_about_an_appointment_without_words_and_numbers(office: Office) -> None:
    booked = await office.clinic.book("carl", "ada", opening(0, half_hours=2))
    reminder = await office.remind(booked)
    await failed(office, reminder, 30006, TextStatus.UNDELIVERED)

    answer = await office.clinic.ask("GET", f"{APPOINTMENTS}/{booked}/texts", "ada")

    assert answer.status == 200
    assert answer.body == {
        "patientOptedOut": False,
        "texts": [
            {
                "appointmentId": booked,
                "start": rfc3339(reminder.start),
                "kind": "reminder",
                "to": "patient",
                "status": "undelivered",
                "problem": "The number belongs to a landline, or cannot be reached.",
                "plannedAt": rfc3339(reminder.created_at),
                "at": rfc3339(office.clinic.clock()),
            }
        ],
    }


@pytest.mark.parametrize("word", ["STOP", "cancel"])
async def test_a_doctor_sees_that_a_patient_has_opted_out_until_they_come_back(office: Office, word: str) -> None:
    booked = await office.clinic.book("carl", "ada", opening(0, half_hours=2))
    path = f"{APPOINTMENTS}/{booked}/texts"
    await office.text(CARL, word)
    assert await office.records.opt_outs.has(CARL, LINE)
    assert (await office.clinic.ask("GET", path, "ada")).body == {"patientOptedOut": True, "texts": []}
    await office.text(CARL, "START")
    assert (await office.clinic.ask("GET", path, "ada")).body == {"patientOptedOut": False, "texts": []}


async def test_undelivered_texts_are_listed_by_the_start_of_future_appointments(office: Office) -> None:
    async def reminded(start: datetime, doctor: str = "ada") -> Text:
        return await office.remind(await office.clinic.book("carl", doctor, start))

    later, next_one, arrived, of_another, soon_over, moved = [
        await reminded(opening(1)),
        await reminded(opening(0, half_hours=4)),
        await reminded(opening(0, half_hours=6)),
        await reminded(opening(0, half_hours=8), "ben"),
        await reminded(opening(0, half_hours=1)),
        await reminded(opening(2)),
    ]
    for text in (later, next_one, of_another, soon_over, moved):
        await failed(office, text, 21211)
    await office.records.texts.settle(arrived.id, StatusUpdate(TextStatus.DELIVERED), office.clinic.clock())
    move = {"start": opening(3).isoformat()}
    await office.clinic.ask("PATCH", f"{APPOINTMENTS}/{moved.appointment_id}/reschedule", "ada", json=move)
    office.clinic.clock.forward(timedelta(minutes=40))

    answer = await office.clinic.ask("GET", UNDELIVERED, "ada")

    assert [text["appointmentId"] for text in answer.body] == [next_one.appointment_id, later.appointment_id]
    assert {text["problem"] for text in answer.body} == {"This number cannot receive texts. Ask for another number."}


async def test_of_a_text_that_was_repeated_the_repetition_counts(office: Office) -> None:
    booked = await office.clinic.book("carl", "ada", opening(0, half_hours=4))
    reminder = await office.remind(booked)
    await failed(office, reminder, 30001, TextStatus.UNDELIVERED)
    again = repetition_of(reminder, office.clinic.clock(), office.clinic.clock())
    assert again
    await office.records.texts.add_all([again])
    assert (await office.clinic.ask("GET", UNDELIVERED, "ada")).body == []
    await failed(office, again, 30001, TextStatus.UNDELIVERED)
    assert len((await office.clinic.ask("GET", UNDELIVERED, "ada")).body) == 1


@pytest.mark.parametrize(
    ("status", "code", "reason", "says"),
    [
        (TextStatus.FAILED, 21211, None, "Ask for another number"),
        (TextStatus.FAILED, None, None, "did not answer clearly"),
        (TextStatus.UNDELIVERED, 30003, None, "off or out of reach"),
        (TextStatus.UNDELIVERED, 30034, None, "not registered"),
        (TextStatus.UNDELIVERED, 99999, None, "did not say why"),
        (TextStatus.OPTED_OUT, 21610, None, "START"),
        (TextStatus.SKIPPED, None, "no_phone", "no phone number"),
        (TextStatus.SKIPPED, None, "cancelled", "was cancelled"),
        (TextStatus.RECORDED, None, None, "Twilio is not set up"),
        (TextStatus.SENT, None, None, None),
        (TextStatus.DELIVERED, 30003, None, None),
        (TextStatus.PLANNED, 20429, None, None),
    ],
)
async def test_why_it_did_not_arrive_is_said_in_words(
    office: Office, status: TextStatus, code: int | None, reason: SkipReason | None, says: str | None
) -> None:
    booked = await office.clinic.book("carl", "ada", opening(0, half_hours=2))
    planned = await office.remind(booked, TextStatus.PLANNED)
    known = {"id": text_id("doctor-ada", 1, "again"), "status": status, "error_code": code, "reason": reason}
    await office.records.texts.add_all([planned.model_copy(update=known)])
    shown = (await office.clinic.ask("GET", f"{APPOINTMENTS}/{booked}/texts", "ada")).body["texts"]
    (problem,) = [text["problem"] for text in shown if text["status"] == status][-1:]
    assert (says is None and problem is None) or says in problem


def test_every_code_that_halts_a_line_has_words() -> None:
    assert {classify_error_code(code) for code in (30002, 30007, 30034)} == {SendResult.HALT}
