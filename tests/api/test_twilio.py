"""What Twilio posts: who may, what a text from a phone does, what becomes of ours."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from api.timeouts import Timeouts
from hub.records.errors import StoreUnavailable
from hub.records.memory import MemoryRecords
from hub.scheduling.events import AppointmentConfirmed
from hub.scheduling.values import Role, Status
from hub.texting import wording
from hub.texting.callback_urls import STATUS, WEBHOOK, status_callback
from hub.texting.inbound_text import InboundText
from hub.texting.ports import LineHalt
from hub.texting.reports import STOPPED
from hub.texting.segments import segments
from hub.texting.text import StatusUpdate, Text, TextKind, TextStatus, text_id
from tests.api.conftest import OpenClinic
from tests.api.rest_clinic import PASSWORD, RestClinic, make_services, opening

ACCOUNT, TOKEN, PUBLIC = "AC" + "0" * 32, "a token that only Twilio and we know", "https://hub.clinic.example"
LINE, DOCTORS_LINE = "+12025550100", "+12025550101"
CARL, DORA, ADA, STRANGER = "+12025550123", "+12025550124", "+12025550121", "+12025550199"
TWILIO_API_URL: Mapping[str, object] = {
    "twilio_account_sid": ACCOUNT,
    "twilio_auth_token": TOKEN,
    "twilio_from_patient": LINE,
    "twilio_from_doctor": DOCTORS_LINE,
    "public_url": PUBLIC,
}
WORDS = wording.Clinic("Clinic Hub", None)
TODAY_AT_TEN = "Mon 23 Nov, 10:00 AM"
TODAY_AT_ELEVEN = "Mon 23 Nov, 11:00 AM"


@dataclass(frozen=True)
class Said:
    """What came back: the status, the words in the TwiML if there were any, and the code of a problem."""

    status: int
    words: str | None
    code: str | None = None


class Office:
    """The clinic of the other tests, and Twilio in front of it."""

    def __init__(self, clinic: RestClinic) -> None:
        self.clinic = clinic
        self._messages = 0

    @property
    def records(self) -> MemoryRecords:
        assert isinstance(self.clinic.services.records, MemoryRecords)
        return self.clinic.services.records

    async def post(
        self, path: str, form: Mapping[str, str], *, signed_over: str | None = None, headers: Mapping[str, str] = {}
    ) -> Said:
        form = {"AccountSid": ACCOUNT, **form}
        signature = RequestValidator(TOKEN).compute_signature(signed_over or PUBLIC + path, form)
        sent = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded", **headers}
        async with self.clinic.client.post(path, data=urlencode(form), headers=sent) as response:
            text = await response.text()
            if response.status >= 400:
                assert response.content_type == "application/problem+json"
                return Said(response.status, None, (await response.json(content_type=None))["code"])
            if response.status == 204:
                return Said(204, None)
            assert response.content_type == "text/xml"
            found = re.search("<Message>(.*)</Message>", text)
            assert text.startswith("<?xml")
            return Said(response.status, unescape(found[1]) if found else None)

    async def text(self, sender: str, body: str, sid: str | None = None, **more: str) -> Said:
        """Bring a text that came in; under a new MessageSid unless one is given."""
        self._messages += 1
        message = {"MessageSid": sid or f"SM{self._messages:032x}", "From": sender, "To": LINE, "Body": body}
        said = await self.post(WEBHOOK, message | more)
        assert said.words is None or segments(said.words) == 1
        return said

    async def report(self, path: str, status: str, sid: str = "SM1", **more: str) -> Said:
        """Say what has become of a text of ours."""
        return await self.post(path, {"MessageSid": sid, "MessageStatus": status, "From": LINE, "To": CARL} | more)

    async def remind(
        self, appointment_id: str, status: TextStatus = TextStatus.SENT, ago: int = 0, kind: TextKind = "reminder"
    ) -> Text:
        """Put a text about the appointment, as it stands now, into the outbox."""
        appointment = (await self.records.appointments.by_ids([appointment_id]))[appointment_id]
        at = self.clinic.clock() - timedelta(minutes=ago)
        self._messages += 1
        reminder = Text(
            id=text_id(appointment.doctor_id, 1000 + self._messages, appointment.patient_id),
            kind=kind,
            line="patient",
            user_id=appointment.patient_id,
            phone=CARL,
            appointment_id=appointment.id,
            doctor_id=appointment.doctor_id,
            seq=1000 + self._messages,
            version=appointment.version,
            start=appointment.start,
            body="Come",
            status=status,
            not_before=at,
            useless_after=appointment.start,
            created_at=at,
            updated_at=at,
        )
        assert await self.records.texts.add_all([reminder]) == 1
        return reminder

    async def status_of(self, appointment_id: str) -> Status:
        return (await self.records.appointments.by_ids([appointment_id]))[appointment_id].status

    async def versions(self) -> int:
        return await self.records.appointments.last_seq("doctor-ada")


@pytest.fixture
async def office(open_for_test: OpenClinic) -> Office:
    return Office(await open_for_test(await make_services(**TWILIO_API_URL)))


@pytest.fixture
async def reminded(office: Office) -> str:
    """An appointment of Carl with Ada at ten by her clock, an hour from now, and a reminder that went out."""
    booked = await office.clinic.book("carl", "ada", opening(0, half_hours=2))
    await office.remind(booked)
    return booked


@pytest.mark.parametrize("body", ["1", " 1. ", "1️⃣", "Confirm"])
async def test_1_confirms_and_says_so_by_the_doctors_clock(office: Office, reminded: str, body: str) -> None:
    assert await office.text(CARL, body) == Said(200, wording.confirmed(WORDS, TODAY_AT_TEN))
    assert await office.status_of(reminded) is Status.CONFIRMED
    event = (await office.records.appointments.by_ids([reminded]))[reminded].last
    assert isinstance(event, AppointmentConfirmed)
    assert (event.by.id, event.by.role, event.by.via) == ("patient-carl", Role.PATIENT, "sms")


async def test_who_has_chosen_german_is_answered_in_german(office: Office, reminded: str) -> None:
    assert (await office.clinic.ask("PATCH", "/api/v1/users/me", "carl", json={"language": "de"})).status == 200
    assert (await office.text(CARL, "1")).words == wording.confirmed(WORDS, "Mo 23.11., 10:00 Uhr", "de")
    assert (await office.text(CARL, "hello")).words == wording.how_to_reply(WORDS, "de")
    assert (await office.text(CARL, "2")).words == wording.cancelled_by_patient(WORDS, "Mo 23.11., 10:00 Uhr", "de")
    assert await office.status_of(reminded) is Status.CANCELLED


async def test_2_cancels_and_says_so(office: Office, reminded: str) -> None:
    assert await office.text(CARL, "2") == Said(200, wording.cancelled_by_patient(WORDS, TODAY_AT_TEN))
    assert await office.status_of(reminded) is Status.CANCELLED


async def test_the_same_message_twice_gets_the_same_answer_and_changes_nothing(office: Office, reminded: str) -> None:
    first = await office.text(CARL, "1", sid="SM7")
    await office.clinic.ask("PATCH", f"/api/v1/appointments/{reminded}/cancel", "ada")
    before = await office.versions()
    assert await office.text(CARL, "1", sid="SM7") == first
    assert await office.text(CARL, "2", sid="SM7") == first
    assert await office.versions() == before


async def test_a_message_whose_answer_was_lost_has_done_its_work_once(
    office: Office, reminded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(*_: object) -> None:
        raise RuntimeError("kill -9")

    with monkeypatch.context() as patched:
        patched.setattr(office.records.inbound_texts, "answered", die)
        assert (await office.text(CARL, "1", sid="SM7")).code == "internal"
    assert await office.status_of(reminded) is Status.CONFIRMED
    office.clinic.clock.forward(timedelta(minutes=1))
    other = await office.clinic.book("carl", "ada", opening(0, half_hours=4))
    await office.remind(other)
    moved = {"start": opening(3).isoformat()}
    await office.clinic.ask("PATCH", f"/api/v1/appointments/{reminded}/reschedule", "ada", json=moved)
    said = await office.text(CARL, "1", sid="SM7")
    assert said.words == wording.confirmed_and_next(WORDS, TODAY_AT_TEN, TODAY_AT_ELEVEN)
    assert await office.status_of(other) is Status.SCHEDULED


async def test_an_old_message_that_was_not_answered_is_not_carried_out_late(office: Office, reminded: str) -> None:
    received = office.clinic.clock()
    message = InboundText(id="SM7", phone=CARL, our_number=LINE, body="2", received_at=received, answer=None)
    await office.records.inbound_texts.receive(message)
    office.clinic.clock.forward(timedelta(minutes=6))
    assert await office.text(CARL, "2", sid="SM7") == Said(200, None)
    assert await office.status_of(reminded) is Status.SCHEDULED


@pytest.fixture
async def twice_reminded(office: Office, reminded: str) -> tuple[str, str]:
    """The appointments of Carl at ten and at eleven. The text about the one at ten is the latest."""
    other = await office.clinic.book("carl", "ada", opening(0, half_hours=4))
    await office.remind(other, ago=1)
    return reminded, other


DONE = {"1": ("confirmed", Status.CONFIRMED), "2": ("cancelled", Status.CANCELLED)}


@pytest.mark.parametrize("second", ["1", "2"])
@pytest.mark.parametrize("first", ["1", "2"])
async def test_the_second_reply_is_about_the_other_appointment_and_the_first_says_so(
    office: Office, twice_reminded: tuple[str, str], first: str, second: str
) -> None:
    ten, eleven = twice_reminded
    and_next = {"1": wording.confirmed_and_next, "2": wording.cancelled_and_next}[first]
    assert (await office.text(CARL, first)).words == and_next(WORDS, TODAY_AT_TEN, TODAY_AT_ELEVEN)
    assert [await office.status_of(each) for each in (ten, eleven)] == [DONE[first][1], Status.SCHEDULED]
    said = (await office.text(CARL, second)).words
    assert said is not None
    assert f"{TODAY_AT_ELEVEN} is {DONE[second][0]}" in said
    assert ("next reply" in said) == ((first, second) == ("1", "2"))
    assert [await office.status_of(each) for each in (ten, eleven)] == [DONE[first][1], DONE[second][1]]


async def test_after_all_are_answered_the_reply_is_about_the_last_and_then_about_what_is_left(
    office: Office, twice_reminded: tuple[str, str]
) -> None:
    for minute in ("1", "1"):
        await office.text(CARL, minute)
        office.clinic.clock.forward(timedelta(minutes=1))
    assert (await office.text(CARL, "1")).words == wording.confirmed(WORDS, TODAY_AT_ELEVEN)
    office.clinic.clock.forward(timedelta(minutes=1))
    assert (await office.text(CARL, "2")).words == wording.cancelled_and_next(WORDS, TODAY_AT_ELEVEN, TODAY_AT_TEN)
    office.clinic.clock.forward(timedelta(minutes=1))
    assert (await office.text(CARL, "2")).words == wording.cancelled_by_patient(WORDS, TODAY_AT_TEN)
    office.clinic.clock.forward(timedelta(minutes=1))
    assert (await office.text(CARL, "2")).words == wording.cancelled_by_patient(WORDS, TODAY_AT_TEN)
    assert [await office.status_of(each) for each in twice_reminded] == [Status.CANCELLED] * 2


async def test_1_to_a_reminder_of_a_confirmed_appointment_moves_on_to_the_other(
    office: Office, twice_reminded: tuple[str, str]
) -> None:
    await office.clinic.ask("PATCH", f"/api/v1/appointments/{twice_reminded[0]}/confirm", "carl")
    for body in ("1", "1"):
        await office.text(CARL, body)
    assert [await office.status_of(each) for each in twice_reminded] == [Status.CONFIRMED] * 2


@pytest.mark.parametrize("body", ["1", "2"])
async def test_a_message_delivered_twice_is_about_one_appointment(
    office: Office, twice_reminded: tuple[str, str], body: str
) -> None:
    first, again = await asyncio.gather(office.text(CARL, body, sid="SM7"), office.text(CARL, body, sid="SM7"))
    assert first == again == await office.text(CARL, body, sid="SM7")
    assert [await office.status_of(each) for each in twice_reminded] == [DONE[body][1], Status.SCHEDULED]


async def test_a_message_whose_answer_was_lost_stays_about_its_appointment(
    office: Office, twice_reminded: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(*_: object, **__: object) -> None:
        raise RuntimeError("kill -9")

    with monkeypatch.context() as patched:
        patched.setattr(office.records.inbound_texts, "answered", die)
        assert (await office.text(CARL, "2", sid="SM7")).code == "internal"
    said = await office.text(CARL, "2", sid="SM7")
    assert said.words == wording.cancelled_and_next(WORDS, TODAY_AT_TEN, TODAY_AT_ELEVEN)
    assert [await office.status_of(each) for each in twice_reminded] == [Status.CANCELLED, Status.SCHEDULED]


async def test_who_is_asked_to_try_again_means_the_same_appointment(
    office: Office, twice_reminded: tuple[str, str]
) -> None:
    office.clinic.commands.silent = True
    assert (await office.text(CARL, "2")).words == wording.try_later(WORDS)
    office.clinic.commands.silent = False
    await office.clinic.ask("PATCH", f"/api/v1/appointments/{twice_reminded[0]}/cancel", "carl")  # or the first 2, late
    said = await office.text(CARL, "2")
    assert said.words == wording.cancelled_and_next(WORDS, TODAY_AT_TEN, TODAY_AT_ELEVEN)
    assert await office.status_of(twice_reminded[1]) is Status.SCHEDULED


@pytest.mark.parametrize("body", ["1", "2"])
@pytest.mark.parametrize("kind", ["booked", "rescheduled"])
async def test_a_reply_to_another_text_than_a_reminder_is_about_its_appointment(
    office: Office, kind: TextKind, body: str
) -> None:
    booked = await office.clinic.book("carl", "ada", opening(0, half_hours=2))
    await office.remind(booked, kind=kind)
    assert f"{TODAY_AT_TEN} is {DONE[body][0]}" in ((await office.text(CARL, body)).words or "")
    assert await office.status_of(booked) is DONE[body][1]


async def test_the_latest_text_comes_before_a_reminder_and_a_reminder_before_other_texts(office: Office) -> None:
    latest, reminder, old = [
        await office.clinic.book("carl", "ada", opening(0, half_hours=half_hours)) for half_hours in (2, 4, 6)
    ]
    await office.remind(old, kind="booked", ago=1)
    await office.remind(reminder, ago=2)
    await office.remind(latest, kind="booked")
    for expected in (latest, reminder):
        await office.text(CARL, "1")
        assert await office.status_of(expected) is Status.CONFIRMED
        office.clinic.clock.forward(timedelta(minutes=1))
    assert await office.status_of(old) is Status.SCHEDULED
    for expected in (reminder, latest, old):  # a 2 after a 1 is about the same appointment
        await office.text(CARL, "2")
        assert await office.status_of(expected) is Status.CANCELLED
        office.clinic.clock.forward(timedelta(minutes=1))


@pytest.fixture
async def family(office: Office, reminded: str) -> tuple[str, str]:
    """Carl's appointment at ten, and Lea's at eleven. Lea has Carl's phone and no log-in, and the latest text."""
    lea = {"name": "Lea Maria Berg", "phone": CARL}
    registered = await office.clinic.ask("POST", "/api/v1/patients", "robin", json=lea)
    more = {"patientId": registered.body["id"]}
    of_lea = await office.clinic.book("robin", "ada", opening(0, half_hours=4), **more)
    office.clinic.clock.forward(timedelta(minutes=1))
    await office.remind(of_lea)
    return reminded, of_lea


