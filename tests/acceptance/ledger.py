"""Thousands of appointments, written directly into the record as if they had been booked long ago."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from hub.accounts.account import Account
from hub.ids import new_id
from hub.records.ports import Records, Saved
from hub.scheduling.apply import apply
from hub.scheduling.appointment import Appointment
from hub.scheduling.events import AppointmentBooked
from hub.scheduling.values import Actor, Role
from hub.scheduling.waitlist_entry import WaitlistEntry
from hub.scheduling.waitlist_events import WaitlistJoined
from hub.scheduling.wish import Wish
from tests.people import doctor, patient

_AT_ONCE = 500
_ENTRIES_AT_ONCE = 100
"""The embedded engine takes longer for an entry than for an appointment."""
_SEED = Actor(id="seed", role=Role.SYSTEM, via="seed")
"""Bookings of the seed cause no texts. Their reminders do."""


class Ledger:
    """Writes accounts and appointments. Doctors have no phone, so that every text goes to a patient."""

    def __init__(self, records: Records, booked_at: datetime, people_before: int = 0) -> None:
        """`people_before`: how many people others may have added to these records."""
        self._records = records
        self._booked_at = booked_at
        self._seqs: Counter[str] = Counter()
        self._people = people_before

    async def doctors(self, number: int, zone: str = "UTC") -> list[str]:
        """Add doctors and return their ids."""
        people = [doctor(self._next_id("doctor"), zone) for _ in range(number)]
        await self._add(people)
        return [account.id for account in people]

    async def patients(self, number: int) -> list[Account]:
        people = [patient(self._next_id("patient"), phone=f"+1303{5_000_000 + self._people}") for _ in range(number)]
        await self._add(people)
        return people

    async def book(self, bookings: Sequence[tuple[str, str, datetime]]) -> list[Appointment]:
        """Write an appointment for each (doctor id, patient id, start). A start may lie off the grid of slots."""
        appointments = list(self.appointments(bookings))
        for first in range(0, len(appointments), _AT_ONCE):
            assert await self._records.appointments.save(appointments[first : first + _AT_ONCE]) == Saved()
        return appointments

    def appointments(self, bookings: Iterable[tuple[str, str, datetime]]) -> Iterator[Appointment]:
        """Yield the same appointments without writing them."""
        return (self._appointment(*booking) for booking in bookings)

    async def wait(self, doctor_id: str, patient_ids: Sequence[str], wish: Wish) -> None:
        """Let patients wait for a doctor, in this order."""
        entries = [self._entry(doctor_id, patient_id, wish) for patient_id in patient_ids]
        for first in range(0, len(entries), _ENTRIES_AT_ONCE):
            assert await self._records.appointments.save(entries[first : first + _ENTRIES_AT_ONCE]) == Saved()

    async def planned(self) -> None:
        """Mark the texts of these appointments as planned, as they are in a clinic that has been running."""
        await self._records.text_positions.advance(self._seqs)

    def _appointment(self, doctor_id: str, patient_id: str, start: datetime) -> Appointment:
        header = self._header(doctor_id)
        return apply(None, AppointmentBooked(**header, doctor_id=doctor_id, patient_id=patient_id, start=start))

    def _entry(self, doctor_id: str, patient_id: str, wish: Wish) -> WaitlistEntry:
        header = self._header(doctor_id)
        return apply(None, WaitlistJoined(**header, doctor_id=doctor_id, patient_id=patient_id, wish=wish))

    def _header(self, doctor_id: str) -> dict[str, Any]:
        self._seqs[doctor_id] += 1
        seq = self._seqs[doctor_id]
        return {
            "seq": seq,
            "prev": seq - 1,
            "at": self._booked_at,
            "by": _SEED,
            "command_id": new_id(),
            "fingerprint": "0" * 16,
        }

    async def _add(self, people: Sequence[Account]) -> None:
        for first in range(0, len(people), _AT_ONCE):
            assert await self._records.users.add(people[first : first + _AT_ONCE]) is None

    def _next_id(self, role: str) -> str:
        self._people += 1
        return f"{role}-{self._people}"


def spread(first: datetime, over: timedelta, number: int) -> list[datetime]:
    """Return `number` instants, evenly spread over the time after the first."""
    return [first + over * place / number for place in range(number)]
