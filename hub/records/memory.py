"""The in-memory implementation of the record, for tests. It behaves like MongoDB and stores nothing on disk."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from datetime import datetime
from typing import Literal

from hub.accounts.access import EVERY_DOCTOR, AccessEntry
from hub.accounts.account import Account, Erasure, JoinedInto, OneTimeCode, Refreshed, Session
from hub.accounts.pending_sign_up import PendingSignUp
from hub.accounts.person import Person, person_of
from hub.accounts.ports import Unique
from hub.clock import system_clock
from hub.records.memory_appointments import MemoryAppointments
from hub.records.memory_texts import (
    MemoryInboundTexts,
    MemoryLineHalts,
    MemoryOptOuts,
    MemoryTextPositions,
    MemoryTexts,
)
from hub.records.memory_waitlist import MemoryWaitlist
from hub.scheduling.day_change import DayPlan
from hub.scheduling.values import Role


class MemoryRecords:
    """Implements `hub.records.ports.Records`."""

    def __init__(self) -> None:
        self.appointments = MemoryAppointments()
        self.waitlist = MemoryWaitlist(self.appointments)
        self.users = MemoryUsers()
        self.sessions = MemorySessions()
        self.texts = MemoryTexts()
        self.text_positions = MemoryTextPositions()
        self.inbound_texts = MemoryInboundTexts()
        self.opt_outs = MemoryOptOuts()
        self.line_halts = MemoryLineHalts()
        self.attempts = MemoryAttempts()
        self.access_log = MemoryAccessLog()
        self.codes = MemoryCodes()
        self.sign_ups = MemorySignUps()
        self.day_plans = MemoryDayPlans()
        self.presence = MemoryPresence()
        self.photos = MemoryPhotos()

    async def prepare_fences(self) -> None:
        """Do nothing: the fences always exist."""

    async def prepare(self) -> None:
        """Do nothing: the fences always exist."""

    async def ping(self) -> None:
        """Return at once."""

    async def close(self) -> None:
        """Do nothing: there is no connection."""


class MemoryUsers:
    """Implements `hub.records.ports.UserRecords`."""

    def __init__(self) -> None:
        self._stored: dict[str, Account] = {}
        self._changed_at: dict[str, datetime] = {}

    async def add(self, accounts: Sequence[Account]) -> Unique | None:
        """Insert accounts in order. Stop at the first one whose e-mail address or phone number is taken."""
        for account in accounts:
            others = [other for other in self._stored.values() if other.has_log_in]
            if account.has_log_in and any(other.email == account.email for other in others):
                return "email"
            if account.has_log_in and account.phone and any(other.phone == account.phone for other in others):
                return "phone"
            self._store(account)
        return None

    async def change(self, before: Account, after: Account) -> Unique | Literal["stale"] | None:
        """Write the fields that differ between the two versions."""
        stored = self._stored.get(before.id)
        changes = {name: value for name, value in after if value != getattr(before, name)}
        others = [other for other in self._stored.values() if other.id != before.id and other.has_log_in]
        if (
            stored is None
            or stored.erased
            or ("password_hash" in changes and stored.password_hash != before.password_hash)
        ):
            return "stale"
        if "email" in changes and after.has_log_in and any(other.email == after.email for other in others):
            return "email"
        if changes.get("phone") and after.has_log_in and any(other.phone == after.phone for other in others):
            return "phone"
        self._store(stored.model_copy(update=changes))
        return None

    async def join(self, patient_id: str, joined_into: JoinedInto) -> JoinedInto | None:
        """Store what a patient was joined into, unless that is stored already; return what is stored."""
        account = self._stored.get(patient_id)
        if account is not None and not account.has_log_in and not account.joined_into and not account.erased:
            self._store(account.model_copy(update={"joined_into": joined_into}))
        return self._stored[patient_id].joined_into if account else None

    async def joined_since(self, since: datetime) -> list[Account]:
        """Return the patients who were joined into another account at `since` or later."""
        return [one for one in self._stored.values() if one.joined_into is not None and one.joined_into.at >= since]

    async def joined_with(self, account_id: str) -> list[Account]:
        """Return the patients who were joined into this account."""
        return [one for one in self._stored.values() if one.joined_into and one.joined_into.account_id == account_id]

    async def erase(self, before: Account, after: Account) -> bool:
        """Replace a patient's account by what is left of it; return whether it was replaced."""
        stored = self._stored.get(before.id)
        if stored is None or stored.erased or stored.password_hash != before.password_hash:
            return False
        self._store(after)
        return True

    async def put_erasure(self, account_id: str, erasure: Erasure) -> None:
        """Store how far the erasure of an account has come."""
        self._stored[account_id] = self._stored[account_id].model_copy(update={"erased": erasure})

    async def erasures(self) -> list[Account]:
        """Return the erased accounts that still have to be looked after."""
        return [one for one in self._stored.values() if one.erased and one.erased.look_until]

    async def by_id(self, user_id: str) -> Account | None:
        """Return the account."""
        return self._stored.get(user_id)

    async def by_email(self, email: str) -> Account | None:
        """Return the account with this e-mail address (lower case)."""
        return next((one for one in self._stored.values() if one.has_log_in and one.email == email), None)

    async def by_phone(self, phone: str) -> Account | None:
        """Return the account with this phone number (E.164)."""
        return next((one for one in self._stored.values() if one.has_log_in and one.phone == phone), None)

    async def patients_with_phone(self, phone: str) -> list[Account]:
        """Return all patients with this phone number, the one who can log in first, then by id."""
        found = [one for one in self._stored.values() if one.phone == phone and one.role == "patient"]
        return sorted(found, key=lambda one: (not one.has_log_in, one.id))

    async def by_ids(self, user_ids: Collection[str]) -> dict[str, Account]:
        """Return the accounts that exist among the ids, by id."""
        return {id_: self._stored[id_] for id_ in user_ids if id_ in self._stored}

    async def doctors(self) -> list[Account]:
        """Return all doctors, ordered by name."""
        return self._of_role(Role.DOCTOR)

    async def receptionists(self) -> list[Account]:
        """Return all receptionists, ordered by name."""
        return self._of_role(Role.RECEPTIONIST)

    async def doctor_ids(self) -> list[str]:
        """Return the ids of all doctors."""
        return [account.id for account in self._stored.values() if account.role == "doctor"]

    async def count(self, role: Role | None = None) -> int:
        """Return the number of accounts, of one role or of all."""
        return sum(role in (None, account.role) for account in self._stored.values())

    async def people(self) -> AsyncIterator[Sequence[Person]]:
        """Yield all people in one batch."""
        yield [person_of(account) for account in self._stored.values()]

    async def people_changed(self, since: datetime) -> list[Person]:
        """Return the people whose accounts were written at `since` or later."""
        return [person_of(self._stored[id_]) for id_, changed_at in self._changed_at.items() if changed_at >= since]

    def _store(self, account: Account) -> None:
        self._stored[account.id] = account
        self._changed_at[account.id] = system_clock()

    def _of_role(self, role: Role) -> list[Account]:
        found = [account for account in self._stored.values() if account.role == role]
        return sorted(found, key=lambda account: (account.name, account.id))