async def test_a_reply_from_a_shared_phone_is_about_the_text_and_says_for_whom(
    office: Office, family: tuple[str, str]
) -> None:
    of_carl, of_lea = family
    lea, carl = f"{TODAY_AT_ELEVEN} (Lea)", f"{TODAY_AT_TEN} (Carl)"
    assert (await office.text(CARL, "1", sid="SM7")).words == wording.confirmed_and_next(WORDS, lea, carl)
    assert [await office.status_of(each) for each in (of_carl, of_lea)] == [Status.SCHEDULED, Status.CONFIRMED]
    # The same message again, whose answer was lost, changes nothing more.
    lost = office.records.inbound_texts._stored["SM7"].model_copy(update={"answer": None})
    office.records.inbound_texts._stored["SM7"] = lost
    assert f"{lea} is confirmed" in str((await office.text(CARL, "1", sid="SM7")).words)
    assert [await office.status_of(each) for each in (of_carl, of_lea)] == [Status.SCHEDULED, Status.CONFIRMED]
    assert f"{carl} is cancelled" in str((await office.text(CARL, "2")).words)
    assert [await office.status_of(each) for each in (of_carl, of_lea)] == [Status.CANCELLED, Status.CONFIRMED]
    event = (await office.records.appointments.by_ids([of_lea]))[of_lea].last
    assert (event.by.role, event.by.via) == (Role.PATIENT, "sms")
    assert event.by.id != "patient-carl"


