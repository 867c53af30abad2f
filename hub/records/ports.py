"""The interface of the record. MongoDB and the in-memory implementation pass the same contract tests.

Every method may raise `hub.records.errors.StoreUnavailable`, and `BrokenRecord` if an operator has to correct the
stored data. Instants are aware, UTC, in whole milliseconds.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from hub.accounts.ports import AccessRecords, AttemptRecords, CodeRecords, SessionRecords, SignUpRecords, UserRecords
from hub.records.appointment_filter import After, AppointmentFilter
from hub.scheduling.aggregate import Aggregate
from hub.scheduling.appointment import Appointment, DueKind
from hub.scheduling.day_change import DayPlan
from hub.scheduling.outcomes import Outcome
from hub.scheduling.recorded_event import RecordedEvent
from hub.scheduling.schedule_record import ScheduleRecord
from hub.scheduling.waitlist_entry import WaitlistEntry
from hub.texting.ports import InboundTexts, LineHalts, OptOuts, TextPositions, TextRecords


class Fence(StrEnum):
    """The unique index that refused a write; the value is the index's name."""

    APPOINTMENT = "_id_"
    """An appointment with this id exists: the booking command has already been applied."""
    COMMAND = "command"
    """A command with this id has already been applied to some aggregate."""
    DOCTOR_SLOT = "doctor_slot"
    """The doctor has an active appointment with this start, or an open offer."""
    DOCTOR_SEQ = "doctor_seq"
    """The doctor's history has a newer event: the writer decided on an outdated state."""
    PATIENT_TIME = "patient_time"
    """The patient has an active appointment or an open offer that overlaps: one that shares a quarter hour."""
    PATIENT_PLACE = "patient_place"
    """Another appointment of the patient has this `place`. The index is that of the patient's times."""
    OPEN_OFFER = "open_offer"
    """The patient has an open offer, of this doctor or another one."""


@dataclass(frozen=True)
class Saved:
    """Every appointment was written and acknowledged."""


@dataclass(frozen=True)
class Stopped:
    """The first `written` aggregates were written. The fence refused the next one, and no further write was tried.

    If several fences refuse a write, the first in this order is reported: the command (`APPOINTMENT` for a repeated
    booking), `Stale`, the doctor's seq, the slot, the patient's time, the patient's place, the open offer.
    """

    written: int
    fence: Fence


@dataclass(frozen=True)
class Stale:
    """The first `written` aggregates were written. The next one was based on another version than the stored one.

    No further write was tried, so a doctor's history never has a gap.
    """

    written: int


SaveOutcome = Saved | Stopped | Stale


@dataclass(frozen=True)
class LastEvent:
    """The last event of a doctor's history: its `seq`, and the command that caused it."""

    seq: int
    command_id: str


@dataclass(frozen=True)
class Deadline:
    """The next deadline of an appointment: `kind` is due at `due`. It is valid for this `version` and `start`."""

    due: datetime
    kind: DueKind
    appointment_id: str
    doctor_id: str
    start: datetime
    version: int


def deadline_of(appointment: Appointment) -> Deadline | None:
    """Return the next deadline of an appointment, if it has one."""
    if appointment.due is None or appointment.due_kind is None:
        return None
    return Deadline(
        due=appointment.due,
        kind=appointment.due_kind,
        appointment_id=appointment.id,
        doctor_id=appointment.doctor_id,
        start=appointment.start,
        version=appointment.version,
    )