class MemorySessions:
    """Implements `hub.records.ports.SessionRecords`."""

    def __init__(self) -> None:
        self._stored: dict[str, Session] = {}

    async def add(self, session: Session) -> None:
        """Insert a session."""
        self._stored[session.id] = session

    async def rotate(
        self, session_id: str, presented: str, fresh: str, now: datetime, refreshed: Refreshed | None = None
    ) -> Session | None:
        """Replace the token hash `presented` by `fresh`, or revoke the session if it has another hash."""
        session = self._stored.get(session_id)
        if session and session.revoked_at is None and session.expires_at > now:
            if session.token_hash == presented:
                after = {"token_hash": fresh, "refreshed": refreshed, "used_at": now}
                self._stored[session_id] = session.model_copy(update=after)
                return self._stored[session_id]
            if session.was_refreshed_by(presented, refreshed):
                return session
        await self.revoke(session_id, now)
        return None

    async def revoke(self, session_id: str, now: datetime) -> None:
        """Revoke the session."""
        session = self._stored.get(session_id)
        if session and session.revoked_at is None:
            self._stored[session_id] = session.model_copy(update={"revoked_at": now})

    async def of_user(self, user_id: str, now: datetime) -> list[Session]:
        """Return the live sessions of a user, the latest first."""
        live = [
            one
            for one in self._stored.values()
            if one.user_id == user_id and one.revoked_at is None and one.expires_at > now
        ]
        return sorted(live, key=lambda one: (one.created_at, one.id), reverse=True)

    async def revoked_at(self, session_id: str) -> datetime | None:
        """Return when the session was revoked."""
        session = self._stored.get(session_id)
        return session.revoked_at if session else None

    async def revoked_since(self, since: datetime) -> dict[str, datetime]:
        """Return the sessions that were revoked at `since` or later."""
        return {one.id: one.revoked_at for one in self._stored.values() if one.revoked_at and one.revoked_at >= since}

    async def forget_devices(self, user_id: str) -> None:
        """Remove from the sessions of a user what their programs said of themselves."""
        own = [one for one in self._stored.values() if one.user_id == user_id]
        self._stored |= {one.id: one.model_copy(update={"device": None}) for one in own}

    async def revoke_all_from_before(self, restored: Session, now: datetime) -> int:
        """Revoke every live session, and insert one that stands for those that are lost."""
        live = [one.id for one in self._stored.values() if one.revoked_at is None]
        for session_id in live:
            await self.revoke(session_id, now)
        await self.add(restored)
        return len(live)

    async def revoke_all(self, user_id: str, now: datetime, keep_session_id: str | None = None) -> list[str]:
        """Revoke every live session of the user except `keep_session_id`. Returns the revoked ids."""
        live = [
            one.id
            for one in self._stored.values()
            if one.user_id == user_id and one.id != keep_session_id and one.revoked_at is None
        ]
        for session_id in live:
            await self.revoke(session_id, now)
        return live


