"""The names of the people of appointments, for whom they are meant: staff see the patient's, a patient the doctor's.

They are added to what clients are sent, from the accounts as they are now. Neither the stored appointments nor the
messages on the bus have them.
"""

from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Any, Protocol

import orjson
from pydantic import Field

from api.people.directory import Directory
from hub.records.errors import StoreUnavailable
from hub.scheduling.values import Id, Role, Value
from hub.scheduling.views import AppointmentView, EntryView


class PersonName(Value):
    """A person by id and name. `name` is null if the patient's data was erased, or if it cannot be read now."""

    id: Id
    name: str | None


def _omitted() -> Any:
    """Return the default of a field that some people are not sent. The document shows no default, and not null."""


class NamedAppointment(AppointmentView):
    """An appointment as a client sees it: with the `patient` for staff, with the `doctor` for patients."""

    patient: PersonName = Field(default_factory=_omitted)
    doctor: PersonName = Field(default_factory=_omitted)


class NamedEntry(EntryView):
    """An entry of the waitlist as a client sees it: with the `patient` for staff, with the `doctor` for patients."""

    patient: PersonName = Field(default_factory=_omitted)
    doctor: PersonName = Field(default_factory=_omitted)


class AppointmentForStaff(AppointmentView):
    """An appointment as staff see it: with the patient's name."""

    patient: PersonName


class Outside(Protocol):
    """What lists the appointments outside a doctor's hours."""

    @property
    def outside(self) -> tuple[AppointmentView, ...]:
        """The appointments."""

    def model_dump(self, *, mode: str, by_alias: bool, exclude: set[str]) -> dict[str, Any]:
        """Return the fields."""


class Parties(Protocol):
    """What the names need of an appointment."""

    @property
    def doctor_id(self) -> str:
        """The doctor."""

    @property
    def patient_id(self) -> str:
        """The patient."""


class Names:
    """Names from the directory. Those of new people have to be learned first."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    @property
    def version(self) -> int:
        """Changes whenever a name that was given out is another one now."""
        return self._directory.version

    def person(self, id_: str) -> PersonName:
        """Return a person with the name that is known."""
        known = self._directory.get(id_)
        return PersonName(id=id_, name=known.shown_name if known else None)

    def for_staff(self, appointment: AppointmentView) -> AppointmentForStaff:
        """Return an appointment with the patient's name."""
        return AppointmentForStaff(**dict(appointment), patient=self.person(appointment.patient_id))

    async def learn_people(self, ids: Iterable[str]) -> None:
        """Read the accounts of those of these people who are not known. If the database does not answer, none is."""
        await self.read({id_ for id_ in ids if not self._directory.knows(id_)})

    def unknown(self, role: Role, appointments: Iterable[Parties]) -> set[str]:
        """Return the people of the appointments whose names this role is sent and this process does not know."""
        return {id_ for each in appointments if not self._directory.knows(id_ := _other(role, each))}

    async def learn(self, role: Role, appointments: Iterable[Parties]) -> None:
        """Read the accounts of people who are not known. If the database does not answer, they have no names."""
        await self.read(self.unknown(role, appointments))

    async def read(self, ids: Collection[str]) -> None:
        """Read these accounts. If the database does not answer, they have no names."""
        if ids:
            with suppress(StoreUnavailable):
                await self._directory.by_ids(ids)

    def add(self, role: Role, appointment: Parties, encoded: bytes) -> bytes:
        """Return an appointment's JSON with the name that this role is sent."""
        [(field, person)] = self.field(role, appointment).items()
        return b'%b,"%b":%b}' % (encoded[:-1], field.encode(), orjson.dumps(person))

    def field(self, role: Role, appointment: Parties) -> dict[str, object]:
        """Return the field with the name that this role is sent of an appointment."""
        id_ = _other(role, appointment)
        person = self._directory.get(id_)
        return {
            "doctor" if role is Role.PATIENT else "patient": {"id": id_, "name": person.shown_name if person else None}
        }

    async def encoded(self, role: Role, appointment: AppointmentView) -> bytes:
        """Return an appointment as JSON, with the name that this role is sent."""
        await self.learn(role, [appointment])
        return self.add(role, appointment, appointment.model_dump_json(by_alias=True).encode())

    async def encoded_with_outside(self, value: Outside) -> bytes:
        """Return hours or time off as JSON, with the patients' names of the appointments outside the hours."""
        await self.learn(Role.DOCTOR, value.outside)
        outside = [
            orjson.Fragment(self.add(Role.DOCTOR, each, each.model_dump_json(by_alias=True).encode()))
            for each in value.outside
        ]
        return orjson.dumps(value.model_dump(mode="json", by_alias=True, exclude={"outside"}) | {"outside": outside})


def _other(role: Role, appointment: Parties) -> str:
    return appointment.doctor_id if role is Role.PATIENT else appointment.patient_id