async def test_a_patient_without_a_log_in_answers_by_text(office: Office) -> None:
    lea = {"name": "Lea", "phone": CARL.replace("23", "77")}
    registered = await office.clinic.ask("POST", "/api/v1/patients", "robin", json=lea)
    booked = await office.clinic.book("robin", "ada", opening(0, half_hours=2), patientId=registered.body["id"])
    reminder = await office.remind(booked)
    office.records.texts._stored[reminder.id] = reminder.model_copy(update={"phone": lea["phone"]})
    assert (await office.text(lea["phone"], "1")).words == wording.confirmed(WORDS, TODAY_AT_TEN)
    assert await office.status_of(booked) is Status.CONFIRMED


async def test_the_text_to_a_phone_that_the_patient_no_longer_has_asks_nothing(office: Office, reminded: str) -> None:
    change = {"phone": "+12025550177"}
    assert (
        await office.clinic.ask("PATCH", "/api/v1/users/me", "carl", json=change | {"currentPassword": PASSWORD})
    ).status == 200
    assert (await office.text("+12025550177", "2")).words == wording.no_open_appointment(WORDS)
    assert await office.status_of(reminded) is Status.SCHEDULED


async def test_the_latest_reminder_is_the_one_that_is_answered(office: Office, reminded: str) -> None:
    other = await office.clinic.book("carl", "ben", opening(0, half_hours=4))
    office.clinic.clock.forward(timedelta(minutes=5))
    await office.remind(other)
    said = await office.text(CARL, "1")
    assert said.words == wording.confirmed_and_next(WORDS, TODAY_AT_ELEVEN, TODAY_AT_TEN)
    assert [await office.status_of(each) for each in (reminded, other)] == [Status.SCHEDULED, Status.CONFIRMED]


