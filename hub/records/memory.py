"""The in-memory twin of the store, for tests: the same answers as MongoDB, nothing kept."""

from collections.abc import Collection, Hashable, Sequence
from datetime import datetime
from typing import Literal

from hub.accounts.account import Account, Session
from hub.records.memory_texts import (
    MemoryInboundTexts,
    MemoryLineHalts,
    MemoryOptOuts,
    MemoryTextPositions,
    MemoryTexts,
)
from hub.records.overlap import quarters
from hub.records.ports import (
    After,
    AppointmentFilter,
    Deadline,
    Fence,
    Happened,
    Saved,
    SaveOutcome,
    Stale,
    Stopped,
    Unique,
    deadline_of,
)
from hub.scheduling.appointment import Appointment, as_of
from hub.scheduling.statistics import Outcome
from hub.scheduling.values import Role

_Claim = tuple[Fence, Hashable]


class MemoryRecords:
    """Implements `hub.records.ports.Records`."""

    def __init__(self) -> None:
        self.appointments = MemoryAppointments()
        self.users = MemoryUsers()
        self.sessions = MemorySessions()
        self.texts = MemoryTexts()
        self.text_positions = MemoryTextPositions()
        self.inbound_texts = MemoryInboundTexts()
        self.opt_outs = MemoryOptOuts()
        self.line_halts = MemoryLineHalts()
        self.attempts = MemoryAttempts()
        self.photos = MemoryPhotos()

    async def prepare(self) -> None:
        """Do nothing: the fences are always there."""

    async def ping(self) -> None:
        """Return at once."""

    async def close(self) -> None:
        """Do nothing: there are no connections."""


class MemoryAppointments:
    """Implements `hub.records.ports.AppointmentRecords`."""

    def __init__(self) -> None:
        self._stored: dict[str, Appointment] = {}
        self._holders: dict[_Claim, str] = {}
        """For each claim (see `_claims`) the id of the appointment that has it: what the unique indexes are there."""

    async def save(self, appointments: Sequence[Appointment]) -> SaveOutcome:
        """Write the appointments in order, stopping at the first that meets a fence."""
        for written, appointment in enumerate(appointments):
            fence = self._met(appointment)
            if fence is not None:
                return Stopped(written, fence) if isinstance(fence, Fence) else Stale(written)
            self._write(appointment)
        return Saved()

    async def by_ids(self, ids: Collection[str]) -> dict[str, Appointment]:
        """Return the appointments that exist among the ids, by id."""
        return {id_: self._stored[id_] for id_ in ids if id_ in self._stored}

    async def by_command(self, command_id: str) -> Appointment | None:
        """Return the appointment whose history holds the command."""
        holder = self._holders.get((Fence.COMMAND, command_id))
        return self._stored[holder] if holder else None

    async def active_since(self, doctor_ids: Collection[str], since: datetime) -> list[Appointment]:
        """Return the active appointments of the doctors from `since` on, ordered by start."""
        return [one for one in self._ordered() if one.active and one.doctor_id in doctor_ids and one.start >= since]

    async def taken(self, doctor_id: str, start_from: datetime, start_to: datetime) -> set[datetime]:
        """Return the starts of the doctor's active appointments in [start_from, start_to)."""
        return {one.start for one in await self.active_since([doctor_id], start_from) if one.start < start_to}

    async def busy(self, wanted: Collection[tuple[str, datetime]]) -> set[tuple[str, datetime]]:
        """Return which (patient id, start) pairs overlap an active appointment of that patient."""
        return {pair for pair in wanted if any(claim in self._holders for claim in _patient_times(*pair))}

    async def due(self, until: datetime) -> list[Deadline]:
        """Return the deadlines up to `until`, in order of time."""
        deadlines = [
            deadline for one in self._stored.values() if (deadline := deadline_of(one)) and deadline.due <= until
        ]
        return sorted(deadlines, key=lambda deadline: deadline.due)

    async def last_seq(self, doctor_id: str, known: int = 0) -> int:
        """Return the last `seq` of the doctor's history."""
        return max((one.last.seq for one in self._stored.values() if one.doctor_id == doctor_id), default=known)

    async def happened(self, doctor_id: str, after: int, limit: int = 1000) -> list[Happened]:
        """Return the doctor's events with `seq` above `after`, ordered by `seq`, at most `limit`."""
        happened = [
            Happened(event, as_of(appointment, event))
            for appointment in self._stored.values()
            if appointment.doctor_id == doctor_id
            for event in appointment.history
            if after < event.seq <= after + limit
        ]
        return sorted(happened, key=lambda one: one.event.seq)

    async def doctors_of(self, patient_ids: Collection[str]) -> dict[str, set[str]]:
        """Return with which doctors each of the patients has appointments."""
        found: dict[str, set[str]] = {}
        for one in self._stored.values():
            if one.patient_id in patient_ids:
                found.setdefault(one.patient_id, set()).add(one.doctor_id)
        return found

    async def page(self, wanted: AppointmentFilter, limit: int, after: After | None = None) -> list[Appointment]:
        """Return at most `limit` appointments ordered by (start, id), going on after `after`."""
        matching = (
            one
            for one in self._ordered()
            if _shown(wanted, one) and (after is None or (one.start, one.id) > (after.start, after.id))
        )
        return [one for one, _ in zip(matching, range(limit), strict=False)]

    async def outcomes(self, doctor_id: str, start_from: datetime | None, start_to: datetime | None) -> list[Outcome]:
        """Return what became of the doctor's appointments in [start_from, start_to)."""
        wanted = AppointmentFilter(doctor_id=doctor_id, start_from=start_from, start_to=start_to)
        return [Outcome(one.start, one.created_at, one.status) for one in self._ordered() if _shown(wanted, one)]

    async def have_met(self, doctor_id: str, patient_id: str) -> bool:
        """Return whether there is, or was, an appointment of the two."""
        return any(one.doctor_id == doctor_id and one.patient_id == patient_id for one in self._stored.values())

    def _met(self, appointment: Appointment) -> Fence | Literal["stale"] | None:
        """Return what stands in the way of a write, in the order that `Stopped` promises."""
        stored = self._stored.get(appointment.id)
        if holder := self._holders.get((Fence.COMMAND, appointment.last.command_id)):
            return Fence.APPOINTMENT if appointment.version == 1 and holder == appointment.id else Fence.COMMAND
        if stored and stored.history != appointment.history[:-1]:
            return "stale"
        if (Fence.DOCTOR_SEQ, (appointment.doctor_id, appointment.last.seq)) in self._holders:
            return Fence.DOCTOR_SEQ
        for claim in _claims(appointment):
            if self._holders.get(claim, appointment.id) != appointment.id:
                return claim[0]
        return None

    def _write(self, appointment: Appointment) -> None:
        before = self._stored.get(appointment.id)
        for claim in _claims(before) if before else ():
            del self._holders[claim]
        self._holders |= dict.fromkeys(_claims(appointment), appointment.id)
        self._stored[appointment.id] = appointment

    def _ordered(self) -> list[Appointment]:
        return sorted(self._stored.values(), key=lambda one: (one.start, one.id))


