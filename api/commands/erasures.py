"""Erases patients: future appointments are cancelled, and everything that says who somebody was is removed.

The account is replaced first, by one that has nothing but its id and what is to be done. From then on nobody logs in to
it and nobody books for it. The ids of the commands follow from what is stored there. So whatever dies half-way, the
rest is done by `run`, in every process, and nothing is done twice. A booking that was under way is found by it, too.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from api.commands.command_client import CommandClient, Header
from api.http.problems import Problem
from api.people.directory import Directory
from hub.accounts.account import Account, Erasure
from hub.accounts.identity import Identity
from hub.accounts.person import person_of
from hub.accounts.sessions import SignIn
from hub.bus.ports import NoAnswer
from hub.clock import Clock
from hub.ids import derived_id, new_id
from hub.records.appointment_filter import AppointmentFilter
from hub.records.erasure import LOOKED_AFTER, begin, erase_log_ins, erase_texts
from hub.records.errors import StoreUnavailable
from hub.records.paging import every_appointment
from hub.records.ports import PhotoRecords, Records
from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import CancelAppointment, Command, ErasePatient
from hub.scheduling.values import Role, Status, Via
from hub.scheduling.waitlist_commands import DeclineOffer, LeaveWaitlist

log = structlog.get_logger(__name__)

_EVERY = 5.0
"""Seconds between two looks for erasures that are not finished."""
_AGAIN = timedelta(minutes=2)
"""Time between two looks for what was under way at an erasure that is finished."""
_AT_ONCE = 5.0
"""Seconds that a request waits for its erasure; the rest is done after the answer."""
_TRIES = 3
"""Times that the appointments are read again, because a booking was under way."""
_CODES = ("phone", "password")
"""The codes by text that an account may have (`api.resources.account_texts`)."""


class ErasureCommands:
    """Erases patients, and finishes what a process or the command line has begun."""

    def __init__(  # noqa: PLR0913, PLR0917  # assembled once, in `api.services`
        self,
        records: Records,
        photos: PhotoRecords,
        client: CommandClient,
        sign_in: SignIn,
        directory: Directory,
        forget_attempts: Callable[[str], Awaitable[None]],
        clock: Clock,
        every: float = _EVERY,
    ) -> None:
        """`forget_attempts` removes the counters of log-ins to an account, by its e-mail address, id or phone."""
        self._records = records
        self._photos = photos
        self._client = client
        self._sign_in = sign_in
        self._directory = directory
        self._forget_attempts = forget_attempts
        self._clock = clock
        self._every = every
        self._looked: dict[str, datetime] = {}
        """When this process last looked after an erasure that is finished."""

    async def erase(self, who: Identity, account: Account) -> bool:
        """Erase the account of the caller, who has given the password; return whether it was not changed meanwhile.

        At the return the account is gone. What could not be done here is done by `run`. Raises `StoreUnavailable`
        before anything was done.
        """
        now = self._clock()
        wanted = Erasure(by=who.user_id, by_role=who.role, key=new_id(), at=now, look_until=now + LOOKED_AFTER)
        left = await begin(self._records, account, wanted)
        if left is None:
            return False
        try:
            async with asyncio.timeout(_AT_ONCE):
                await self._carry_out(left)
        except (StoreUnavailable, NoAnswer, Problem, TimeoutError) as error:
            log.warning("erasure_goes_on_later", user_id=account.id, cause=str(error))
        return True

    async def run(self) -> None:
        """Finish what is not finished, for ever."""
        while True:
            await asyncio.sleep(self._every)
            try:
                await self.look_after()
            except StoreUnavailable as error:
                log.warning("erasures_not_looked_after", cause=str(error))

    async def look_after(self) -> None:
        """Finish erasures, and look once more for bookings that were under way at one."""
        for account in await self._records.users.erasures():
            if account.erased and account.erased.finished_at:
                if self._clock() - self._looked.get(account.id, account.erased.finished_at) < _AGAIN:
                    continue
                self._looked[account.id] = self._clock()
            try:
                await self._carry_out(account)
            except (StoreUnavailable, NoAnswer, Problem) as error:
                log.warning("erasure_goes_on_later", user_id=account.id, cause=str(error))

    async def _carry_out(self, account: Account) -> None:
        """Do all that is to be done for an erased account, in an order in which each step finds what it needs."""
        if (erasure := account.erased) is None:
            raise ValueError(f"{account.id} is not erased")
        self._directory.put(person_of(account))
        await self._sign_in.end_all(account.id)
        for joined in await self._records.users.joined_with(account.id):
            if joined.erased is None:
                await begin(self._records, joined, erasure)
        appointments = await self._erase_appointments(account.id, erasure)
        now = self._clock()
        await erase_texts(self._records, account.id, erasure.phone, appointments, now)
        await self._records.codes.forget([f"{purpose}:{account.id}" for purpose in _CODES])
        for known in filter(None, (erasure.email, erasure.phone, account.id)):
            await self._forget_attempts(known)
        await erase_log_ins(self._records, account.id)
        if erasure.photo is not None:
            await self._photos.remove(erasure.photo)
        await self._settle(account.id, erasure, now)

    async def _settle(self, account_id: str, erasure: Erasure, now: datetime) -> None:
        """Store that all is done; after two hours, that nothing has to be looked after any more."""
        finished = erasure.model_copy(update={"email": None, "phone": None, "photo": None})
        if finished.finished_at is None:
            finished = finished.model_copy(update={"finished_at": now})
            log.info("patient_erased", user_id=account_id)
        if finished.look_until is not None and finished.look_until <= now:
            finished = finished.model_copy(update={"look_until": None})
        if finished != erasure:
            await self._records.users.put_erasure(account_id, finished)
        if finished.look_until is None:
            self._looked.pop(account_id, None)

    async def _erase_appointments(self, patient_id: str, erasure: Erasure) -> set[str]:
        """Remove all words, end what the patient waits for, and cancel what is to come; return the appointments' ids.

        The words go first: by that event the other processes forget the name, and do not send it with later events. The
        patient leaves the waitlists before anything is cancelled, so that nothing is offered to the patient again.
        """
        done: set[str] = set()
        for _ in range(_TRIES):
            found = await every_appointment(self._records.appointments, AppointmentFilter(patient_id=patient_id))
            new = [each for each in found if each.id not in done]
            for appointment in new:
                await self._erase_words(appointment, erasure)
            await self._leave_waitlists(patient_id, erasure)
            for appointment in new:
                await self._end(appointment, erasure)
            if not new:
                break
            done |= {each.id for each in new}
        return done

    async def _erase_words(self, appointment: Appointment, erasure: Erasure) -> None:
        if appointment.erased:
            return
        # The same id until it has happened, and another one should words have been added since.
        times = sum(event.type == "patient_erased" for event in appointment.history)
        header = self._header(erasure, appointment.doctor_id, appointment.id, f"erase {times}")
        patient_id = appointment.patient_id
        await self._give(ErasePatient(**header, appointment_id=appointment.id, patient_id=patient_id))

    async def _leave_waitlists(self, patient_id: str, erasure: Erasure) -> None:
        for entry in await self._records.waitlist.of_patient(patient_id):
            if entry.waiting:
                header = self._header(erasure, entry.doctor_id, entry.id, "leave")
                await self._give(LeaveWaitlist(**header, entry_id=entry.id))

    async def _end(self, appointment: Appointment, erasure: Erasure) -> None:
        """Decline an open offer, and cancel what is to come. What has begun becomes what it becomes."""
        id_, doctor_id = appointment.id, appointment.doctor_id
        if appointment.status is Status.OFFERED:
            await self._give(DeclineOffer(**self._header(erasure, doctor_id, id_, "decline"), appointment_id=id_))
        elif appointment.active and appointment.start > self._clock():
            await self._give(CancelAppointment(**self._header(erasure, doctor_id, id_, "cancel"), appointment_id=id_))

    def _header(self, erasure: Erasure, doctor_id: str, id_: str, step: str) -> Header:
        return self._client.header(_identity(erasure), doctor_id, _via(erasure), derived_id(step, erasure.key, id_))

    async def _give(self, command: Command) -> None:
        """Give a command. What has happened meanwhile is no failure: the next look finds what is left."""
        try:
            await self._client.send(command)
        except Problem as refused:
            if refused.code not in {"wrong_status", "in_the_past", "not_found"}:
                raise


def _identity(erasure: Erasure) -> Identity:
    """Return who has erased the patient, also when the hub finishes it."""
    return Identity(user_id=erasure.by, role=erasure.by_role, session_id="erasure", expires_at=erasure.at)


def _via(erasure: Erasure) -> Via:
    return "cli" if erasure.by_role is Role.SYSTEM else "rest"