@pytest.mark.usefixtures("reminded")
async def test_what_the_clinic_has_cancelled_is_passed_over(office: Office) -> None:
    other = await office.clinic.book("carl", "ben", opening(0, half_hours=4))
    await office.remind(other)
    office.clinic.clock.forward(timedelta(minutes=1))
    await office.clinic.ask("PATCH", f"/api/v1/appointments/{other}/cancel", "ben")
    assert (await office.text(CARL, "1")).words == wording.confirmed(WORDS, TODAY_AT_TEN)


@pytest.mark.parametrize("status", [TextStatus.PLANNED, TextStatus.SKIPPED, TextStatus.RECORDED])
async def test_a_reminder_that_never_went_out_asks_nothing(office: Office, status: TextStatus) -> None:
    booked = await office.clinic.book("carl", "ada", opening(0, half_hours=2))
    await office.remind(booked, status)
    assert await office.text(CARL, "2") == Said(200, wording.no_open_appointment(WORDS))
    assert await office.status_of(booked) is Status.SCHEDULED


async def test_a_reminder_of_a_time_that_no_longer_holds_asks_nothing(office: Office, reminded: str) -> None:
    move = {"start": opening(0, half_hours=6).isoformat()}
    await office.clinic.ask("PATCH", f"/api/v1/appointments/{reminded}/reschedule", "ada", json=move)
    assert await office.text(CARL, "2") == Said(200, wording.no_open_appointment(WORDS))
    assert await office.status_of(reminded) is Status.SCHEDULED


