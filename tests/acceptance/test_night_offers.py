"""Outside the hours for texts a slot is offered to who is connected, without a text."""

import asyncio
from pathlib import Path

import pytest

from hub.client.clinic import clinic_at
from hub.clock import system_clock
from hub.ids import instance_id
from hub.ops.judge.dashboard import Dashboard
from hub.records.appointment_filter import AppointmentFilter
from hub.records.mongo import connect
from hub.records.paging import every_appointment
from hub.scheduling.appointment import Appointment
from hub.scheduling.events import SlotOffered
from hub.scheduling.values import Status
from hub.settings import address
from tests.days import day_after_tomorrow
from tests.people import doctor, patient, signed_in, tokens_of, weekly
from tests.stack import Stack

pytestmark = pytest.mark.stack


async def test_at_night_the_first_who_is_connected_is_offered_a_slot_and_gets_no_text(tmp_path: Path) -> None:
    # Half a day away from now, whenever that is.
    hours = "14:00-20:00" if system_clock().hour < 12 else "02:00-08:00"
    async with Stack(tmp_path, waitlist_hours=hours) as stack:
        await stack.start()
        records = connect(address(stack.settings, "mongodb_url"))
        name, day = instance_id(), day_after_tomorrow()
        who = doctor(f"doctor-{name}", shifts=weekly(0, 4))
        asleep, awake = [patient(f"{each}-{name}", phone=f"+1202557100{at}") for at, each in enumerate(["s", "a"])]
        assert await records.users.add([who, asleep, awake]) is None
        tokens = tokens_of(stack.settings, system_clock)

        async def offers() -> list[Appointment]:
            wanted = AppointmentFilter(doctor_id=who.id, statuses=frozenset({Status.OFFERED}))
            return await every_appointment(records.appointments, wanted)

        async with clinic_at(stack.base_url(), system_clock) as clinic:
            first, second = (clinic.member(signed_in(each, tokens)) for each in (asleep, awake))
            for member in (first, second):
                entry = await member.waitlist.join(who.id, day.date(), day.date())
                assert getattr(entry, "status", None) == "waiting", entry
            assert await offers() == []
            dashboard = Dashboard(second.user, system_clock)
            async with second.line(dashboard.callbacks), asyncio.timeout(90):
                while not (found := await offers()):  # noqa: ASYNC110 -- the record has no event for it
                    await asyncio.sleep(0.1)
                [offer] = found
                while not dashboard.has(offer.id, offer.version):  # noqa: ASYNC110 -- the dashboard has no event for it
                    await asyncio.sleep(0.1)
            assert offer.patient_id == awake.id, "the first in the line is not connected"
            event = offer.history[0]
            assert isinstance(event, SlotOffered)
            assert event.without_text
            async with asyncio.timeout(60):
                # Until the texts of all events are planned.
                while (await records.text_positions.read([who.id])).get(who.id, 0) < event.seq:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
            assert await records.texts.of_appointment(offer.id) == []
        await records.close()
