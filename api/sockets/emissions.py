"""Which sessions are sent which events when a notice arrives.

Pure: it reads the registry and sends nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from api.people.names import Names
from api.sockets.session import Session, SessionRegistry
from hub.bus.messages import AppointmentNotice, Notice, ScheduleNotice, WaitlistNotice
from hub.scheduling.events import AnyEvent
from hub.scheduling.schedule import Schedule
from hub.scheduling.slots import SlotChange, schedule_slot_changes
from hub.scheduling.values import Role, rfc3339
from hub.scheduling.views import AppointmentView, EntryView, schedule_view


@dataclass(frozen=True)
class Emission:
    """One event for several sessions: the event's name and its one argument, JSON."""

    sessions: tuple[Session, ...]
    event: Literal["appointment", "calendar", "slot", "waiting"]
    data: dict[str, object]


def emissions(registry: SessionRegistry, names: Names, notice: Notice) -> list[Emission]:
    """Return what to send for a notice.

    An appointment or an entry of the waitlist goes to its doctor, its patient and the receptionists, the schedule to
    the doctor, slots to the sessions that watch them.
    """
    sessions = dict.fromkeys(registry.room(Role.DOCTOR, notice.doctor_id))
    if isinstance(notice, ScheduleNotice):
        own = [Emission(tuple(sessions), "calendar", calendar_event(notice.event, notice.after))] if sessions else []
        return own + _slot_emissions(registry, notice, _changed_slots(registry, notice))
    sessions |= dict.fromkeys(one for one in registry.desk() if one.joined and notice.doctor_id in one.doctors)
    # A patient's session is sent nothing of a doctor before its catch-up with that doctor is done.
    patients = [one for one in _patients(registry, notice) if notice.doctor_id in one.doctors]
    if isinstance(notice, WaitlistNotice):
        return [
            Emission(tuple(some), "waiting", waiting_event(names, role, notice.event, notice.entry))
            for some, role in ((sessions, Role.DOCTOR), (patients, Role.PATIENT))
            if some
        ]
    own = [
        Emission(tuple(some), "appointment", appointment_event(names, role, notice.event, notice.appointment))
        for some, role in ((sessions, Role.DOCTOR), (patients, Role.PATIENT))
        if some
    ]
    return own + _slot_emissions(registry, notice, notice.slots)


def nameless(registry: SessionRegistry, names: Names, notice: Notice) -> set[str]:
    """Return the people whose names have to be learned before `emissions`."""
    if isinstance(notice, ScheduleNotice):
        return set()
    for_staff = registry.desk() or registry.room(Role.DOCTOR, notice.doctor_id)
    roles = [*([Role.DOCTOR] if for_staff else []), *([Role.PATIENT] if _patients(registry, notice) else [])]
    about = notice.entry if isinstance(notice, WaitlistNotice) else notice.appointment
    return {id_ for role in roles for id_ in names.unknown(role, [about])}


def concerns_patient(event_type: str) -> bool:
    """Return whether a patient is sent the event. A missed reminder is for the clinic only: it asks for a call."""
    return event_type != "reminder_missed"


def calendar_event(event: AnyEvent, schedule: Schedule) -> dict[str, object]:
    """Return the data of a `calendar` event; `schedule` is the schedule right after it."""
    return {
        "type": event.type,
        "calendar": schedule_view(schedule).model_dump(mode="json", by_alias=True),
        "seq": event.seq,
        "prev": event.prev,
    }


def appointment_event(names: Names, role: Role, event: AnyEvent, appointment: AppointmentView) -> dict[str, object]:
    """Return the data of an `appointment` event for a role; `appointment` is as it was right after it."""
    return {
        "type": event.type,
        "appointment": appointment.model_dump(mode="json", by_alias=True) | names.field(role, appointment),
        "seq": event.seq,
        "prev": event.prev,
    }


def waiting_event(names: Names, role: Role, event: AnyEvent, entry: EntryView) -> dict[str, object]:
    """Return the data of a `waiting` event for a role; `entry` is as it was right after it."""
    return {
        "type": event.type,
        "entry": entry.model_dump(mode="json", by_alias=True) | names.field(role, entry),
        "seq": event.seq,
        "prev": event.prev,
    }


def _patients(registry: SessionRegistry, notice: AppointmentNotice | WaitlistNotice) -> Iterable[Session]:
    """Return the sessions of the patient who are sent the event."""
    if isinstance(notice, WaitlistNotice):
        return registry.room(Role.PATIENT, notice.entry.patient_id)
    return registry.room(Role.PATIENT, notice.appointment.patient_id) if concerns_patient(notice.event.type) else ()


def _slot_emissions(registry: SessionRegistry, notice: Notice, changes: Iterable[SlotChange]) -> list[Emission]:
    watches, seq = registry.watches(notice.doctor_id), notice.event.seq
    return [
        Emission(sessions, "slot", _slot(notice.doctor_id, change, seq))
        for change in changes
        # A session may watch the day on its board and besides: it is sent the change once.
        if (sessions := tuple(dict.fromkeys(watch.session for watch in watches if watch.receives(seq, change))))
    ]


def _changed_slots(registry: SessionRegistry, notice: ScheduleNotice) -> Iterable[SlotChange]:
    """Yield the changed slots of the watched days only: those of all days would be a year of slots."""
    for day in sorted({watch.day.date for watch in registry.watches(notice.doctor_id)}):
        yield from schedule_slot_changes(notice.before, notice.after, day, notice.taken, notice.event.at)


def _slot(doctor_id: str, change: SlotChange, seq: int) -> dict[str, object]:
    """Return the data of a `slot` event. It never says whose appointment it is."""
    return {"doctorId": doctor_id, "start": rfc3339(change.start), "available": change.available, "seq": seq}