async def test_an_appointment_that_has_begun_is_not_answered_for(office: Office, reminded: str) -> None:
    office.clinic.clock.forward(timedelta(minutes=61))
    assert await office.text(CARL, "2") == Said(200, wording.no_open_appointment(WORDS))
    assert await office.status_of(reminded) is Status.SCHEDULED


@pytest.mark.usefixtures("reminded")
async def test_1_says_what_holds_already_without_a_command(office: Office) -> None:
    await office.text(CARL, "1")
    commands = len(office.clinic.commands.asked)
    assert (await office.text(CARL, "1")).words == wording.confirmed(WORDS, TODAY_AT_TEN)
    assert len(office.clinic.commands.asked) == commands


async def test_a_change_that_comes_first_is_what_the_patient_is_told(
    office: Office, reminded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = office.clinic.commands
    ask = commands.ask

    async def after_the_doctor(command: Any) -> Any:
        monkeypatch.setattr(commands, "ask", ask)
        await office.clinic.ask("PATCH", f"/api/v1/appointments/{reminded}/cancel", "ada")
        return await ask(command)

    monkeypatch.setattr(commands, "ask", after_the_doctor)
    assert (await office.text(CARL, "1")).words == wording.cancelled_by_patient(WORDS, TODAY_AT_TEN)


@pytest.mark.parametrize("body", ["3", "12", "when is it?", "", "1 or 2", "yes no"])
async def test_anything_else_gets_a_short_help(office: Office, reminded: str, body: str) -> None:
    assert await office.text(CARL, body) == Said(200, wording.how_to_reply(WORDS))
    assert await office.status_of(reminded) is Status.SCHEDULED


@pytest.mark.parametrize("sender", [STRANGER, ADA, "733"])
@pytest.mark.parametrize("body", ["1", "hello"])
async def test_a_number_of_no_patient_gets_a_neutral_answer(
    office: Office, reminded: str, sender: str, body: str
) -> None:
    assert await office.text(sender, body) == Said(200, wording.unmonitored_number(WORDS))
    assert await office.status_of(reminded) is Status.SCHEDULED


async def test_stop_and_start_are_kept_and_answered_with_nothing(office: Office, reminded: str) -> None:
    for body in ("STOP", " unsubscribe ", "Cancel", "opt-out", "QUIT", "please stop texting me"):
        assert await office.text(CARL, body) == Said(200, None)
        assert await office.records.opt_outs.has(CARL, LINE), body
        assert not await office.records.opt_outs.has(CARL, DOCTORS_LINE)
        assert await office.text(CARL, "START") == Said(200, None)
        assert not await office.records.opt_outs.has(CARL, LINE)
    assert await office.text(STRANGER, "stop") == Said(200, None)
    assert await office.records.opt_outs.has(STRANGER, LINE)
    assert await office.status_of(reminded) is Status.SCHEDULED


async def test_twilio_may_say_itself_that_it_was_a_stop(office: Office) -> None:
    assert await office.text(CARL, "arrêt", OptOutType="STOP") == Said(200, None)
    assert await office.records.opt_outs.has(CARL, LINE)


async def test_a_stop_that_comes_again_after_a_start_changes_nothing(office: Office) -> None:
    await office.text(CARL, "STOP", sid="SM7")
    await office.text(CARL, "START")
    assert await office.text(CARL, "STOP", sid="SM7") == Said(200, None)
    assert not await office.records.opt_outs.has(CARL, LINE)


async def test_help_is_answered_by_carriers_and_by_us_where_they_do_not_understand_it(office: Office) -> None:
    assert await office.text(CARL, "HELP") == Said(200, None)
    assert await office.text(CARL, "help me please") == Said(200, wording.how_to_reply(WORDS))


async def test_without_agents_the_patient_is_asked_to_try_again(office: Office, reminded: str) -> None:
    office.clinic.commands.silent = True
    first = await office.text(CARL, "2", sid="SM7")
    assert first == Said(200, wording.try_later(WORDS))
    office.clinic.commands.silent = False
    assert await office.text(CARL, "2", sid="SM7") == first
    assert await office.status_of(reminded) is Status.SCHEDULED
    assert (await office.text(CARL, "2")).words == wording.cancelled_by_patient(WORDS, TODAY_AT_TEN)


async def test_a_request_that_hangs_is_answered_in_time(
    open_for_test: OpenClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = await make_services(Timeouts(text_reply=0.05), **TWILIO_API_URL)
    office = Office(await open_for_test(services))
    await office.remind(await office.clinic.book("carl", "ada", opening(0, half_hours=2)))

    async def for_ever(_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(office.clinic.commands, "ask", for_ever)
    assert await office.text(CARL, "1") == Said(200, wording.try_later(WORDS))


async def test_without_the_database_a_wish_is_answered_and_a_stop_may_be_brought_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(_: object) -> None:
        raise StoreUnavailable("down")

    with monkeypatch.context() as patched:
        patched.setattr(office.records.inbound_texts, "receive", down)
        assert await office.text(CARL, "1") == Said(200, wording.try_later(WORDS))
        assert (await office.text(CARL, "STOP", sid="SM7")).code == "unavailable"
    assert await office.text(CARL, "STOP", sid="SM7") == Said(200, None)
    assert await office.records.opt_outs.has(CARL, LINE)


async def test_replies_to_one_phone_are_limited(office: Office) -> None:
    told = [(await office.text(STRANGER, "I am on holiday")).words for _ in range(32)]
    assert told == [wording.unmonitored_number(WORDS)] * 30 + [None] * 2
    assert (await office.text(CARL, "hello")).words == wording.how_to_reply(WORDS)
    assert await office.text(STRANGER, "STOP") == Said(200, None)
    assert await office.records.opt_outs.has(STRANGER, LINE)


GOOD: Mapping[str, str] = {"MessageSid": "SM7", "From": CARL, "To": LINE, "Body": "2"}


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"headers": {"X-Twilio-Signature": ""}}, 403),
        ({"headers": {"X-Twilio-Signature": "é"}}, 403),
        (
            {"headers": {"X-Twilio-Signature": RequestValidator("guessed").compute_signature(PUBLIC + WEBHOOK, GOOD)}},
            403,
        ),
        ({"signed_over": "http://127.0.0.1:8000" + WEBHOOK}, 403),
        ({"signed_over": PUBLIC + STATUS}, 403),
        ({"headers": {"Content-Type": "application/json"}}, 415),
        ({"headers": {"Content-Type": "multipart/form-data; boundary=x"}}, 415),
    ],
    ids=["none", "not ASCII", "another token", "another host", "another path", "JSON", "multipart"],
)
async def test_a_request_that_twilio_did_not_sign_is_refused(
    office: Office, reminded: str, how: dict[str, Any], status: int
) -> None:
    assert (await office.post(WEBHOOK, GOOD, **how)).status == status
    assert await office.status_of(reminded) is Status.SCHEDULED
    assert (await office.text(CARL, "1", sid="SM7")).words == wording.confirmed(WORDS, TODAY_AT_TEN)  # not kept