class MemoryUsers:
    """Implements `hub.records.ports.UserRecords`."""

    def __init__(self) -> None:
        self._stored: dict[str, Account] = {}

    async def add(self, accounts: Sequence[Account]) -> Unique | None:
        """Write new accounts in order, stopping at the first whose e-mail address or phone number is taken."""
        for account in accounts:
            if any(other.email == account.email for other in self._stored.values()):
                return "email"
            if account.phone and any(other.phone == account.phone for other in self._stored.values()):
                return "phone"
            self._stored[account.id] = account
        return None

    async def change(self, before: Account, after: Account) -> Unique | Literal["stale"] | None:
        """Write what differs between the two."""
        stored = self._stored.get(before.id)
        changes = {name: value for name, value in after if value != getattr(before, name)}
        others = [other for other in self._stored.values() if other.id != before.id]
        if stored is None or ("password_hash" in changes and stored.password_hash != before.password_hash):
            return "stale"
        if "email" in changes and any(other.email == after.email for other in others):
            return "email"
        if changes.get("phone") and any(other.phone == after.phone for other in others):
            return "phone"
        self._stored[before.id] = stored.model_copy(update=changes)
        return None

    async def by_id(self, user_id: str) -> Account | None:
        """Return the account."""
        return self._stored.get(user_id)

    async def by_email(self, email: str) -> Account | None:
        """Return the account with this e-mail address (lower case)."""
        return next((account for account in self._stored.values() if account.email == email), None)

    async def by_phone(self, phone: str) -> Account | None:
        """Return the account with this phone number (E.164)."""
        return next((account for account in self._stored.values() if account.phone == phone), None)

    async def by_ids(self, user_ids: Collection[str]) -> dict[str, Account]:
        """Return the accounts that exist among the ids, by id."""
        return {id_: self._stored[id_] for id_ in user_ids if id_ in self._stored}

    async def doctors(self) -> list[Account]:
        """Return all doctors, ordered by name."""
        found = [account for account in self._stored.values() if account.role == "doctor"]
        return sorted(found, key=lambda doctor: (doctor.name, doctor.id))

    async def doctor_ids(self) -> list[str]:
        """Return the ids of all doctors."""
        return [account.id for account in self._stored.values() if account.role == "doctor"]

    async def count(self, role: Role | None = None) -> int:
        """Return how many accounts there are, of one role or of both."""
        return sum(role in (None, account.role) for account in self._stored.values())


