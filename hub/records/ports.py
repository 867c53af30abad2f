"""What the hub asks of its store; `hub.records.mongo` and the in-memory twin pass the same contract tests.

Every method may raise `hub.records.errors.StoreUnavailable`, and `BrokenRecord` when a person has to mend what is
stored. Instants are aware, UTC, whole milliseconds.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from hub.accounts.ports import AttemptRecords, SessionRecords, UserRecords
from hub.scheduling.aggregate import Aggregate
from hub.scheduling.appointment import Appointment, DueKind
from hub.scheduling.recorded_event import RecordedEvent
from hub.scheduling.schedule_record import ScheduleRecord
from hub.scheduling.statistics import Outcome
from hub.scheduling.values import Status
from hub.texting.ports import InboundTexts, LineHalts, OptOuts, TextPositions, TextRecords


class Fence(StrEnum):
    """The unique index that refused a write; the value is the index's name."""

    APPOINTMENT = "_id_"
    """There is an appointment of this id: the booking command has been applied."""
    COMMAND = "command"
    """A command of this id has been applied, to whichever appointment."""
    DOCTOR_SLOT = "doctor_slot"
    """The doctor has an active appointment that starts then."""
    DOCTOR_SEQ = "doctor_seq"
    """The doctor's history has gone on: the writer's view of the doctor is old."""
    PATIENT_TIME = "patient_time"
    """The patient has an active appointment that overlaps: one that shares a quarter of an hour."""


@dataclass(frozen=True)
class Saved:
    """Every appointment was written and acknowledged."""


@dataclass(frozen=True)
class Stopped:
    """The first `written` of what was to be saved were written; the next one met the fence; nothing more was tried.

    Of several fences that are in the way, the first of this order is told: the command (as `APPOINTMENT` when a booking
    is repeated), `Stale`, the doctor's seq, the slot, the patient's time.
    """

    written: int
    fence: Fence


@dataclass(frozen=True)
class Stale:
    """The first `written` were written; the next one was based on another version than the store's.

    Nothing after it was tried, so a doctor's history never has a hole.
    """

    written: int


SaveOutcome = Saved | Stopped | Stale


@dataclass(frozen=True)
class AppointmentFilter:
    """Which appointments a list shows. `start_from` is included, `start_to` is not; None does not filter."""

    doctor_id: str | None = None
    patient_id: str | None = None
    statuses: frozenset[Status] | None = None
    start_from: datetime | None = None
    start_to: datetime | None = None

    def matches(self, appointment: Appointment) -> bool:
        """Return whether the appointment passes the filter."""
        return (
            self.doctor_id in {None, appointment.doctor_id}
            and self.patient_id in {None, appointment.patient_id}
            and (self.statuses is None or appointment.status in self.statuses)
            and (self.start_from is None or appointment.start >= self.start_from)
            and (self.start_to is None or appointment.start < self.start_to)
        )

    def within(self, other: "AppointmentFilter") -> "AppointmentFilter":
        """Return the filter that passes what both pass; `NO_APPOINTMENTS` when no appointment can pass both."""
        statuses = self.statuses if other.statuses is None else other.statuses
        if self.statuses is not None and other.statuses is not None:
            statuses = self.statuses & other.statuses
        people_differ = _differ(self.doctor_id, other.doctor_id) or _differ(self.patient_id, other.patient_id)
        if people_differ or statuses == frozenset():
            return NO_APPOINTMENTS
        return AppointmentFilter(
            doctor_id=self.doctor_id or other.doctor_id,
            patient_id=self.patient_id or other.patient_id,
            statuses=statuses,
            start_from=max(filter(None, (self.start_from, other.start_from)), default=None),
            start_to=min(filter(None, (self.start_to, other.start_to)), default=None),
        )


NO_APPOINTMENTS = AppointmentFilter(statuses=frozenset())
"""The filter that no appointment passes."""


