"""The line of a doctor: who waits, what each was offered, and who is next. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Self

from hub.scheduling.appointment import Appointment
from hub.scheduling.schedule import Schedule, zone
from hub.scheduling.values import HORIZON, Status, Value
from hub.scheduling.waitlist_entry import WaitlistEntry

_LAST_ANSWER = timedelta(minutes=30)
"""An offer ends this long before the start at the latest."""
_MINUTES_OF_HOUR = 60
_CACHED_SPANS = 64


class OfferPolicy(Value):
    """How the clinic makes offers.

    `offer_for`: how long an offer stands. `lead`: the shortest time from the offer to the start. Offers are made from
    `opens` to `closes`, in minutes after midnight by the doctor's clock, because a text tells the patient. Outside of
    these hours they are made to patients only who are connected, and no text tells it.
    """

    offer_for: timedelta = timedelta(minutes=30)
    lead: timedelta = timedelta(minutes=60)
    opens: int = 8 * 60
    closes: int = 21 * 60

    def until(self, start: datetime, now: datetime) -> datetime:
        """Return when an offer of the slot at `start` ends that is made now."""
        return min(now + self.offer_for, start - _LAST_ANSWER)

    def may_text(self, schedule: Schedule, now: datetime) -> bool:
        """Return whether patients may be sent texts about offers now."""
        local = now.astimezone(zone(schedule.zone))
        return self.opens <= local.hour * _MINUTES_OF_HOUR + local.minute < self.closes


@dataclass(frozen=True)
class Offer:
    """What the line has to know of an offer: to whom, when, and what became of it."""

    appointment_id: str
    entry_id: str
    patient_id: str
    offered_start: datetime
    start: datetime
    status: Status

    @property
    def accepted(self) -> bool:
        """Whether the patient took it, whatever has happened to the appointment since."""
        return self.status not in {Status.OFFERED, Status.LAPSED}


@dataclass(frozen=True)
class Line:
    """The waitlist of one doctor as of the doctor's last event.

    `entries` has every waiting entry and `offers` every offer of the last month and the future, by appointment. Only
    the record knows who of the patients cannot be offered something because of another doctor: `busy` holds such
    patients and starts, `asked` such patients, as far as they have been looked up. `connected` holds the patients who
    are connected, if that has been looked up: it is needed outside the hours for texts only.
    """

    policy: OfferPolicy
    entries: Mapping[str, WaitlistEntry]
    offers: Mapping[str, Offer]
    busy: frozenset[tuple[str, datetime]] = frozenset()
    asked: frozenset[str] = frozenset()
    connected: frozenset[str] = frozenset()

    def with_entry(self, entry: WaitlistEntry) -> Self:
        """Return the line after an event of an entry."""
        entries = {**self.entries, entry.id: entry}
        return replace(self, entries=entries)

    def with_appointment(self, appointment: Appointment) -> Self:
        """Return the line after an event of an appointment."""
        offer = offer_of(appointment)
        return self if offer is None else replace(self, offers={**self.offers, offer.appointment_id: offer})

    def without(self, busy: Collection[tuple[str, datetime]], asked: Collection[str]) -> Self:
        """Return the line that passes over these patients: at these starts, and those who have an offer elsewhere."""
        return replace(self, busy=self.busy | set(busy), asked=self.asked | set(asked))

    def with_connected(self, patient_ids: Collection[str]) -> Self:
        """Return the line that knows who is connected."""
        return replace(self, connected=frozenset(patient_ids))

    def tidied(self) -> Self:
        """Return the line without what was only needed for one decision."""
        entries = {id_: entry for id_, entry in self.entries.items() if entry.waiting}
        return replace(self, entries=entries, busy=frozenset(), asked=frozenset(), connected=frozenset())

    def waiting(self) -> list[WaitlistEntry]:
        """Return the waiting entries, the first in the line first."""
        return sorted((each for each in self.entries.values() if each.waiting), key=lambda each: each.joined_seq)

    def entry_of(self, patient_id: str) -> WaitlistEntry | None:
        """Return the waiting entry of a patient."""
        return next((each for each in self.entries.values() if each.waiting and each.patient_id == patient_id), None)

    def accepted(self) -> Mapping[str, Offer]:
        """Return the offers that were taken, by entry. The entry is still `waiting` for a moment after that."""
        return {each.entry_id: each for each in self.offers.values() if each.accepted}

    def open_offer(self, patient_id: str) -> Offer | None:
        """Return the offer of this doctor that the patient has not answered yet."""
        offers = self.offers.values()
        return next((each for each in offers if each.patient_id == patient_id and each.status is Status.OFFERED), None)

    def had(self, patient_id: str, start: datetime) -> bool:
        """Return whether the patient was offered this slot before."""
        return any(each.patient_id == patient_id and each.offered_start == start for each in self.offers.values())


def offer_of(appointment: Appointment) -> Offer | None:
    """Return what the line has to know of an appointment; None if it was not offered from the waitlist."""
    if appointment.entry_id is None:
        return None
    first = appointment.history[0]
    return Offer(
        appointment_id=appointment.id,
        entry_id=appointment.entry_id,
        patient_id=appointment.patient_id,
        offered_start=getattr(first, "start", appointment.start),
        start=appointment.start,
        status=appointment.status,
    )


def to_withdraw(schedule: Schedule, line: Line) -> list[Offer]:
    """Return the open offers that cannot stand: the doctor does not work then any more, or the patient has left."""
    return [
        each
        for each in line.offers.values()
        if each.status is Status.OFFERED and not (_works_at(schedule, each.start) and _waits(line, each.entry_id))
    ]


def _works_at(schedule: Schedule, start: datetime) -> bool:
    return not schedule.disabled and schedule.works_at(start)


def _waits(line: Line, entry_id: str) -> bool:
    return entry_id in line.entries and line.entries[entry_id].waiting


@dataclass(frozen=True)
class Candidate:
    """A free slot and an entry that it would suit."""

    start: datetime
    entry: WaitlistEntry


def candidates(schedule: Schedule, line: Line, taken: Collection[datetime], now: datetime) -> Iterator[Candidate]:
    """Yield free slots with those whom they suit: the earliest slot first, and for each slot the first in the line.

    Left out are slots that are too near or too far ahead, patients who have an open offer, slots that a patient was
    offered before, and whom the line knows to be busy with another doctor; outside the hours for texts also who is not
    connected. `taken` holds the starts that are not free.
    """
    entries = _without_open_offers(line)
    if not line.policy.may_text(schedule, now):
        entries = [each for each in entries if each.patient_id in line.connected]
    if schedule.disabled or not entries:
        return
    had = {(each.patient_id, each.offered_start) for each in line.offers.values()} | line.busy
    here = zone(schedule.zone)
    earliest, latest = now + line.policy.lead, now + HORIZON
    first = max(min(each.wish.first_day for each in entries), schedule.day_of(now))
    last = min(max(each.wish.last_day for each in entries), schedule.day_of(latest))
    for start in _working_starts(schedule, first, last) if first <= last else ():
        if start < earliest or start > latest or start in taken:
            continue
        local = start.astimezone(here)
        for entry in entries:
            if entry.wish.fits(local) and (entry.patient_id, start) not in had:
                yield Candidate(start, entry)


def _without_open_offers(line: Line) -> Sequence[WaitlistEntry]:
    """Return who can be offered something, first come, first served."""
    offers = line.offers.values()
    asked = {each.patient_id for each in offers if each.status is Status.OFFERED} | line.asked
    booked = {each.entry_id for each in offers if each.accepted}
    return [each for each in line.waiting() if each.patient_id not in asked and each.id not in booked]


@lru_cache(maxsize=_CACHED_SPANS)
def _working_starts(schedule: Schedule, first: date, last: date) -> tuple[datetime, ...]:
    """Return the starts of the doctor's slots from one day to another. A year of them takes some 0.1 s to work out."""
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return tuple(start for day in days for start in schedule.starts_of(day))
