"""What there is to race for: free slots of a few doctors, as the hub tells them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.client.member import Member
from hub.client.wire import DoctorCard
from hub.ops.demo.people import CannotBegin
from hub.ops.seeding.people import Person
from hub.scheduling.schedule import zone

_DAYS = 30
_NOT_BEFORE = timedelta(minutes=10)
"""What starts sooner might begin while the morning lasts, and what has begun cannot be cancelled."""
_FEWEST = 2


@dataclass(frozen=True)
class Opening:
    """A free slot."""

    doctor: DoctorCard
    start: datetime


async def find_openings(
    patient: Member, doctors: Sequence[Person], how_many_doctors: int, slots_each: int, now: datetime
) -> list[Opening]:
    """Return the next free slots of the first doctors who have enough of them. Raises `CannotBegin`.

    The doctors' slots are interleaved, so that neighbours in the list belong to different doctors.
    """
    cards = {card.id: card for card in await patient.doctors()}
    found: list[list[Opening]] = []
    for person in doctors:
        if len(found) == how_many_doctors:
            break
        if card := cards.get(person.id):
            openings = await _openings_of(patient, card, slots_each, now)
            if len(openings) == slots_each:
                found.append(openings)
    if len(found) < _FEWEST:
        raise CannotBegin(
            f"fewer than {_FEWEST} of the seeded doctors have {slots_each} free slots in the next {_DAYS} days",
        )
    return [opening for row in zip(*found, strict=True) for opening in row]


async def _openings_of(patient: Member, doctor: DoctorCard, wanted: int, now: datetime) -> list[Opening]:
    today = now.astimezone(zone(doctor.zone)).date()
    found: list[Opening] = []
    for away in range(_DAYS):
        slots = await patient.slots(doctor.id, today + timedelta(days=away))
        found += [Opening(doctor, slot.start) for slot in slots if slot.available and slot.start > now + _NOT_BEFORE]
        if len(found) >= wanted:
            return found[:wanted]
    return found