def _differ(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other


@dataclass(frozen=True)
class After:
    """Where a page goes on: after the appointment with this start and id."""

    start: datetime
    id: str


@dataclass(frozen=True)
class Deadline:
    """The next thing that time does to an appointment, as of its `version`: `kind` at `due`, for its `start`."""

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
    """The appointments: state, history and deadlines in one document each. And the timetables of their doctors.

    A timetable shares the doctor's `seq` and the fences with the appointments, so that whoever writes an appointment
    by a timetable that has changed since meets the fence.
    """

    async def save(self, aggregates: Sequence[Aggregate]) -> SaveOutcome:
        """Write each aggregate as it is after its latest command, in order, and stop at the first that meets a fence.

        One write adds all the events of that command, or none. An aggregate that the command made is inserted; another
        is written only over the version on which the command was decided (`base_version`), whole, so that an aggregate
        which the store has lost comes back. The same aggregate may occur more than once, with rising versions. Returns
        after the store has acknowledged (with majority, where it can). A fence is named only when the document that
        holds it can be read; until that is acknowledged and can be read, this raises StoreUnavailable.
        """

    async def by_ids(self, ids: Collection[str]) -> dict[str, Appointment]:
        """Return the appointments that exist among the ids, by id."""

    async def by_command(self, command_id: str) -> Aggregate | None:
        """Return the appointment or the timetable whose history holds the command."""

    async def schedule_records(self, doctor_ids: Collection[str]) -> dict[str, ScheduleRecord]:
        """Return the timetables of these doctors, by doctor id, of those whose timetable was ever changed.

        `hub.records.schedules` has those of the others, too.
        """

    async def active_since(self, doctor_ids: Collection[str], since: datetime) -> list[Appointment]:
        """Return the active appointments of the doctors that start at `since` or later, ordered by start."""

    async def slot_owners(self, doctor_ids: Collection[str], since: datetime) -> dict[str, dict[datetime, str]]:
        """Return, for each of the doctors, the ids of the active appointments from `since` on by their start (UTC)."""

    async def taken_starts(self, doctor_id: str, start_from: datetime, start_to: datetime) -> set[datetime]:
        """Return the starts of the doctor's active appointments in [start_from, start_to)."""

    async def busy(self, wanted: Collection[tuple[str, datetime]]) -> set[tuple[str, datetime]]:
        """Return which (patient id, start) pairs overlap an active appointment of that patient.

        One read for all of them, so that a batch with many refusals costs one round trip. It cannot replace the
        fence: another doctor's actor may write in between.
        """

    async def due(self, until: datetime) -> list[Deadline]:
        """Return the deadlines up to `until`, in order of time, those that have passed without effect included.

        Costs what it returns, not what is stored: a million later ones are not looked at.
        """

    async def last_seq(self, doctor_id: str, known: int = 0) -> int:
        """Return the last `seq` of the doctor's history, 0 for a new doctor.

        Cheaper with a `known` one that is near the last. One that the history has not reached does no harm.
        """

    async def events_after(
        self, doctor_id: str, after: int, limit: int = 1000, last: int | None = None
    ) -> list[RecordedEvent[Aggregate]]:
        """Return the doctor's events with `seq` above `after`, ordered by `seq`, at most `limit`.

        With `last`, up to that `seq`: a caller who knows that the history has reached it saves a read.
        """

    async def doctors_of(self, patient_ids: Collection[str]) -> dict[str, set[str]]:
        """Return with which doctors each of the patients has appointments, however they stand; none: no entry."""

    async def page(self, wanted: AppointmentFilter, limit: int, after: After | None = None) -> list[Appointment]:
        """Return at most `limit` appointments ordered by (start, id), going on after `after`."""

    async def outcomes(
        self, doctor_id: str, start_from: datetime | None, start_to: datetime | None
    ) -> Sequence[Outcome]:
        """Return what became of the doctor's appointments in [start_from, start_to); None does not bound. Any order."""

    async def have_met(self, doctor_id: str, patient_id: str) -> bool:
        """Return whether there is, or was, an appointment of the two, whatever became of it."""


class PhotoRecords(Protocol):
    """The pictures of people, JPEG, each under an id of its own: one that changes gets another id."""

    async def put(self, photo_id: str, jpeg: bytes) -> None:
        """Write a new picture."""

    async def get(self, photo_id: str) -> bytes | None:
        """Return the picture."""

    async def remove(self, photo_id: str) -> None:
        """Remove the picture, if there is one."""


class Records(Protocol):
    """The whole store."""

    @property
    def appointments(self) -> AppointmentRecords:
        """The appointments."""

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
        """How far the texts of each doctor have been planned."""

    @property
    def inbound_texts(self) -> InboundTexts:
        """The texts that came in."""

    @property
    def opt_outs(self) -> OptOuts:
        """Who wants no texts."""

    @property
    def line_halts(self) -> LineHalts:
        """From which of our numbers texts are kept back."""

    @property
    def photos(self) -> PhotoRecords:
        """The pictures of people."""

    @property
    def attempts(self) -> AttemptRecords:
        """What was tried."""

    async def prepare_fences(self) -> None:
        """Make the unique indexes, without which nothing may be written; idempotent."""

    async def prepare(self) -> None:
        """Make all indexes; idempotent. Those that are not unique only make reads faster."""

    async def ping(self) -> None:
        """Return when the store answers, within about two seconds; else raise StoreUnavailable."""

    async def close(self) -> None:
        """Let go of the connections."""
