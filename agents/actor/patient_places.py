"""The most appointments to come that a patient may have, decided by the record.

Each appointment to come has a place among its patient's: a number that the database gives to no other one of them. The
actor guesses a free place, so that a booking costs no read. If another appointment has it, perhaps of another doctor,
the fence refuses the write. Then the actor reads which places are free. If there is none, a patient is refused. The
people of the clinic are not: what they book beyond the limit has no place.
"""

from collections.abc import Mapping
from hashlib import blake2b

from hub.scheduling.commands import BookAppointment
from hub.scheduling.decision import RefusalCode, Refused
from hub.scheduling.values import Role


def guessed_place(booking: BookAppointment, most: int) -> int | None:
    """Return a place for the appointment that depends on its id alone; None without a limit."""
    if not most:
        return None
    return int.from_bytes(blake2b(booking.id.encode(), digest_size=4).digest()) % most


def free_places(
    bookings: Mapping[int, BookAppointment], taken: Mapping[str, set[int]], most: int
) -> dict[int, int | None]:
    """Return a free place for each booking, by its position in the batch, None if the record has none free.

    The bookings of one patient get different places, as far as there are enough.
    """
    given: dict[str, list[int]] = {}
    places: dict[int, int | None] = {}
    for position, booking in bookings.items():
        patient_id = booking.patient_id
        free = [place for place in range(most) if place not in taken[patient_id]]
        before = given.setdefault(patient_id, [])
        # If they are not enough, two get the same: the first may be refused for another reason.
        place = next((place for place in free if place not in before), free[-1] if free else None)
        places[position] = place
        if place is not None:
            before.append(place)
    return places


def may_have_more(booking: BookAppointment) -> bool:
    """Return whether the limit does not hold: for the people of the clinic."""
    return booking.by.role is not Role.PATIENT


def too_many(most: int) -> Refused:
    """Return the refusal of a patient who has as many appointments to come as the clinic allows."""
    appointments = "1 appointment" if most == 1 else f"{most} appointments"
    return Refused(
        RefusalCode.TOO_MANY_APPOINTMENTS,
        f"You have {appointments} to come, and no more are possible. Cancel one, or ask the clinic.",
    )