class AppointmentRecords(Protocol):
    """The appointments, each with state, history and deadline in one document, and what else has a doctor's `seq`.

    That are the doctors' schedule records and the entries of the waitlist, which share the `seq` and the fences with
    the appointments. So the fence refuses an appointment that was decided on an outdated schedule, and an offer that
    was decided on an outdated line. "Active" here includes open offers: what holds a slot and the time of its patient.
    """

    async def save(self, aggregates: Sequence[Aggregate]) -> SaveOutcome:
        """Write each aggregate as it is after its latest command, in order, and stop at the first refused one.

        One write adds all the events of a command, or none. An aggregate that the command created is inserted. Any
        other aggregate replaces only the version on which the command was decided (`base_version`). The whole
        aggregate is written, so that an aggregate which the store has lost is restored. The same aggregate may occur
        more than once, with rising versions. Returns after the store has acknowledged (with majority, if the server
        supports it). Returns a fence only if the conflicting document is acknowledged and can be read; otherwise
        raises StoreUnavailable.
        """

    async def by_ids(self, ids: Collection[str]) -> dict[str, Appointment]:
        """Return the appointments that exist among the ids, by id."""

    async def current(self, ids: Collection[str]) -> dict[str, Appointment]:
        """Return the same as `by_ids`, but never from a server that is no longer primary.

        It costs a round trip between the members of a replica set. It is for refusals, because no fence checks them.
        """

    async def moved_on(self, seqs: Mapping[str, int]) -> set[str]:
        """Return the doctors whose history has events above the given `seq`. Never reads from a former primary."""

    async def by_command(self, command_id: str) -> Aggregate | None:
        """Return the appointment, schedule record or entry whose history contains the command."""

    async def schedule_records(self, doctor_ids: Collection[str]) -> dict[str, ScheduleRecord]:
        """Return the stored schedule records of these doctors, by doctor id. A schedule that never changed has none.

        `hub.records.schedules` also returns the unchanged schedules.
        """

    async def active_since(self, doctor_ids: Collection[str], since: datetime) -> list[Appointment]:
        """Return the active appointments of the doctors that start at `since` or later, ordered by start."""

    async def any_before(self, doctor_id: str, instant: datetime) -> bool:
        """Return whether an appointment of the doctor starts before an instant."""

    async def starting_since(self, doctor_id: str, since: datetime | None) -> list[Appointment]:
        """Return the doctor's appointments of any status that start at `since` or later (None: all), in no order.

        It is one read, so an appointment that is moved during the read may be missing.
        """

    async def slot_owners(self, doctor_ids: Collection[str], since: datetime) -> dict[str, dict[datetime, str]]:
        """Return for each doctor the ids of the active appointments from `since` on, by start (UTC)."""

    async def taken_starts(self, doctor_id: str, start_from: datetime, start_to: datetime) -> set[datetime]:
        """Return the starts of the doctor's active appointments in [start_from, start_to)."""

    async def busy(self, wanted: Collection[tuple[str, datetime]]) -> set[tuple[str, datetime]]:
        """Return which (patient id, start) pairs overlap an active appointment of that patient.

        It is one read for all pairs, so that a batch with many refusals costs one round trip. It does not replace the
        fence: another doctor's actor may write in between.
        """

    async def places_taken(self, patient_ids: Collection[str], most: int) -> dict[str, set[int]]:
        """Return which of the places below `most` appointments of these patients have, by patient.

        Never reads from a former primary: refusals rest on it. It does not replace the fence.
        """

    async def due(self, until: datetime) -> list[Deadline]:
        """Return the deadlines up to `until`, ordered by time, including unsettled ones in the past.

        The cost depends on the returned deadlines, not on the stored ones: a million later deadlines are not read.
        """

    async def last_seq(self, doctor_id: str, known: int = 0) -> int:
        """Return the last `seq` of the doctor's history, 0 for a new doctor.

        A `known` seq near the last one makes it cheaper. A `known` seq that the history has not reached does no harm.
        """

    async def last_event(self, doctor_id: str) -> LastEvent | None:
        """Return the last event of the doctor's history, None for a new doctor."""

    async def changed_since(self, doctor_id: str, seq: int, limit: int) -> Sequence[Aggregate]:
        """Return what has an event of this `seq` or a later one: appointments and the schedule record, in no order.

        At most `limit`. What is written during the read may be missing, so events may be missing between others.
        """

    async def events_after(
        self, doctor_id: str, after: int, limit: int = 1000, last: int | None = None
    ) -> list[RecordedEvent[Aggregate]]:
        """Return the doctor's events with `seq` above `after`, ordered by `seq`, at most `limit`.

        With `last`, up to that `seq`. It saves a read if the caller knows that the history has reached it.
        """

    async def doctors_of(self, patient_ids: Collection[str]) -> dict[str, set[str]]:
        """Return the doctors with whom each patient has appointments of any status. Omits patients without any."""

    async def page(self, wanted: AppointmentFilter, limit: int, after: After | None = None) -> list[Appointment]:
        """Return at most `limit` appointments after the position `after`, ordered by (start, id)."""

    async def outcomes(
        self, doctor_id: str, start_from: datetime | None, start_to: datetime | None
    ) -> Mapping[str, Outcome]:
        """Return the outcomes of the doctor's appointments in [start_from, start_to), by id. None: no bound."""

    async def patients_of(self, doctor_id: str, start_from: datetime | None, start_to: datetime | None) -> set[str]:
        """Return the patients of the doctor's appointments in [start_from, start_to), of any status. None: no bound.

        It is one read, so the patient of an appointment that is moved during the read may be missing.
        """

    async def have_met(self, doctor_id: str, patient_id: str) -> bool:
        """Return whether the two have or had an appointment, of any status."""