@pytest.mark.parametrize(
    "tampered", [{"Body": "1"}, {"From": DORA}, {"New": ""}, {"AccountSid": "AC" + "1" * 32}, {"MessageSid": "SM8"}]
)
async def test_a_form_that_was_changed_on_its_way_is_refused(
    office: Office, reminded: str, tampered: dict[str, str]
) -> None:
    form = {"AccountSid": ACCOUNT, **GOOD}
    headers = {
        "X-Twilio-Signature": RequestValidator(TOKEN).compute_signature(PUBLIC + WEBHOOK, form),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    async with office.clinic.client.post(WEBHOOK, data=urlencode(form | tampered), headers=headers) as response:
        assert response.status == 403
    assert await office.status_of(reminded) is Status.SCHEDULED


async def test_the_form_of_another_account_is_refused_though_it_is_signed(office: Office, reminded: str) -> None:
    assert (await office.text(CARL, "2", AccountSid="AC" + "1" * 32)).code == "forbidden"
    assert await office.status_of(reminded) is Status.SCHEDULED


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"\xff\xfe", "malformed_request"),
        (b"&".join(b"a%d=1" % number for number in range(300)), "malformed_request"),
        (b"Body=" + b"x" * 70_000, "body_too_large"),
        (b"", "forbidden"),
    ],
    ids=["no text", "many fields", "large", "empty"],
)
async def test_what_is_no_form_is_refused(office: Office, raw: bytes, code: str) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": "x"}
    for path in (WEBHOOK, STATUS):
        answer = await office.clinic.ask("POST", path, data=raw, headers=headers)
        assert answer.code == code