class MemoryCodes:
    """Implements `hub.records.ports.CodeRecords`. Codes stay until they are used."""

    def __init__(self) -> None:
        self._stored: dict[str, OneTimeCode] = {}

    async def put(self, code: OneTimeCode) -> None:
        """Store a code in place of the one before."""
        self._stored[code.id] = code

    async def tried(self, code_id: str) -> OneTimeCode | None:
        """Count a try and return the code."""
        code = self._stored.get(code_id)
        if code is not None:
            code = self._stored[code_id] = code.model_copy(update={"tries": code.tries + 1})
        return code

    async def use(self, code: OneTimeCode) -> bool:
        """Remove the code."""
        stored = self._stored.get(code.id)
        if stored is None or stored.code_hash != code.code_hash:
            return False
        del self._stored[code.id]
        return True

    async def forget(self, code_ids: Collection[str]) -> None:
        """Remove these codes."""
        for id_ in code_ids:
            self._stored.pop(id_, None)


class MemorySignUps:
    """Implements `hub.records.ports.SignUpRecords`. Sign-ups stay until they are removed."""

    def __init__(self) -> None:
        self._stored: dict[str, PendingSignUp] = {}

    async def add(self, sign_up: PendingSignUp) -> None:
        """Insert a sign-up."""
        self._stored[sign_up.id] = sign_up

    async def set_code(self, sign_up_id: str, code_hash: str) -> None:
        """Store the code of a sign-up, if it is still there."""
        self._change(sign_up_id, code_hash=code_hash)

    async def tried(self, sign_up_id: str) -> PendingSignUp | None:
        """Count a try and return the sign-up."""
        found = self._stored.get(sign_up_id)
        return self._change(sign_up_id, tries=found.tries + 1) if found else None

    async def remove(self, sign_up_id: str) -> None:
        """Delete a sign-up, if it is still there."""
        self._stored.pop(sign_up_id, None)

    def _change(self, sign_up_id: str, **changes: object) -> PendingSignUp | None:
        if found := self._stored.get(sign_up_id):
            self._stored[sign_up_id] = found.model_copy(update=changes)
        return self._stored.get(sign_up_id)


