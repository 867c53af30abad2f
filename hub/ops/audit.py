"""Reads the access log: what was done with a person's data, and what a person did."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.accounts.access import EVERY_DOCTOR, AccessEntry
from hub.records.appointment_filter import AppointmentFilter
from hub.records.paging import every_appointment
from hub.records.ports import Records
from hub.scheduling.appointment import Appointment
from hub.scheduling.values import Role


@dataclass(frozen=True)
class Line:
    """A line about people, with the people of the line that it refers to."""

    entry: AccessEntry
    people: tuple[str, ...]


async def about(records: Records, person_id: str, since: datetime, until: datetime) -> list[Line]:
    """Return the lines about a person of [since, until), by time, with the sockets that were sent events of the person.

    A socket's line is listed if the socket was open when something happened to one of the person's appointments.
    """
    entries = await records.access_log.about(person_id, since, until)
    lines = [Line(entry, (person_id,)) for entry in entries]
    appointments = await every_appointment(records.appointments, AppointmentFilter(patient_id=person_id))
    if appointments:
        streams = await records.access_log.streams({each.doctor_id for each in appointments})
        lines += [Line(entry, (person_id,)) for entry in _open_streams(streams, appointments, since, until)]
    return sorted(lines, key=lambda line: (line.entry.at, line.entry.id))


async def by(records: Records, person_id: str, since: datetime, until: datetime) -> list[Line]:
    """Return what a person did in [since, until), by time."""
    entries = await records.access_log.by(person_id, since, until)
    named = await records.access_log.by_ids({entry.same_as for entry in entries if entry.same_as})
    return [Line(entry, _people(entry, named)) for entry in entries]


def _people(entry: AccessEntry, named: Mapping[str, AccessEntry]) -> tuple[str, ...]:
    if entry.same_as is None:
        return entry.people
    return named[entry.same_as].people if entry.same_as in named else ()


def _open_streams(
    streams: Sequence[AccessEntry], appointments: Sequence[Appointment], since: datetime, until: datetime
) -> Iterator[AccessEntry]:
    """Yield the beginnings of the sockets that were open at an event of [since, until) of a doctor that they follow."""
    happened: dict[str, list[datetime]] = {}
    for appointment in appointments:
        for event in appointment.history:
            if since <= event.at < until:
                happened.setdefault(appointment.doctor_id, []).append(event.at)
    for number, begun in enumerate(streams):
        if begun.action != "events_followed":
            continue
        # The first end after it of the same person at the same address. Of several sockets at once, each line counts
        # as open until then; after kill -9 there is no end, and the socket counts as open from then on.
        ends = (
            each.at
            for each in streams[number:]
            if each.action == "events_ended" and (each.by, each.address) == (begun.by, begun.address)
        )
        end = next(ends, until)
        (doctor,) = begun.doctors
        events = [at for id_, of_doctor in happened.items() if doctor in {id_, EVERY_DOCTOR} for at in of_doctor]
        if begun.by_role in {Role.DOCTOR, Role.RECEPTIONIST} and any(begun.at <= at <= end for at in events):
            yield begun