@pytest.mark.parametrize("missing", ["MessageSid", "From", "To"])
async def test_a_signed_form_without_what_we_need_is_named(office: Office, missing: str) -> None:
    form = {name: value for name, value in GOOD.items() if name != missing}
    assert (await office.post(WEBHOOK, form)).code == "invalid_request"


@pytest.mark.usefixtures("reminded")
async def test_a_form_with_accents_blanks_and_fields_that_are_new_is_read(office: Office) -> None:
    said = await office.text(CARL, " 1 ", FromCity="São Paulo", FromZip="", Newest="a b+c%20d")
    assert said.words == wording.confirmed(WORDS, TODAY_AT_TEN)


async def test_without_twilio_there_is_nothing_here(clinic: RestClinic) -> None:
    for path in (WEBHOOK, STATUS):
        assert (await clinic.ask("POST", path)).code == "not_found"


def path_of(text: Text) -> str:
    return status_callback(PUBLIC, text.id).removeprefix(PUBLIC)


@pytest.fixture
async def sending(office: Office, reminded: str) -> Text:
    """A text between the POST and its answer."""
    return await office.remind(reminded, TextStatus.SENDING)


async def fresh(office: Office, text: Text) -> Text:
    found = await office.records.texts.by_id(text.id)
    assert found
    return found


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (["queued"], TextStatus.SENT),
        (["sent", "delivered"], TextStatus.DELIVERED),
        (["delivered", "sent", "sending"], TextStatus.DELIVERED),
        (["sent", "sent", "delivered", "delivered"], TextStatus.DELIVERED),
        (["sent", "failed"], TextStatus.FAILED),
        (["undelivered", "sent"], TextStatus.UNDELIVERED),
        (["read"], TextStatus.DELIVERED),
        (["a status of tomorrow"], TextStatus.SENDING),
    ],
)
async def test_a_text_moves_forward_only(office: Office, sending: Text, told: list[str], status: TextStatus) -> None:
    for each in told:
        assert (await office.report(path_of(sending), each)).status == 204
    assert (await fresh(office, sending)).status is status


async def test_a_report_brings_the_sid_that_was_lost_with_the_answer(office: Office, sending: Text) -> None:
    await office.report(path_of(sending), "sent", sid="SM42")
    found = await office.records.texts.by_sid("SM42")
    assert found
    assert (found.id, found.status) == (sending.id, TextStatus.SENT)


async def test_a_report_without_our_id_is_known_by_its_sid(office: Office, sending: Text) -> None:
    await office.records.texts.settle(sending.id, StatusUpdate(TextStatus.SENT, sid="SM42"), office.clinic.clock())
    assert (await office.report(STATUS, "delivered", sid="SM42")).status == 204
    assert (await fresh(office, sending)).status is TextStatus.DELIVERED


async def test_a_report_of_a_text_that_nobody_knows_is_taken_and_does_nothing(office: Office, sending: Text) -> None:
    assert (await office.report(STATUS, "delivered", sid="SM43")).status == 204
    assert (await office.report(f"{STATUS}?text=nobody", "failed", ErrorCode="30003")).status == 204
    assert await fresh(office, sending) == sending


