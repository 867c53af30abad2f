"""Finds the free slots of a few doctors, which the patients of the demo compete for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.client.member import Member
from hub.client.wire import DoctorCard
from hub.ops.demo.sign_in import CannotStart
from hub.ops.seeding.people import Person
from hub.scheduling.schedule import zone

_DAYS = 30
_MIN_LEAD = timedelta(minutes=10)
"""An earlier slot might begin during the demo, and an appointment that has begun cannot be cancelled."""
_MIN_DOCTORS = 2


@dataclass(frozen=True)
class FreeSlot:
    """A free slot of a doctor."""

    doctor: DoctorCard
    start: datetime


async def find_free_slots(
    patient: Member, doctors: Sequence[Person], how_many_doctors: int, slots_each: int, now: datetime
) -> list[FreeSlot]:
    """Return the next free slots of the first doctors who have enough of them. Raises `CannotStart`.

    The slots of the doctors alternate, so that neighbours in the list belong to different doctors.
    """
    cards = {card.id: card for card in await patient.doctors()}
    found: list[list[FreeSlot]] = []
    for person in doctors:
        if len(found) == how_many_doctors:
            break
        if card := cards.get(person.id):
            free_slots = await _free_slots_of(patient, card, slots_each, now)
            if len(free_slots) == slots_each:
                found.append(free_slots)
    if len(found) < _MIN_DOCTORS:
        raise CannotStart(
            f"fewer than {_MIN_DOCTORS} of the seeded doctors have {slots_each} free slots in the next {_DAYS} days",
        )
    return [slot for row in zip(*found, strict=True) for slot in row]


async def _free_slots_of(patient: Member, doctor: DoctorCard, wanted: int, now: datetime) -> list[FreeSlot]:
    today = now.astimezone(zone(doctor.zone)).date()
    found: list[FreeSlot] = []
    for away in range(_DAYS):
        slots = await patient.slots(doctor.id, today + timedelta(days=away))
        found += [FreeSlot(doctor, slot.start) for slot in slots if slot.available and slot.start > now + _MIN_LEAD]
        if len(found) >= wanted:
            return found[:wanted]
    return found
