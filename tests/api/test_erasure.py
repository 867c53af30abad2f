"""A patient ends the own account: who the patient was is gone everywhere, and what happened stays."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from hub.accounts.account import Erasure, OneTimeCode, Session
from hub.bus.messages import Reply
from hub.bus.ports import NoAnswer
from hub.records.erasure import LOOKED_AFTER, begin
from hub.scheduling.commands import CancelAppointment, Command
from hub.scheduling.values import Role
from hub.texting.inbound_text import InboundText
from hub.texting.text import TextStatus
from tests.api.rest_clinic import MONDAY_MORNING, PASSWORD, Answer, RestClinic, opening
from tests.api.test_personal_data import text

ME, A, P, W = "/api/v1/users/me", "/api/v1/appointments", "/api/v1/patients", "/api/v1/waitlist"
PHONE = "+12025550123"
WORDS = "a rash on the knee"


async def ended(clinic: RestClinic, who: str = "carl", password: str = PASSWORD) -> Answer:
    return await clinic.ask("DELETE", ME, who, json={"password": password})


async def history(clinic: RestClinic, appointment: str, who: str = "ada") -> list[dict[str, Any]]:
    return list((await clinic.ask("GET", f"{A}/{appointment}/history", who)).body)


async def stored(clinic: RestClinic, who: str = "patient-carl") -> Erasure:
    account = await clinic.services.records.users.by_id(who)
    assert account
    assert account.erased
    return account.erased


async def test_what_is_to_come_is_cancelled_and_what_was_stays_without_its_words(clinic: RestClinic) -> None:
    past = await clinic.book("carl", "ada", opening(0, 1), reason=WORDS)
    clinic.clock.forward(timedelta(minutes=40))
    await clinic.ask("PATCH", f"{A}/{past}/complete", "ada")
    future = await clinic.book("carl", "ben", opening(1), reason=WORDS)
    called_off = await clinic.book("carl", "ada", opening(2), reason=WORDS)
    await clinic.ask("PATCH", f"{A}/{called_off}/cancel", "carl", json={"reason": f"no {WORDS} any more"})
    others = await clinic.book("dora", "ada", opening(1), reason="Dora's own")
    entry = await clinic.ask(
        "POST", W, "carl", json={"doctorId": "doctor-ben", "from": "2026-11-30", "to": "2026-12-04"}
    )
    assert entry.status == 201

    assert (await ended(clinic)).status == 204

    assert [each["type"] for each in await history(clinic, past)] == ["booked", "completed", "patient_erased"]
    types = [each["type"] for each in await history(clinic, future, "ben")]
    assert types == ["booked", "patient_erased", "cancelled"]
    assert [each["by"]["id"] for each in await history(clinic, future, "ben")] == ["patient-carl"] * 3
    for appointment, who in ((past, "ada"), (future, "ben"), (called_off, "ada")):
        shown = (await clinic.ask("GET", f"{A}/{appointment}", who)).body
        assert (shown["patient"], shown["reason"]) == ({"id": "patient-carl", "name": None}, None)
        assert WORDS not in str(await history(clinic, appointment, who))
    slots = (await clinic.ask("GET", "/api/v1/doctors/doctor-ben/slots?date=2026-11-24", "dora")).body
    assert slots[0] == {"start": "2026-11-24T08:00:00Z", "end": "2026-11-24T08:30:00Z", "available": True}
    assert (await clinic.ask("GET", W, "ben")).body == []
    counts = (await clinic.ask("GET", f"{A}/stats/doctor/doctor-ada", "ada")).body["all"]
    assert (counts["total"], counts["completed"], counts["cancelled"]) == (3, 1, 1)
    shown = (await clinic.ask("GET", f"{A}/{others}", "ada")).body
    assert (shown["patient"]["name"], shown["reason"]) == ("Dora", "Dora's own")


async def test_nobody_is_signed_in_any_more_nor_can_log_in_or_be_booked(clinic: RestClinic) -> None:
    log_in = {"email": "carl@clinic.test", "password": PASSWORD}
    one, two = [(await clinic.ask("POST", "/api/v1/auth/patient/login", json=log_in)).body for _ in range(2)]
    answer = await clinic.ask("DELETE", ME, token=one["accessToken"], json={"password": PASSWORD})
    assert answer.status == 204
    for tokens in (one, two):
        assert (await clinic.ask("GET", ME, token=tokens["accessToken"])).code == "invalid_token"
        refresh = {"refreshToken": tokens["refreshToken"]}
        assert (await clinic.ask("POST", "/api/v1/auth/refresh", json=refresh)).code == "invalid_token"
    assert (await clinic.ask("POST", "/api/v1/auth/patient/login", json=log_in)).code == "invalid_credentials"
    assert (await ended(clinic)).code == "invalid_token", "also with a token of another process's making"
    body = {"doctorId": "doctor-ada", "start": opening(1).isoformat(), "patientId": "patient-carl"}
    assert (await clinic.ask("POST", A, "robin", json=body)).code == "patient_erased"
    wish = {"doctorId": "doctor-ada", "from": "2026-11-30", "to": "2026-12-04", "patientId": "patient-carl"}
    assert (await clinic.ask("POST", W, "robin", json=wish)).code == "patient_erased"
    assert (await clinic.ask("PATCH", f"{P}/patient-carl", "robin", json={"name": "Carl"})).code == "patient_erased"
    assert (await clinic.ask("GET", f"{P}/patient-carl", "robin")).code == "not_found"
    for q in ("carl", "carl@clinic.test", PHONE):
        assert (await clinic.ask("GET", P, "robin", params={"q": q})).body == []
    sign_up = {"name": "Carl", "phone": PHONE, **log_in}
    again = await clinic.ask("POST", "/api/v1/auth/patient/signup", json=sign_up | {"password": "Another-horse-7"})
    assert again.status == 201, "address and phone are free again"
    assert again.body["user"]["id"] != "patient-carl"


async def test_a_wrong_password_names_the_field_and_staff_cannot(clinic: RestClinic) -> None:
    refused = await ended(clinic, password="Wrong-horse-7")
    assert (refused.code, refused.body["errors"][0]["pointer"]) == ("invalid_request", "/password")
    for who in ("ada", "robin"):
        assert (await ended(clinic, who)).code == "forbidden"
    assert (await clinic.ask("GET", ME, "carl")).status == 200


async def test_texts_codes_counters_and_addresses_are_gone(clinic: RestClinic) -> None:
    records = clinic.services.records
    log_in = {"email": "carl@clinic.test", "password": PASSWORD}
    await clinic.ask("POST", "/api/v1/auth/patient/login", json=log_in, headers={"User-Agent": "Carl's phone"})
    booked = await clinic.book("carl", "ada", opening(1))
    waiting = text("t2", "patient-carl", booked, "See you tomorrow").model_copy(update={"status": TextStatus.PLANNED})
    await records.texts.add_all([text("t1", "patient-carl", booked, "Cancelled"), waiting])
    message = InboundText(id="m", phone=PHONE, our_number="1", body=WORDS, received_at=MONDAY_MORNING, answer=None)
    await records.inbound_texts.receive(message)
    await records.opt_outs.add(PHONE, "12345", MONDAY_MORNING)
    until = MONDAY_MORNING + timedelta(minutes=10)
    await records.codes.put(OneTimeCode(id="phone:patient-carl", code_hash="x", phone=PHONE, expires_at=until))

    assert (await ended(clinic)).status == 204

    texts = {each.id: each for each in await records.texts.to_person("patient-carl", MONDAY_MORNING)}
    assert {(each.phone, each.body) for each in texts.values()} == {(None, "")}
    assert (texts["t1"].status, texts["t2"].status, texts["t2"].reason) == ("delivered", "skipped", "erased")
    assert (await records.inbound_texts.receive(message)).body == ""
    assert not await records.opt_outs.has(PHONE, "12345")
    assert await records.codes.tried("phone:patient-carl") is None
    await clinic.services.access_log.flush()
    await records.access_log.forget_addresses("patient-carl")
    day = timedelta(days=1)
    lines = await records.access_log.by("patient-carl", MONDAY_MORNING - day, MONDAY_MORNING + day)
    assert [each.action for each in lines] == ["logged_in", "data_erased"]
    assert (await stored(clinic)).model_dump(exclude_none=True).keys() == {
        *("by", "by_role", "key", "at", "look_until", "finished_at")
    }


async def test_a_phone_of_the_family_keeps_the_texts_of_the_others(clinic: RestClinic) -> None:
    child = (await clinic.ask("POST", P, "robin", json={"name": "Lea", "phone": PHONE})).body["id"]
    own = await clinic.book("carl", "ada", opening(1))
    childs = await clinic.book("robin", "ada", opening(1, 1), patientId=child)
    records = clinic.services.records
    for id_, about in (("m1", own), ("m2", childs)):
        message = InboundText(id=id_, phone=PHONE, our_number="1", body=id_, received_at=MONDAY_MORNING, answer=None)
        await records.inbound_texts.receive(message)
        await records.inbound_texts.bind(id_, about)
    await ended(clinic)
    assert [each.body for each in await records.inbound_texts.about_appointments(PHONE, MONDAY_MORNING)] == ["m2"]
    assert (await clinic.ask("GET", f"{P}/{child}", "robin")).body["phone"] == PHONE


async def test_a_patient_who_was_joined_with_the_account_is_erased_with_it(clinic: RestClinic) -> None:
    lea = (await clinic.ask("POST", P, "robin", json={"name": "Karl the same"})).body["id"]
    booked = await clinic.book("robin", "ada", opening(1), patientId=lea, reason=WORDS)
    await clinic.ask("POST", f"{P}/{lea}/join", "robin", json={"into": "patient-carl"})
    await ended(clinic)
    await clinic.services.erasures.look_after()
    assert (await stored(clinic, lea)).finished_at
    assert (await clinic.ask("GET", f"{P}/{lea}", "robin")).code == "not_found"
    assert WORDS not in str(await history(clinic, booked))


@pytest.mark.parametrize("dies_at", range(1, 8))
async def test_an_erasure_that_died_half_way_is_finished_and_nothing_is_doubled(
    clinic: RestClinic, dies_at: int
) -> None:
    booked = [await clinic.book("carl", "ada", opening(1, number), reason=WORDS) for number in range(3)]
    await clinic.ask("POST", W, "carl", json={"doctorId": "doctor-ben", "from": "2026-11-30", "to": "2026-12-04"})
    real, sent = clinic.commands.ask, 0

    async def dies(command: Command) -> Reply:
        nonlocal sent
        sent += 1
        if sent == dies_at:
            await real(command)  # applied, and the process dies before it knows
        if sent >= dies_at:
            raise NoAnswer("gone")
        return await real(command)

    clinic.commands.ask = dies  # type: ignore[method-assign]
    assert (await ended(clinic)).status == 204, "the account is gone, and the hub does the rest"
    assert (await stored(clinic)).finished_at is None
    assert (await clinic.ask("GET", ME, "carl")).code == "invalid_token"
    clinic.commands.ask = real  # type: ignore[method-assign]

    await asyncio.gather(*(clinic.services.erasures.look_after() for _ in range(3)))

    for id_ in booked:
        assert [each["type"] for each in await history(clinic, id_)] == ["booked", "patient_erased", "cancelled"]
        assert WORDS not in str(await history(clinic, id_))
    assert (await clinic.ask("GET", W, "ben")).body == []
    assert (await stored(clinic)).finished_at


async def test_a_booking_that_was_under_way_is_found_later(clinic: RestClinic) -> None:
    await clinic.book("carl", "ada", opening(1))
    await ended(clinic)
    late = clinic.commands.asked[0].model_copy(update={"id": "late", "start": opening(1, 5), "reason": WORDS})
    assert (await clinic.commands.ask(late)).notices, "the booking is written"
    clinic.clock.forward(timedelta(minutes=5))
    await clinic.services.erasures.look_after()
    assert [each["type"] for each in await history(clinic, "late")] == ["booked", "patient_erased", "cancelled"]
    clinic.clock.forward(LOOKED_AFTER)
    await clinic.services.erasures.look_after()
    assert (await stored(clinic)).look_until is None
    asked = len(clinic.commands.asked)
    await clinic.services.erasures.look_after()
    assert len(clinic.commands.asked) == asked


async def test_words_that_are_said_later_go_too(clinic: RestClinic) -> None:
    booked = await clinic.book("carl", "ada", opening(0, 1))
    await clinic.ask("PATCH", f"{A}/{booked}/check-in", "robin")
    await ended(clinic)
    assert (await clinic.ask("GET", f"{A}/{booked}", "ada")).body["status"] == "scheduled", "the patient is there"
    await clinic.ask("PATCH", f"{A}/{booked}/undo-visit", "robin")
    assert (await clinic.ask("PATCH", f"{A}/{booked}/cancel", "robin", json={"reason": WORDS})).status == 200
    clinic.clock.forward(timedelta(minutes=5))
    await clinic.services.erasures.look_after()
    assert WORDS not in str(await history(clinic, booked))


async def test_no_change_of_the_profile_brings_the_person_back(clinic: RestClinic) -> None:
    users, carl = clinic.services.records.users, clinic.people["carl"]
    await ended(clinic)
    assert await users.change(carl, carl.model_copy(update={"name": "Carl again"})) == "stale"
    again = Erasure(by="cli", by_role=Role.SYSTEM, key="k", at=MONDAY_MORNING, look_until=None)
    assert await begin(clinic.services.records, carl, again) is None
    session = Session(
        id="late", user_id=carl.id, role="patient", token_hash="x", created_at=MONDAY_MORNING, expires_at=opening(9)
    )
    await clinic.services.records.sessions.add(session)
    assert await clinic.services.sign_in.refresh("late.secret") is None


async def test_a_process_that_is_told_of_the_erasure_sends_the_name_no_more(clinic: RestClinic) -> None:
    directory = clinic.services.directory
    await clinic.book("carl", "ada", opening(1))
    await clinic.ask("GET", f"{A}?limit=5", "ada")
    carl = directory.get("patient-carl")
    assert carl
    assert carl.name == "Carl"
    await ended(clinic)
    directory.put(carl)  # as in a process that has not read the accounts again
    clinic.clock.forward(timedelta(minutes=5))
    notices = [each for command in clinic.commands.asked[1:2] for each in (await clinic.commands.ask(command)).notices]
    clinic.services.views.on_notice(notices[0])
    known = directory.get("patient-carl")
    assert known
    assert (known.name, known.erased) == ("", True)


async def test_what_the_command_line_began_is_finished_by_the_hub_under_its_name(clinic: RestClinic) -> None:
    lea = (await clinic.ask("POST", P, "robin", json={"name": "Lea Berg", "phone": PHONE})).body["id"]
    booked = await clinic.book("robin", "ada", opening(1), patientId=lea, reason=WORDS)
    records = clinic.services.records
    account = await records.users.by_id(lea)
    assert account
    wanted = Erasure(by="cli", by_role=Role.SYSTEM, key="k", at=MONDAY_MORNING, look_until=opening(1))
    assert await begin(records, account, wanted)
    await clinic.services.erasures.look_after()
    assert [(each["type"], each["by"]["id"]) for each in await history(clinic, booked)][1:] == [
        ("patient_erased", "cli"),
        ("cancelled", "cli"),
    ]
    assert [each for each in clinic.commands.asked if isinstance(each, CancelAppointment)][-1].by.via == "cli"
    assert (await clinic.ask("GET", P, "robin", params={"q": "lea"})).body == []
