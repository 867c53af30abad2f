"""The api and the agents get kill -9 while a patient is erased: it is finished once they are back, without a trace."""

import asyncio
import os
import sys
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from pymongo import MongoClient

from hub.accounts.passwords import hash_password
from hub.client.clinic import clinic_at
from hub.client.member import Member
from hub.clock import system_clock
from hub.ids import instance_id
from hub.records.appointment_filter import AppointmentFilter
from hub.records.mongo import connect
from hub.records.ports import Records
from hub.scheduling.appointment import Appointment
from hub.scheduling.values import APPOINTMENT_DURATION
from hub.settings import address
from hub.texting.inbound_text import InboundText
from tests.days import day_after_tomorrow
from tests.people import doctor, patient, receptionist, signed_in, tokens_of
from tests.stack import Stack

pytestmark = pytest.mark.stack

NUMBER = 24
PASSWORD = "Correct-horse-7"
NAME, EMAIL, PHONE = "Griselda Quandt", "griselda.quandt@clinic.test", "+12025550187"
REASON, CANCEL_REASON, SAID = "a rash on the elbow", "the elbow is better", "my elbow hurts"
WORDS = ("griselda", "quandt", PHONE, PHONE.removeprefix("+"), "elbow")


async def test_an_erasure_that_was_half_done_is_finished_and_no_word_of_the_person_is_left(tmp_path: Path) -> None:
    async with Stack(tmp_path) as stack:
        await stack.start()
        url = address(stack.settings, "mongodb_url")
        records = connect(url)
        name, day = instance_id(), day_after_tomorrow()
        who, desk, other = doctor(f"doctor-{name}"), receptionist(f"desk-{name}"), patient(f"other-{name}")
        erased = patient(f"patient-{name}", name=NAME, email=EMAIL, phone=PHONE).model_copy(
            update={"password_hash": await hash_password(PASSWORD, 4)}
        )
        assert await records.users.add([who, desk, other, erased]) is None
        tokens = tokens_of(stack.settings, system_clock)
        async with clinic_at(stack.base_url(), system_clock) as clinic:
            person, member = clinic.member(signed_in(erased, tokens)), clinic.member(signed_in(desk, tokens))
            starts = [day + number * APPOINTMENT_DURATION for number in range(NUMBER)]
            booked = [
                await member.commands.book(who.id, start, reason=REASON, patient_id=erased.id) for start in starts
            ]
            assert all(answer.ok for answer in booked)
            first = booked[0].appointment
            assert first
            assert (await person.commands.cancel(first.id, reason=CANCEL_REASON)).ok
            await records.inbound_texts.receive(
                InboundText(
                    id="m", phone=PHONE, our_number="12345", body=SAID, received_at=system_clock(), answer="Thank you"
                )
            )
            await until_texts_name(records, erased.id)
            found = await asyncio.to_thread(words_in, url)
            assert {"users", "appointments", "texts", "inbound_texts"} <= found.keys(), "they are there before"

            async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {person._tokens.access}"}) as http:
                request = asyncio.create_task(
                    http.delete(f"{stack.base_url()}/api/v1/users/me", json={"password": PASSWORD}).__aenter__()
                )
                async with asyncio.timeout(60):
                    while not await begun(records, erased.id):  # noqa: ASYNC110 -- the record has no event for it
                        await asyncio.sleep(0)
                await asyncio.gather(stack.kill(stack.apis[0]), stack.kill(stack.agents[0]))
                with pytest.raises(aiohttp.ClientError):
                    await request
            half = await begun(records, erased.id)
            assert 0 < half < NUMBER, "the processes did not die half-way"
            await asyncio.gather(stack.restart(stack.apis[0]), stack.restart(stack.agents[0]))

            async with asyncio.timeout(60):
                while not await finished(records, erased.id):  # noqa: ASYNC110 -- the same
                    await asyncio.sleep(0.1)

            histories = [[event.type for event in each.history] for each in await appointments(records, erased.id)]
            assert sorted(histories) == sorted(
                [["booked", "cancelled", "patient_erased"]] + [["booked", "patient_erased", "cancelled"]] * (NUMBER - 1)
            )
            assert await asyncio.to_thread(words_in, url) == {}
            refused = await member.commands.book(who.id, starts[-1] + timedelta(hours=1), patient_id=erased.id)
            assert refused.code == "patient_erased"
            taken = await member.commands.book(who.id, starts[5], patient_id=other.id)
            assert taken.ok, "the times are free again"
            assert taken.appointment
            await erase_one_without_a_log_in(records, member, url, who.id, starts[7])
            shown = await member.appointment(booked[3].appointment.id if booked[3].appointment else "")
            assert (shown.reason, shown.patient and shown.patient.name) == (None, None)
        await records.close()


async def erase_one_without_a_log_in(
    records: Records, member: Member, url: str, doctor_id: str, start: datetime
) -> None:
    lea = patient(f"lea-{instance_id()}", name=NAME, email=None, password_hash=None, phone=PHONE)
    await records.users.add([lea])
    assert (await member.commands.book(doctor_id, start, reason=REASON, patient_id=lea.id)).ok
    assert await on_the_command_line(url, lea.id) == (0, f"{lea.id} is erased.")
    assert await asyncio.to_thread(words_in, url) == {}


async def on_the_command_line(url: str, patient_id: str) -> tuple[int | None, str]:
    """Erase a patient by `clinic-hub patient erase`; return its exit code and its last line."""
    program = Path(sys.executable).with_name("clinic-hub")
    process = await asyncio.create_subprocess_exec(
        *(program, "patient", "erase", patient_id, "--yes"),
        env={**os.environ, "MONGODB_URL": url},  # noqa: TID251  # the rest of the environment is ours
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode().splitlines()[-1]


def words_in(url: str) -> dict[str, set[str]]:
    """Dump every collection of the database; return in which of them there is which word of the person."""
    found: dict[str, set[str]] = {}
    with MongoClient[dict[str, object]](url) as client:
        database = client.get_default_database("clinic")
        for collection in database.list_collection_names():
            content = "\n".join(str(document) for document in database[collection].find()).lower()
            if words := {word for word in WORDS if word in content}:
                found[collection] = words
    return found


async def appointments(records: Records, patient_id: str) -> list[Appointment]:
    return await records.appointments.page(AppointmentFilter(patient_id=patient_id), NUMBER + 1)


async def begun(records: Records, patient_id: str) -> int:
    """Return how many appointments of the patient have lost their words."""
    return sum(each.erased for each in await appointments(records, patient_id))


async def finished(records: Records, patient_id: str) -> bool:
    account = await records.users.by_id(patient_id)
    return account is not None and account.erased is not None and account.erased.finished_at is not None


async def until_texts_name(records: Records, patient_id: str) -> None:
    """Wait until texts about the appointments have been planned."""
    async with asyncio.timeout(30):
        since = system_clock() - timedelta(days=1)
        while not await records.texts.to_person(patient_id, since):  # noqa: ASYNC110 -- the record has no event for it
            await asyncio.sleep(0.1)
