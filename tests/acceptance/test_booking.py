"""Bookings on the real hub, from the first request to the last screen."""

from datetime import timedelta

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from hub.bus import topics
from hub.client.member import CannotRead, Member
from hub.clock import system_clock
from hub.ids import instance_id, new_id
from hub.ops.judge.dashboard import Dashboard
from hub.scheduling.commands import BookAppointment, CancelAppointment, CommandAdapter
from hub.scheduling.values import APPOINTMENT_DURATION, Actor, Role, Status
from tests.faults.judged_run import JudgedRun, Slot, judged_run
from tests.stack import Stack, until

UNREADABLE = [b"", b"{", b'{"kind": "book", "doctorId": {"$gt": ""}}', b"\xff"]


async def test_a_new_patient_books_and_both_sides_see_every_change(stack: Stack) -> None:
    async with judged_run(stack, doctors=1, patients=2) as run:
        doctor, rival = run.doctors[0], run.patients[1]
        newcomer = await signed_up(run)
        slot, later, *_ = run.slots(2)
        assert doctor.id in {card.id for card in await newcomer.doctors()}
        assert await available(newcomer, slot)

        own = Dashboard(newcomer.user, system_clock)
        watching = Dashboard(run.patients[0].member.user, system_clock)
        async with (
            newcomer.line(own.callbacks) as line,
            run.patients[0].member.line(watching.callbacks) as watcher,
        ):
            assert await watcher.watch(slot.doctor_id, slot.start.date()) is None
            booked = await newcomer.commands.book(slot.doctor_id, slot.start, reason="a cough")
            assert (booked.status, booked.ok) == (201, True)
            assert booked.appointment
            assert (await rival.commands.book(slot.doctor_id, slot.start)).code == "slot_taken"
            assert not await available(newcomer, slot)
            mine = booked.appointment.id
            with pytest.raises(CannotRead, match="not_found"):
                await rival.member.appointment(mine)
            assert (await rival.commands.cancel(mine)).code == "not_found"

            assert (await doctor.commands.complete(mine)).code == "too_early"
            assert (await doctor.commands.confirm(mine)).ok
            moved = await line.commands.reschedule(mine, later.start)
            assert moved.appointment
            assert (moved.appointment.status, moved.appointment.start) == (Status.SCHEDULED, later.start)
            assert (await newcomer.commands.cancel(mine)).status == 200
            assert (await newcomer.commands.cancel(mine)).code == "wrong_status"

            await until(lambda: len(own.received) == 4, "the patient is told everything")
            assert [seen.event.type for seen in own.received] == ["booked", "confirmed", "rescheduled", "cancelled"]
            await until(lambda: watching.slots[later.doctor_id, later.start], "the watcher sees the slot free again")
            assert watching.slots[slot.doctor_id, slot.start]
            assert not watching.received, "who watches is told nothing about whom"
        assert [each.id for each in await newcomer.appointments([Status.CANCELLED])] == [mine]
        assert await available(newcomer, slot)
        _, violations = await run.verdict()
        assert violations == []


async def test_unreadable_messages_are_rejected_and_stop_nothing(stack: Stack) -> None:
    async with judged_run(stack, doctors=4, patients=1) as run:
        servers = str(stack.settings.kafka_bootstrap_servers)
        rejected = AIOKafkaConsumer(bootstrap_servers=servers, fetch_max_wait_ms=50, enable_auto_commit=False)
        async with rejected, AIOKafkaProducer(bootstrap_servers=servers) as stranger:
            here = TopicPartition(topics.REJECTED, 0)
            rejected.assign([here])
            await rejected.seek_to_end(here)
            await rejected.position(here)
            for partition in range(stack.settings.kafka_partitions):
                for value in UNREADABLE:
                    await stranger.send_and_wait(topics.COMMANDS, value, key=b"nobody", partition=partition)
            for number, slot in enumerate(run.slots(1)):  # a doctor in each partition
                booked = await run.patients[0].commands.book(slot.doctor_id, slot.start + number * APPOINTMENT_DURATION)
                assert booked.ok
            aside: list[bytes | None] = []
            while len(aside) < len(UNREADABLE) * stack.settings.kafka_partitions:
                aside += [each.value for each in (await rejected.getmany(here, timeout_ms=5000))[here]]
        assert sorted(set(aside)) == sorted(UNREADABLE)


async def test_a_stranger_with_access_to_the_command_topic_changes_nothing(stack: Stack) -> None:
    async with judged_run(stack, doctors=1, patients=1) as run:
        patient, (slot, other, *_) = run.patients[0], run.slots(2)
        booked = await patient.commands.book(slot.doctor_id, slot.start)
        assert booked.appointment
        about = {"doctor_id": slot.doctor_id, "at": system_clock()}
        forged = [
            CancelAppointment(
                id=new_id(),
                appointment_id=booked.appointment.id,
                by=Actor(id="hub", role=Role.SYSTEM, via="timer"),
                **about,
            ),
            BookAppointment(
                id=new_id(),
                patient_id=patient.id,
                start=other.start,
                by=Actor(id=patient.id, role=Role.PATIENT, via="rest"),
                **about,
            ),
        ]
        partition = topics.partition_of(slot.doctor_id, stack.settings.kafka_partitions)
        async with AIOKafkaProducer(bootstrap_servers=str(stack.settings.kafka_bootstrap_servers)) as stranger:
            for command in forged:
                value = CommandAdapter.dump_json(command, by_alias=True, exclude_none=True)
                await stranger.send_and_wait(topics.COMMANDS, value, key=slot.doctor_id.encode(), partition=partition)
        assert (await patient.commands.confirm(booked.appointment.id)).ok  # decided after the forged ones
        (mine,) = await patient.member.appointments()
        assert (mine.id, mine.status) == (booked.appointment.id, Status.CONFIRMED)


async def signed_up(run: JudgedRun) -> Member:
    name = instance_id()
    number = f"+1808555{int(name, 16) % 10_000:04d}"
    member = await run.door.sign_up("Nora Newcomer", f"{name}@clinic.test", number, "Correct-horse-7")
    assert isinstance(member, Member), member
    return member


async def available(member: Member, slot: Slot) -> bool:
    """Whether a slot is shown as free. Fails when it is not shown at all."""
    shown = {each.start: each.available for each in await member.slots(slot.doctor_id, slot.start.date())}
    assert slot.start + timedelta(hours=1) in shown
    return shown[slot.start]