class MemorySessions:
    """Implements `hub.records.ports.SessionRecords`."""

    def __init__(self) -> None:
        self._stored: dict[str, Session] = {}

    async def add(self, session: Session) -> None:
        """Write a new session."""
        self._stored[session.id] = session

    async def rotate(self, session_id: str, presented: str, fresh: str, now: datetime) -> Session | None:
        """Replace the token hash `presented` by `fresh`, or revoke the session if that is not its hash."""
        session = self._stored.get(session_id)
        if session is None or session.token_hash != presented or session.revoked_at or session.expires_at <= now:
            await self.revoke(session_id, now)
            return None
        self._stored[session_id] = session.model_copy(update={"token_hash": fresh})
        return self._stored[session_id]

    async def revoke(self, session_id: str, now: datetime) -> None:
        """End the session."""
        session = self._stored.get(session_id)
        if session and session.revoked_at is None:
            self._stored[session_id] = session.model_copy(update={"revoked_at": now})

    async def revoked_at(self, session_id: str) -> datetime | None:
        """Return when the session was ended."""
        session = self._stored.get(session_id)
        return session.revoked_at if session else None

    async def revoked_since(self, since: datetime) -> dict[str, datetime]:
        """Return the sessions that were ended at `since` or later."""
        return {one.id: one.revoked_at for one in self._stored.values() if one.revoked_at and one.revoked_at >= since}

    async def revoke_all(self, user_id: str, now: datetime, spared: str | None = None) -> list[str]:
        """End every live session of the user but the one that is `spared`; return their ids."""
        live = [
            one.id
            for one in self._stored.values()
            if one.user_id == user_id and one.id != spared and one.revoked_at is None
        ]
        for session_id in live:
            await self.revoke(session_id, now)
        return live


class MemoryPhotos:
    """Implements `hub.records.ports.PhotoRecords`."""

    def __init__(self) -> None:
        self._stored: dict[str, bytes] = {}

    async def put(self, photo_id: str, jpeg: bytes) -> None:
        """Write a new picture."""
        self._stored[photo_id] = jpeg

    async def get(self, photo_id: str) -> bytes | None:
        """Return the picture."""
        return self._stored.get(photo_id)

    async def remove(self, photo_id: str) -> None:
        """Remove the picture, if there is one."""
        self._stored.pop(photo_id, None)


class MemoryAttempts:
    """Implements `hub.records.ports.AttemptRecords`; forgets nothing."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    async def counts(self, keys: Sequence[str]) -> dict[str, int]:
        """Return what was counted under each of the keys that has something."""
        return {key: self._counts[key] for key in keys if key in self._counts}

    async def count(self, key: str, until: datetime) -> int:  # noqa: ARG002  # as the store is asked
        """Count one more under the key and return how many that makes."""
        self._counts[key] = self._counts.get(key, 0) + 1
        return self._counts[key]


def _claims(appointment: Appointment) -> list[_Claim]:
    """Return what an appointment holds that no other may hold, in the order in which a refusal names it."""
    doctor_id = appointment.doctor_id
    claims: list[_Claim] = []
    claims += [(Fence.COMMAND, event.command_id) for event in appointment.history]
    claims += [(Fence.DOCTOR_SEQ, (doctor_id, event.seq)) for event in appointment.history]
    if appointment.active:
        claims.append((Fence.DOCTOR_SLOT, (doctor_id, appointment.start)))
        claims += _patient_times(appointment.patient_id, appointment.start)
    return claims


def _patient_times(patient_id: str, start: datetime) -> list[_Claim]:
    return [(Fence.PATIENT_TIME, (patient_id, quarter)) for quarter in quarters(start)]


def _shown(wanted: AppointmentFilter, appointment: Appointment) -> bool:
    return (
        wanted.doctor_id in (None, appointment.doctor_id)
        and wanted.patient_id in (None, appointment.patient_id)
        and (wanted.statuses is None or appointment.status in wanted.statuses)
        and (wanted.start_from is None or appointment.start >= wanted.start_from)
        and (wanted.start_to is None or appointment.start < wanted.start_to)
    )
