"""Joins a patient without a log-in with the account of the same person: the appointments follow, one command for each.

The account is marked first, and the ids of the commands follow from what is stored there. So a request that is repeated
after a crash, by anybody and under any key, goes on where it ended. From the mark on, new bookings are made for the
other account. A booking that was under way then is found by `run`, in every process.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from api.commands.command_client import CommandClient, stored
from api.http.problems import FieldError, Problem, problem_of
from hub.accounts.account import Account, JoinedInto
from hub.accounts.identity import Identity
from hub.bus.ports import NoAnswer
from hub.clock import Clock
from hub.ids import derived_id, new_id
from hub.records.appointment_filter import AppointmentFilter
from hub.records.errors import StoreUnavailable
from hub.records.paging import every_appointment
from hub.records.ports import Records
from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import JoinPatient
from hub.scheduling.values import Id, Instant, Role, Value
from hub.scheduling.waitlist_commands import JoinWaitingPatient

log = structlog.get_logger(__name__)

_EVERY = 10.0
"""Seconds between two looks for bookings that were under way."""
_LOOKED_AFTER = timedelta(hours=2)
"""How long after a join its patient is looked after: far longer than a command lives."""


class Conflict(Value):
    """An appointment that stays with the first account, and why. With `patient_busy`, both have one at that time."""

    appointment_id: Id
    start: Instant
    code: str
    detail: str


@dataclass
class Joined:
    """What became of the appointments. `position` is the last `seq` that was caused at each doctor.

    `left` are the ids of those that the first patient still has.
    """

    moved: int = 0
    left: set[str] = field(default_factory=set)
    conflicts: list[Conflict] = field(default_factory=list)
    position: dict[str, int] = field(default_factory=dict)


class JoinCommands:
    """Joins accounts."""

    def __init__(self, records: Records, client: CommandClient, clock: Clock, every: float = _EVERY) -> None:
        self._records = records
        self._client = client
        self._clock = clock
        self._every = every
        self._left: set[str] = set()
        """What the last look has left behind: it stays until somebody repeats the request."""

    async def join(self, who: Identity, patient_id: str, into_id: str, key: str | None) -> tuple[Account, Joined]:
        """Move the appointments of a patient to another account; return that account, and what was moved.

        Raises `Problem`, and `NoAnswer` and `StoreUnavailable` half-way: then repeat it.
        """
        people = await stored(self._records.users.by_ids({patient_id, into_id}))
        patient, into = people.get(patient_id), people.get(into_id)
        if patient is None or patient.role != "patient":
            raise Problem("not_found", "There is no such patient.")
        if patient.erased:
            raise Problem("patient_erased", "The data of this patient was erased.")
        if patient.has_log_in:
            raise Problem("forbidden", "This patient has a log-in. Only a patient without one can be joined.")
        if into is None or into.role != "patient" or not into.has_log_in:
            wrong = FieldError("/into", "There is no such patient with a log-in.", "unknown")
            raise Problem("invalid_request", "The body is not valid.", errors=[wrong])
        wanted = JoinedInto(account_id=into_id, by=who.user_id, key=key or new_id(), at=self._clock())
        joined_into = await stored(self._records.users.join(patient_id, wanted))
        if joined_into is None or joined_into.account_id != into_id:
            raise Problem("already_joined", "This patient was joined with another account.")
        return into, await self._carry_out(patient_id, joined_into)

    async def run(self) -> None:
        """Move what was booked for joined patients while they were joined, for ever."""
        while True:
            await asyncio.sleep(self._every)
            try:
                await self.look_after()
            except (StoreUnavailable, NoAnswer, Problem) as error:
                log.warning("joins_not_looked_after", cause=str(error))

    async def look_after(self) -> None:
        """Finish the joins of the last two hours."""
        left: set[str] = set()
        for patient in await self._records.users.joined_since(self._clock() - _LOOKED_AFTER):
            if patient.joined_into is not None:
                left |= (await self._carry_out(patient.id, patient.joined_into, self._left)).left
        self._left = left

    async def _carry_out(self, patient_id: str, joined_into: JoinedInto, but: Collection[str] = ()) -> Joined:
        """Move the appointments of a patient, but not these."""
        joined, seen = Joined(), set(but)
        while True:
            found = await every_appointment(self._records.appointments, AppointmentFilter(patient_id=patient_id))
            new = [each for each in found if each.id not in seen]  # a conflict stays
            if not new:
                joined.left = {each.id for each in found}
                await self._move_entries(patient_id, joined_into, joined)
                return joined
            for appointment in new:
                seen.add(appointment.id)
                await self._move(appointment, joined_into, joined)

    async def _move_entries(self, patient_id: str, joined_into: JoinedInto, joined: Joined) -> None:
        """Give the waiting entries of the waitlist to the account, each with its place in the line."""
        for entry in await self._records.waitlist.of_patient(patient_id):
            if not entry.waiting:
                continue
            key = derived_id("join", joined_into.key, entry.id)
            command = JoinWaitingPatient(
                **self._client.header(_receptionist(joined_into), entry.doctor_id, "rest", key),
                entry_id=entry.id,
                previous_patient_id=entry.patient_id,
                patient_id=joined_into.account_id,
            )
            try:
                done = await self._client.send(command)
            except Problem as refused:
                if problem_of(refused).code != "wrong_status":  # it has ended meanwhile, or was moved
                    raise
            else:
                joined.position |= done.position

    async def _move(self, appointment: Appointment, joined_into: JoinedInto, joined: Joined) -> None:
        key = derived_id("join", joined_into.key, appointment.id)
        command = JoinPatient(
            **self._client.header(_receptionist(joined_into), appointment.doctor_id, "rest", key),
            appointment_id=appointment.id,
            previous_patient_id=appointment.patient_id,
            patient_id=joined_into.account_id,
        )
        try:
            done = await self._client.send(command)
        except Problem as refused:
            problem = problem_of(refused)
            if problem.code == "try_again":
                raise
            if problem.code != "wrong_status":  # another request has moved it meanwhile
                joined.conflicts.append(
                    Conflict(
                        appointment_id=appointment.id,
                        start=appointment.start,
                        code=problem.code,
                        detail=problem.detail,
                    )
                )
            return
        joined.moved += 1
        joined.position |= done.position


def _receptionist(joined_into: JoinedInto) -> Identity:
    """Return the receptionist who has joined them, also when somebody else or the hub itself finishes it."""
    return Identity(user_id=joined_into.by, role=Role.RECEPTIONIST, session_id="join", expires_at=joined_into.at)