@pytest.mark.parametrize(("code", "waits"), [("30003", timedelta(minutes=45)), ("30001", timedelta(minutes=5))])
async def test_a_phone_that_was_off_gets_the_text_once_more_however_often_we_hear_of_it(
    office: Office, sending: Text, code: str, waits: timedelta
) -> None:
    for _ in range(2):
        await office.report(path_of(sending), "undelivered", ErrorCode=code)
    found = await fresh(office, sending)
    assert (found.status, found.error_code) == (TextStatus.UNDELIVERED, int(code))
    all_texts = await office.records.texts.of_appointment(sending.appointment_id)
    (again,) = [text for text in all_texts if text.again_of == sending.id]
    assert (again.status, again.not_before) == (TextStatus.PLANNED, office.clinic.clock() + waits)
    await office.report(path_of(again), "undelivered", sid="SM2", ErrorCode=code)
    assert len(await office.records.texts.of_appointment(sending.appointment_id)) == len(all_texts)


@pytest.mark.parametrize("code", ["30006", "30005", "30007", "", "99999"])
async def test_what_will_never_arrive_is_kept_with_its_code_and_not_sent_again(
    office: Office, sending: Text, code: str
) -> None:
    before = len(await office.records.texts.of_appointment(sending.appointment_id))
    await office.report(path_of(sending), "undelivered", ErrorCode=code)
    found = await fresh(office, sending)
    assert (found.status, found.error_code) == (TextStatus.UNDELIVERED, int(code) if code else None)
    assert len(await office.records.texts.of_appointment(sending.appointment_id)) == before


async def test_a_late_failure_of_a_text_that_arrived_repeats_nothing(office: Office, sending: Text) -> None:
    await office.report(path_of(sending), "delivered", sid="SM1")
    await office.report(path_of(sending), "undelivered", sid="SM2", ErrorCode="30003")
    assert (await fresh(office, sending)).status is TextStatus.DELIVERED
    texts = await office.records.texts.of_appointment(sending.appointment_id)
    assert [text for text in texts if text.again_of] == []


async def test_a_block_that_comes_by_report_is_kept_as_an_opt_out(office: Office, sending: Text) -> None:
    await office.report(path_of(sending), "failed", ErrorCode="21610")
    assert (await fresh(office, sending)).status is TextStatus.OPTED_OUT
    assert await office.records.opt_outs.has(CARL, LINE)


@pytest.mark.parametrize("code", ["30007", "30034", "30002"])
async def test_what_carriers_keep_back_for_a_fault_of_ours_halts_its_line_once_for_each_text(
    office: Office, sending: Text, code: str
) -> None:
    def counted() -> float:
        return float(STOPPED.labels(code)._value.get())

    before = counted()
    await office.report(path_of(sending), "undelivered", ErrorCode=code)
    told = office.clinic.clock()
    assert await office.records.line_halts.latest(LINE) == LineHalt(int(code), told)
    assert await office.records.line_halts.latest(DOCTORS_LINE) is None
    office.clinic.clock.forward(timedelta(minutes=1))
    await office.report(path_of(sending), "undelivered", ErrorCode=code)
    assert await office.records.line_halts.latest(LINE) == LineHalt(int(code), told)
    assert counted() == before + 1
    assert (await fresh(office, sending)).status is TextStatus.UNDELIVERED


@pytest.mark.parametrize("code", ["30003", "30006", "21610", ""])
async def test_what_is_no_fault_of_ours_halts_nothing(office: Office, sending: Text, code: str) -> None:
    await office.report(path_of(sending), "undelivered", ErrorCode=code)
    assert await office.records.line_halts.latest(LINE) is None


async def test_the_id_in_the_address_is_signed_too(office: Office, sending: Text) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": "delivered", "From": LINE, "To": CARL}
    said = await office.post(path_of(sending), form, signed_over=f"{PUBLIC}{STATUS}?text=another")
    assert said.code == "forbidden"
    assert (await fresh(office, sending)).status is TextStatus.SENDING


LONGEST = wording.Clinic("N" * 40, "(" + "0" * 19)
LONGEST_TIME = wording.local_time(datetime.fromisoformat("2026-10-25T00:30:00Z"), "Europe/Berlin")


@pytest.mark.parametrize("of_time", [wording.confirmed, wording.cancelled_by_patient, wording.too_late_to_change])
def test_answers_that_name_a_time_fit_into_one_segment(of_time: Any) -> None:
    assert segments(of_time(LONGEST, LONGEST_TIME)) == 1


@pytest.mark.parametrize(
    "answer",
    [wording.no_open_appointment, wording.how_to_reply, wording.unmonitored_number, wording.try_later],
)
def test_answers_fit_into_one_segment(answer: Any) -> None:
    assert segments(answer(LONGEST)) == 1
