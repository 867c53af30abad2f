"""The waitlist, for REST and sockets: who joins and leaves a line, and who sees it."""

from typing import Annotated

from pydantic import Field

from api.commands.appointments import START_PROBLEMS, Moment
from api.commands.command_client import CommandClient, Done, stored
from api.commands.days import Day
from api.commands.patient_choice import chosen_patient
from api.http.access_log import AccessLog
from api.http.problems import Code, Problem
from api.people.names import NamedEntry, Names
from api.visibility import may_see_entry
from hub.accounts.identity import Identity
from hub.records.ports import Records
from hub.scheduling.values import Id, Role, Value, Via
from hub.scheduling.views import AppointmentView, EntryView, entry_view
from hub.scheduling.waitlist_commands import JoinWaitlist, LeaveWaitlist, OfferSlot
from hub.scheduling.waitlist_entry import WaitlistEntry
from hub.scheduling.wish import Wish

JOIN_PROBLEMS: tuple[Code, ...] = (
    "forbidden",
    "not_found",
    "already_waiting",
    "patient_erased",
    "in_the_past",
    "too_far_ahead",
    "idempotency_key_reused",
)
LEAVE_PROBLEMS: tuple[Code, ...] = ("not_found", "wrong_status", "idempotency_key_reused")
OFFER_PROBLEMS: tuple[Code, ...] = (
    "not_found",
    "wrong_status",
    "offer_open",
    *START_PROBLEMS,
    "idempotency_key_reused",
)


class WaitRequest(Wish):
    """For which doctor one waits, and when one could come.

    From the day `from` to the day `to`, both included, by the doctor's clock; on these `weekdays` (0 is Monday) and
    `between` these minutes after midnight, if they are given. A doctor and a receptionist say for which patient.
    """

    first_day: Day = Field(alias="from", examples=["2026-11-30"])
    last_day: Day = Field(alias="to", examples=["2026-12-04"])
    doctor_id: Id
    patient_id: Id | None = None

    @property
    def wish(self) -> Wish:
        """When the patient could come."""
        return Wish(first_day=self.first_day, last_day=self.last_day, weekdays=self.weekdays, between=self.between)


class OfferRequest(Value):
    """The free slot to offer."""

    start: Moment


class ListedEntry(NamedEntry):
    """An entry with its `place` in the doctor's line: 1 is the first; null if it is not waiting any more."""

    place: Annotated[int | None, Field(description="The place in the doctor's line, 1 for the first.", examples=[3])]

    @property
    def shown(self) -> dict[str, object]:
        """The JSON, without the name that its reader is not sent."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


class WaitlistCommands:
    """Turns the requests of signed-in people into commands, and reads the lines. Every method raises `Problem`."""

    def __init__(self, records: Records, client: CommandClient, names: Names, access_log: AccessLog) -> None:
        self._records = records
        self._client = client
        self._names = names
        self._access_log = access_log

    async def join(self, who: Identity, request: WaitRequest, via: Via, key: str | None) -> Done[ListedEntry]:
        """Let a patient wait."""
        patient_id = await chosen_patient(self._records, who, request.doctor_id, request.patient_id)
        doctor = await stored(self._records.users.by_id(request.doctor_id))
        if doctor is None or doctor.role != "doctor":
            raise Problem("not_found", "There is no such doctor.")
        header = self._client.header(who, request.doctor_id, via, key)
        return await self._entry(who, JoinWaitlist(**header, patient_id=patient_id, wish=request.wish))

    async def leave(self, who: Identity, entry_id: str, via: Via, key: str | None) -> Done[ListedEntry]:
        """Take a patient out of the line."""
        entry = await self._visible(who, entry_id)
        header = self._client.header(who, entry.doctor_id, via, key)
        return await self._entry(who, LeaveWaitlist(**header, entry_id=entry_id))

    async def offer(
        self, who: Identity, entry_id: str, request: OfferRequest, via: Via, key: str | None
    ) -> Done[AppointmentView]:
        """Offer a free slot to somebody, out of turn."""
        entry = await self._visible(who, entry_id)
        if who.role is Role.PATIENT:
            raise Problem("forbidden", "Only the clinic makes offers.")
        header = self._client.header(who, entry.doctor_id, via, key)
        done = await self._client.send(OfferSlot(**header, entry_id=entry_id, start=request.start))
        if not isinstance(done.value, AppointmentView):
            raise TypeError("an actor answered an offer with something else")
        return Done(done.value, done.replayed, done.position)

    async def listed(self, who: Identity, doctor_id: str | None) -> list[ListedEntry]:
        """Return the waiting entries that the caller may see: the own ones, or lines, the first in each line first.

        `doctor_id` selects one doctor; None: all. Raises `StoreUnavailable`.
        """
        waitlist = self._records.waitlist
        if who.role is Role.PATIENT:
            found = [each for each in await waitlist.of_patient(who.user_id) if each.waiting]
        else:
            if who.role is Role.DOCTOR and doctor_id not in (None, who.user_id):
                raise Problem("forbidden", "A doctor sees only the own line.")
            own = who.user_id if who.role is Role.DOCTOR else doctor_id
            doctors = [own] if own is not None else sorted(await waitlist.awaited_doctors())
            found = [entry for each in doctors for entry in await waitlist.line(each)]
        visible = [
            each for each in found if may_see_entry(who.role, who.user_id, each) and doctor_id in (None, each.doctor_id)
        ]
        self._access_log.looked_at_any("waitlist_shown", who, (each.patient_id for each in visible))
        return await self._listed(who, [entry_view(each) for each in visible])

    async def _visible(self, who: Identity, entry_id: str) -> WaitlistEntry:
        entry = (await stored(self._records.waitlist.by_ids([entry_id]))).get(entry_id)
        if entry is None or not may_see_entry(who.role, who.user_id, entry):
            raise Problem("not_found", "There is no such entry of the waitlist.")
        return entry

    async def _entry(self, who: Identity, command: JoinWaitlist | LeaveWaitlist) -> Done[ListedEntry]:
        done = await self._client.send(command)
        if not isinstance(done.value, EntryView):
            raise TypeError(f"an actor answered {command.kind} with something else")
        self._access_log.looked("waitlist_changed", who, [done.value.patient_id])
        [listed] = await self._listed(who, [done.value])
        return Done(listed, done.replayed, done.position)

    async def _listed(self, who: Identity, entries: list[EntryView]) -> list[ListedEntry]:
        await self._names.learn(who.role, entries)
        places = await self._records.waitlist.places({each.doctor_id for each in entries}) if entries else {}
        return [
            ListedEntry(**dict(each), **self._names.field(who.role, each), place=places.get(each.id))
            for each in entries
        ]
