"""A clinic in memory: passes commands to `decide` and stores the events, as the actors and the record do together."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import Command
from hub.scheduling.decide import decide, repeated
from hub.scheduling.decision import Accepted, Decision
from hub.scheduling.doctor_state import DoctorState
from hub.scheduling.events import AnyEvent
from hub.scheduling.schedule import Schedule, Shift, TimeOff
from hub.scheduling.values import Actor, Role

OPENING = datetime(2026, 3, 6, 11, 0, tzinfo=UTC)
"""A Friday. Two days later, daylight-saving time begins in New York."""
WEEK, SUNDAY = range(7), 6
DOCTORS = (
    Schedule(
        id="new-york",
        zone="America/New_York",
        shifts=tuple(Shift(weekday=day, opens=8 * 60, closes=11 * 60) for day in WEEK if day != SUNDAY),
        time_off=(TimeOff(start=OPENING + timedelta(days=1), end=OPENING + timedelta(days=1, hours=3)),),
    ),
    Schedule(
        id="kathmandu",
        zone="Asia/Kathmandu",
        shifts=tuple(Shift(weekday=day, opens=hour * 60, closes=(hour + 2) * 60) for day in WEEK for hour in (16, 20)),
    ),
    Schedule(id="retired", zone="Europe/Berlin", shifts=(Shift(weekday=0, opens=0, closes=24 * 60),), disabled=True),
)
PATIENTS = ("ann", "bob", "cem")
ACTORS = (
    *(Actor(id=patient, role=Role.PATIENT, via="rest") for patient in PATIENTS),
    *(Actor(id=doctor.id, role=Role.DOCTOR, via="socket") for doctor in DOCTORS),
    Actor(id="desk", role=Role.RECEPTIONIST, via="rest"),
    # A receptionist with the id of a doctor still has no say in that doctor's hours.
    Actor(id=DOCTORS[0].id, role=Role.RECEPTIONIST, via="socket"),
    Actor(id="hub", role=Role.SYSTEM, via="timer"),
)


@dataclass
class SimulatedClinic:
    """`stored` has each appointment by its id, `log` each doctor's events, `applied` each command by its id."""

    states: dict[str, DoctorState] = field(
        default_factory=lambda: {doctor.id: DoctorState.new(doctor) for doctor in DOCTORS},
    )
    stored: dict[str, Appointment] = field(default_factory=dict)
    log: dict[str, list[AnyEvent]] = field(default_factory=lambda: {doctor.id: [] for doctor in DOCTORS})
    applied: dict[str, Command] = field(default_factory=dict)

    def give(self, command: Command, now: datetime) -> Decision:
        """Decide a command and store its event."""
        decision = decide(self.states[command.doctor_id], command, now)
        if not isinstance(decision, Accepted):
            return decision
        schedule_records = [state.schedule_record for state in self.states.values()]
        # The record's fence: a command id is applied once in all the clinic.
        for aggregate in (*self.stored.values(), *schedule_records):
            if before := repeated(command, aggregate):
                return before
        self._keep(command, decision)
        return decision

    def _keep(self, command: Command, accepted: Accepted) -> None:
        state, recorded = self.states[command.doctor_id].apply_all(accepted.aggregate_id, accepted.events)
        self.states[command.doctor_id] = state
        for each in recorded:
            if isinstance(each.aggregate, Appointment):
                self.stored[each.aggregate.id] = each.aggregate
            self.log[command.doctor_id].append(each.event)
        self.applied[command.id] = command