class MemoryDayPlans:
    """Implements `hub.records.ports.DayPlanRecords`. Plans never expire."""

    def __init__(self) -> None:
        self._stored: dict[str, DayPlan] = {}

    async def by_id(self, plan_id: str) -> DayPlan | None:
        """Return the plan."""
        return self._stored.get(plan_id)

    async def keep(self, plan: DayPlan) -> DayPlan:
        """Store the plan unless there is one with its id; return the stored one."""
        return self._stored.setdefault(plan.id, plan)


class MemoryPhotos:
    """Implements `hub.records.ports.PhotoRecords`."""

    def __init__(self) -> None:
        self._stored: dict[str, bytes] = {}

    async def put(self, photo_id: str, jpeg: bytes) -> None:
        """Store a new picture."""
        self._stored[photo_id] = jpeg

    async def get(self, photo_id: str) -> bytes | None:
        """Return the picture."""
        return self._stored.get(photo_id)

    async def remove(self, photo_id: str) -> None:
        """Delete the picture, if it exists."""
        self._stored.pop(photo_id, None)


class MemoryAccessLog:
    """Implements `hub.accounts.ports.AccessRecords`. Lines never expire."""

    def __init__(self) -> None:
        self._stored: dict[str, AccessEntry] = {}

    async def add(self, entries: Sequence[AccessEntry]) -> None:
        """Insert the lines that are not there yet."""
        for entry in entries:
            self._stored.setdefault(entry.id, entry)

    async def about(self, person_id: str, since: datetime, until: datetime) -> list[AccessEntry]:
        """Return the lines about a person of [since, until), by time."""
        named = {id_ for id_, entry in self._stored.items() if person_id in entry.people}
        return self._ordered(
            entry
            for entry in self._stored.values()
            if (entry.id in named or entry.same_as in named) and since <= entry.at < until
        )

    async def by(self, person_id: str, since: datetime, until: datetime) -> list[AccessEntry]:
        """Return what a person did in [since, until), by time."""
        return self._ordered(one for one in self._stored.values() if one.by == person_id and since <= one.at < until)

    async def by_ids(self, ids: Collection[str]) -> dict[str, AccessEntry]:
        """Return the lines that exist among the ids."""
        return {id_: self._stored[id_] for id_ in ids if id_ in self._stored}

    async def forget_addresses(self, person_id: str) -> None:
        """Remove the network addresses from what a person did, and from refused log-ins to the account."""
        for id_, entry in self._stored.items():
            if entry.by == person_id or (entry.by is None and person_id in entry.people):
                self._stored[id_] = entry.model_copy(update={"address": None})

    async def streams(self, doctor_ids: Collection[str]) -> list[AccessEntry]:
        """Return the lines about sockets that are sent events of these doctors, by time."""
        wanted = {*doctor_ids, EVERY_DOCTOR}
        return self._ordered(one for one in self._stored.values() if wanted & set(one.doctors))

    @staticmethod
    def _ordered(entries: Iterable[AccessEntry]) -> list[AccessEntry]:
        return sorted(entries, key=lambda entry: (entry.at, entry.id))


class MemoryPresence:
    """Implements `hub.records.ports.PresenceRecords`."""

    def __init__(self) -> None:
        self._until: dict[str, datetime] = {}

    async def mark(self, patient_ids: Collection[str], until: datetime) -> None:
        """Note that these patients are connected, until the instant at the latest."""
        self._until |= {id_: max(until, self._until.get(id_, until)) for id_ in patient_ids}

    async def connected(self, now: datetime) -> set[str]:
        """Return the patients who are noted to be connected."""
        return {id_ for id_, until in self._until.items() if until > now}


class MemoryAttempts:
    """Implements `hub.records.ports.AttemptRecords`. Counters never expire."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    async def counts(self, keys: Sequence[str]) -> dict[str, int]:
        """Return the counters of these keys that exist."""
        return {key: self._counts[key] for key in keys if key in self._counts}

    async def count(self, key: str, until: datetime) -> int:  # noqa: ARG002  # the MongoDB store needs it
        """Increment the counter of the key and return its new value."""
        self._counts[key] = self._counts.get(key, 0) + 1
        return self._counts[key]

    async def forget(self, prefixes: Collection[str]) -> None:
        """Remove the counters whose keys begin so."""
        self._counts = {key: count for key, count in self._counts.items() if not key.startswith(tuple(prefixes))}