class WaitlistRecords(Protocol):
    """The entries of the waitlist, and what was offered to them. They are written by `AppointmentRecords.save`."""

    async def by_ids(self, ids: Collection[str]) -> dict[str, WaitlistEntry]:
        """Return the entries that exist among the ids, by id."""

    async def line(self, doctor_id: str) -> list[WaitlistEntry]:
        """Return the waiting entries of a doctor, the first in the line first."""

    async def places(self, doctor_ids: Collection[str]) -> dict[str, int]:
        """Return the place of each waiting entry of these doctors in its line, by entry; 1 is the first."""

    async def offers(self, doctor_id: str, since: datetime) -> list[Appointment]:
        """Return the appointments of a doctor that were offered and start at `since` or later, of any status."""

    async def of_patient(self, patient_id: str) -> list[WaitlistEntry]:
        """Return the entries of a patient with any doctor and of any status, the oldest first."""

    async def waiting_patients(self) -> set[str]:
        """Return the patients who wait for any doctor."""

    async def awaited_doctors(self, patient_ids: Collection[str] | None = None) -> set[str]:
        """Return the doctors for whom these patients wait, or anybody."""

    async def doctors_of(self, patient_ids: Collection[str]) -> dict[str, set[str]]:
        """Return the doctors for whom each patient waits or has waited. Omits patients without any."""

    async def asked(self, patient_ids: Collection[str]) -> set[str]:
        """Return those of the patients who have an open offer, of any doctor."""


class PresenceRecords(Protocol):
    """Who of those who wait is connected. The api processes note it again and again; what they do not, expires."""

    async def mark(self, patient_ids: Collection[str], until: datetime) -> None:
        """Note that these patients are connected, until the instant at the latest."""

    async def connected(self, now: datetime) -> set[str]:
        """Return the patients who are noted to be connected."""


class DayPlanRecords(Protocol):
    """The plans of requests to move or cancel a doctor's day."""

    async def by_id(self, plan_id: str) -> DayPlan | None:
        """Return the plan of a request."""

    async def keep(self, plan: DayPlan) -> DayPlan:
        """Store the plan unless there is one with its id; return the stored one. Concurrent callers get the same."""


class PhotoRecords(Protocol):
    """Profile pictures in JPEG. A picture never changes: a new picture gets a new id."""

    async def put(self, photo_id: str, jpeg: bytes) -> None:
        """Store a new picture."""

    async def get(self, photo_id: str) -> bytes | None:
        """Return the picture."""

    async def remove(self, photo_id: str) -> None:
        """Delete the picture, if it exists."""


class Records(Protocol):
    """The whole record."""

    @property
    def appointments(self) -> AppointmentRecords:
        """The appointments."""

    @property
    def waitlist(self) -> WaitlistRecords:
        """The waitlist."""

    @property
    def users(self) -> UserRecords:
        """The users."""

    @property
    def sessions(self) -> SessionRecords:
        """The sessions."""

    @property
    def texts(self) -> TextRecords:
        """The outbox."""

    @property
    def text_positions(self) -> TextPositions:
        """The planning position of each doctor."""

    @property
    def inbound_texts(self) -> InboundTexts:
        """The inbound texts."""

    @property
    def opt_outs(self) -> OptOuts:
        """The opt-outs."""

    @property
    def line_halts(self) -> LineHalts:
        """The halts of our numbers."""

    @property
    def day_plans(self) -> DayPlanRecords:
        """The plans of requests to move or cancel a doctor's day."""

    @property
    def presence(self) -> PresenceRecords:
        """Who of those who wait is connected."""

    @property
    def photos(self) -> PhotoRecords:
        """The profile pictures."""

    @property
    def attempts(self) -> AttemptRecords:
        """The counters of attempts."""

    @property
    def access_log(self) -> AccessRecords:
        """The access log."""

    @property
    def codes(self) -> CodeRecords:
        """The codes that were texted."""

    @property
    def sign_ups(self) -> SignUpRecords:
        """The sign-ups that wait for a code."""

    async def prepare_fences(self) -> None:
        """Create the unique indexes. Nothing may be written without them. Idempotent."""

    async def prepare(self) -> None:
        """Create all indexes. The ones that are not unique only speed up reads. Idempotent."""

    async def ping(self) -> None:
        """Return when the store answers. Raises StoreUnavailable after about 2 seconds."""

    async def close(self) -> None:
        """Close the connections."""
