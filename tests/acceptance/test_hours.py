"""Doctors' hours on the real hub: changed, shown and obeyed. Doctors are disabled and enabled."""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

from hub.client.clinic import clinic_at
from hub.client.member import Member
from hub.client.reconnecting import CannotConnect
from hub.client.wire import EnteredTimeOff, OwnCalendar
from hub.clock import system_clock
from hub.ids import instance_id
from hub.ops.judge.dashboard import Dashboard
from hub.scheduling.values import APPOINTMENT_DURATION
from hub.settings import child_environment
from tests.days import day_after_tomorrow
from tests.faults.judged_run import JudgedRun, judged_run
from tests.people import weekly
from tests.stack import Stack, until

MORNINGS = weekly(0, 2)
NEW = ("--name", "Dr. Nora Newcomer", "--zone", "UTC", "--hours", "mon-sun 00:00-24:00")


async def test_hours_that_a_doctor_changes_are_obeyed_seen_and_undone(stack: Stack) -> None:
    async with judged_run(stack, doctors=1, patients=2) as run:
        doctor, (patient, rival) = run.doctors[0], run.patients
        first, later = run.slots(1)[0], run.slots(9)[8]
        kept = await patient.commands.book(doctor.id, later.start)
        assert kept.appointment
        watching = Dashboard(rival.member.user, system_clock)
        async with rival.member.line(watching.callbacks) as watcher:
            assert await watcher.watch(doctor.id, first.start.date()) is None
            assert watching.slots[doctor.id, later.start + APPOINTMENT_DURATION]

            own = await doctor.member.own_hours.change(MORNINGS)
            assert isinstance(own, OwnCalendar)
            assert [each.id for each in own.outside] == [kept.appointment.id]
            assert (await rival.commands.book(doctor.id, later.start + APPOINTMENT_DURATION)).code == "outside_hours"
            assert await starts(run, first.start.date()) == [
                first.start + number * APPOINTMENT_DURATION for number in range(4)
            ]
            await until(
                lambda: not watching.slots[doctor.id, later.start + APPOINTMENT_DURATION], "the watcher sees slots go"
            )

            away = await doctor.member.own_hours.add_time_off(
                first.start, first.start + APPOINTMENT_DURATION, note="Dentist"
            )
            assert isinstance(away, EnteredTimeOff)
            assert (await rival.commands.book(doctor.id, first.start)).code == "outside_hours"
            await until(lambda: not watching.slots[doctor.id, first.start], "the watcher sees the time off")
            assert await doctor.member.own_hours.remove_time_off(away.time_off.id) is None
            await until(lambda: watching.slots[doctor.id, first.start], "the watcher sees it end")
            assert (await rival.commands.book(doctor.id, first.start)).ok
            assert (await patient.commands.confirm(kept.appointment.id)).ok, "what lay outside has stayed"

            assert doctor.dashboard
            await until(lambda: doctor.dashboard.last_seq(doctor.id) == 6, "the doctor is told everything")
            told = [seen.event for seen in doctor.dashboard.received]
            kinds = ["booked", "hours_changed", "time_off_added", "time_off_removed", "booked", "confirmed"]
            assert [event.type for event in told] == kinds
            assert [event.prev for event in told] == list(range(6))
        _, violations = await run.verdict()
        assert violations == []


async def test_the_command_line_adds_disables_and_enables_a_doctor(stack: Stack) -> None:
    email = f"{instance_id()}@clinic.test"
    made = await doctor_command(stack, "add", *NEW, "--email", email)
    doctor_id, password = made.split()[0], made.split()[-1]
    async with judged_run(stack, doctors=0, patients=2) as run, clinic_at(stack.base_url(), system_clock) as door:
        nora = await door.log_in("doctor", email, password)
        assert isinstance(nora, Member), nora
        first_day = day_after_tomorrow()
        patient, rival = run.patients
        kept = await patient.commands.book(doctor_id, first_day)
        assert kept.appointment
        dashboard = Dashboard(nora.user, system_clock)
        line = nora.line(dashboard.callbacks)
        await line.__aenter__()

        said = await doctor_command(stack, "disable", email)
        assert "Future appointments, which stay booked: 1." in said
        assert kept.appointment.id in said
        assert (await rival.commands.book(doctor_id, first_day + APPOINTMENT_DURATION)).code == "doctor_unavailable"
        assert "disabled" in next(row for row in (await doctor_command(stack, "list")).splitlines() if email in row)
        await until(lambda: not dashboard.is_connected, "the doctor's socket is closed")
        with suppress(CannotConnect):
            await line.__aexit__()
        refused = await door.log_in("doctor", email, password)
        assert getattr(refused, "code", "") == "forbidden"
        assert (await patient.commands.confirm(kept.appointment.id)).ok

        await doctor_command(stack, "enable", doctor_id)
        assert (await rival.commands.book(doctor_id, first_day + APPOINTMENT_DURATION)).ok
        assert isinstance(await door.log_in("doctor", email, password), Member)


async def starts(run: JudgedRun, day: object) -> list[object]:
    return [slot.start for slot in await run.patients[0].member.slots(run.doctors[0].id, day)]


async def doctor_command(stack: Stack, *arguments: str) -> str:
    """Run `clinic-hub doctor …` and return its output."""
    program = Path(sys.executable).with_name("clinic-hub")
    process = await asyncio.create_subprocess_exec(
        program,
        "doctor",
        *arguments,
        env=child_environment(stack.settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()
