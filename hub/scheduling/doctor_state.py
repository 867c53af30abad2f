"""What one doctor's actor knows when it decides, and how events change that."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from hub.scheduling.aggregate import Aggregate
from hub.scheduling.apply import apply
from hub.scheduling.appointment import Appointment
from hub.scheduling.events import AnyEvent
from hub.scheduling.line import Line
from hub.scheduling.recorded_event import RecordedEvent
from hub.scheduling.schedule import Schedule
from hub.scheduling.schedule_record import ScheduleRecord, unchanged_schedule
from hub.scheduling.waitlist_entry import WaitlistEntry


@dataclass(frozen=True)
class DoctorState:
    """A doctor's schedule, the last `seq`, the owners of the slots, and the appointments that the commands name.

    `slot_owners` maps the start (UTC) of an appointment that holds its slot to its id. It covers every day that a
    command names, and every day when a command changes the schedule or tends the waitlist. `appointments` holds, by id,
    every appointment of this doctor that a command names, and `entries` every such entry of the waitlist, also one that
    has ended. `line` is the doctor's waitlist; None if no command has needed it yet.
    """

    schedule_record: ScheduleRecord
    seq: int
    slot_owners: Mapping[datetime, str]
    appointments: Mapping[str, Appointment]
    line: Line | None = None
    entries: Mapping[str, WaitlistEntry] = field(default_factory=dict)

    @classmethod
    def new(cls, schedule: Schedule) -> Self:
        """Return the state of a doctor to whom nothing has happened yet."""
        return cls(schedule_record=unchanged_schedule(schedule), seq=0, slot_owners={}, appointments={})

    @property
    def schedule(self) -> Schedule:
        """The doctor's schedule as it is now."""
        return self.schedule_record.current

    def with_line(self, line: Line) -> Self:
        """Return the state with another line."""
        return replace(self, line=line)

    def aggregate(self, aggregate_id: str) -> Aggregate | None:
        """Return the doctor's schedule record, one of the appointments or one of the entries, by id."""
        if aggregate_id == self.schedule_record.id:
            return self.schedule_record
        return self.appointments.get(aggregate_id) or self.entry(aggregate_id)

    def entry(self, entry_id: str) -> WaitlistEntry | None:
        """Return an entry that a command names, or that is in the line."""
        in_line = self.line.entries.get(entry_id) if self.line else None
        return in_line or self.entries.get(entry_id)

    def apply(self, aggregate_id: str, event: AnyEvent) -> Self:
        """Return the state after an event of this aggregate. Appointments outside changed hours stay.

        Raises ValueError for an event that cannot happen to the aggregate.
        """
        after = apply(self.aggregate(aggregate_id), event)
        if isinstance(after, ScheduleRecord):
            return replace(self, seq=event.seq, schedule_record=after)
        if isinstance(after, WaitlistEntry):
            line = self.line.with_entry(after) if self.line else None
            return replace(self, seq=event.seq, line=line, entries={**self.entries, after.id: after})
        slot_owners = {start: owner for start, owner in self.slot_owners.items() if owner != aggregate_id}
        if after.holds_slot:
            slot_owners[after.start] = after.id
        return replace(
            self,
            seq=event.seq,
            slot_owners=slot_owners,
            appointments={**self.appointments, after.id: after},
            line=self.line.with_appointment(after) if self.line else None,
        )

    def with_place(self, appointment_id: str, place: int | None) -> Self:
        """Return the state in which the appointment has this place among its patient's appointments."""
        placed = self.appointments[appointment_id].model_copy(update={"place": place})
        return replace(self, appointments={**self.appointments, appointment_id: placed})

    def apply_all(
        self, aggregate_id: str, events: Iterable[AnyEvent]
    ) -> tuple[Self, tuple[RecordedEvent[Aggregate], ...]]:
        """Return the state after all events of a command, and each event with what it leaves behind."""
        state = self
        recorded: list[RecordedEvent[Aggregate]] = []
        for event in events:
            state = state.apply(aggregate_id, event)
            if (aggregate := state.aggregate(aggregate_id)) is None:
                raise RuntimeError(f"{aggregate_id} is gone after {event.type!r}")
            recorded.append(RecordedEvent(event, aggregate))
        return state, tuple(recorded)
