"""The collection `users`: the accounts of all roles.

Each write sets `changedAt` by the clock of the machine that writes, so that processes find what others have changed.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal

from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo.errors import BulkWriteError, DuplicateKeyError

from hub.accounts.account import Account, Erasure, JoinedInto
from hub.accounts.person import Person
from hub.accounts.ports import Unique
from hub.clock import system_clock
from hub.records.appointment_documents import LONG_AGO
from hub.records.chunks import chunked
from hub.records.documents import Document, from_document, to_document
from hub.records.errors import StoreUnavailable, duplicate_at, translated
from hub.scheduling.values import Role

_CONTACTS: Mapping[str, str] = {"email": "contactEmail", "phone": "contactPhone"}
"""The fields that hold the addresses of people who cannot log in."""
_OF_PERSON = dict.fromkeys(
    ("role", "name", "email", "phone", *_CONTACTS.values(), "passwordHash", "joinedInto", "erased.at"), 1
)
_ALL_PEOPLE_TIMEOUT = 60.0
"""Seconds. The embedded engine reads all accounts before it returns the first: 10,000 took 1.9 s on a busy machine."""
BATCH = 2000
"""People in a batch. To read one takes some 20 ms, during which other requests wait."""


class MongoUsers:
    """Implements `hub.records.ports.UserRecords`."""

    def __init__(self, collection: AsyncIOMotorCollection[Document]) -> None:
        self._collection = collection

    async def add(self, accounts: Sequence[Account]) -> Unique | None:
        """Insert accounts in order. Stop at the first one whose e-mail address or phone number is taken."""
        if not accounts:
            return None
        with translated():
            try:
                await self._collection.insert_many([_document(account) | _changed_now() for account in accounts])
            except BulkWriteError as error:
                return await self._taken(accounts[duplicate_at(error)])
        return None

    async def change(self, before: Account, after: Account) -> Unique | Literal["stale"] | None:
        """Write the fields that differ. Of two concurrent changes of the password, one gets `stale`."""
        old, new = _document(before), _document(after)
        changed = {name: value for name, value in new.items() if name not in old or old[name] != value}
        gone = dict.fromkeys(old.keys() - new.keys(), "")
        if not changed and not gone:
            return None
        wanted: Document = {"_id": before.id, "erased": {"$exists": False}}
        if "passwordHash" in changed:
            wanted["passwordHash"] = before.password_hash
        update = {"$set": changed | _changed_now()} | ({"$unset": gone} if gone else {})
        with translated():
            try:
                written = await self._collection.update_one(wanted, update)
            except DuplicateKeyError:
                return await self._taken(after)
        return None if written.matched_count else "stale"

    async def join(self, patient_id: str, joined_into: JoinedInto) -> JoinedInto | None:
        """Store what a patient was joined into, unless that is stored already; return what is stored."""
        absent = {"$exists": False}
        first = {"_id": patient_id, "passwordHash": absent, "joinedInto": absent, "erased": absent}
        with translated():
            await self._collection.update_one(
                first, {"$set": {"joinedInto": joined_into.model_dump(by_alias=True)} | _changed_now()}
            )
        account = await self.by_id(patient_id)
        return account.joined_into if account else None

    async def joined_since(self, since: datetime) -> list[Account]:
        """Return the patients who were joined into another account at `since` or later."""
        return await self._find({"joinedInto.at": {"$gte": since}})

    async def joined_with(self, account_id: str) -> list[Account]:
        """Return the patients who were joined into this account."""
        joined = await self.joined_since(LONG_AGO)  # by an index: only few are joined
        return [one for one in joined if one.joined_into and one.joined_into.account_id == account_id]

    async def erase(self, before: Account, after: Account) -> bool:
        """Replace a patient's account by what is left of it; return whether it was replaced."""
        password: Document = {"$eq": before.password_hash} if before.password_hash else {"$exists": False}
        wanted = {"_id": before.id, "passwordHash": password, "erased": {"$exists": False}}
        with translated():
            replaced = await self._collection.replace_one(wanted, _document(after) | _changed_now())
        return replaced.matched_count == 1

    async def put_erasure(self, account_id: str, erasure: Erasure) -> None:
        """Store how far the erasure of an account has come."""
        stored = erasure.model_dump(by_alias=True, exclude_none=True)
        with translated():
            await self._collection.update_one({"_id": account_id}, {"$set": {"erased": stored}})

    async def erasures(self) -> list[Account]:
        """Return the erased accounts that still have to be looked after."""
        return await self._find({"erased.lookUntil": {"$gte": LONG_AGO}})

    async def by_id(self, user_id: str) -> Account | None:
        """Return the account."""
        return await self._one({"_id": user_id})

    async def by_email(self, email: str) -> Account | None:
        """Return the account with this e-mail address (lower case)."""
        return await self._one({"email": email})

    async def by_phone(self, phone: str) -> Account | None:
        """Return the account with this phone number (E.164)."""
        return await self._one({"phone": phone})

    async def patients_with_phone(self, phone: str) -> list[Account]:
        """Return all patients with this phone number, the one who can log in first, then by id."""
        # Two reads: for `$or` the embedded engine would scan.
        found = [*await self._find({"phone": phone}), *await self._find({"contactPhone": phone})]
        return sorted((one for one in found if one.role == "patient"), key=lambda one: (not one.has_log_in, one.id))

    async def by_ids(self, user_ids: Collection[str]) -> dict[str, Account]:
        """Return the accounts that exist among the ids, by id."""
        return {found.id: found for part in chunked(user_ids) for found in await self._find({"_id": {"$in": part}})}

    async def doctors(self) -> list[Account]:
        """Return all doctors, ordered by name."""
        return await self._of_role(Role.DOCTOR)

    async def receptionists(self) -> list[Account]:
        """Return all receptionists, ordered by name."""
        return await self._of_role(Role.RECEPTIONIST)

    async def doctor_ids(self) -> list[str]:
        """Return the ids of all doctors."""
        with translated():
            found = await self._collection.find({"role": Role.DOCTOR}, {"_id": 1}).to_list(None)
        return [document["_id"] for document in found]

    async def count(self, role: Role | None = None) -> int:
        """Return the number of accounts, of one role or of all."""
        with translated():
            return await self._collection.count_documents({"role": role} if role else {})

    async def people(self) -> AsyncIterator[Sequence[Person]]:
        """Yield all people, in batches and in no order."""
        cursor = self._collection.find({}, _OF_PERSON, batch_size=BATCH)
        while True:
            with translated(_ALL_PEOPLE_TIMEOUT):
                documents = await cursor.to_list(BATCH)
            if not documents:
                return
            yield [_person(document) for document in documents]

    async def people_changed(self, since: datetime) -> list[Person]:
        """Return the people whose accounts were written at `since` or later."""
        with translated():
            found = await self._collection.find({"changedAt": {"$gte": since}}, _OF_PERSON).to_list(None)
        return [_person(document) for document in found]

    async def _of_role(self, role: Role) -> list[Account]:
        return sorted(await self._find({"role": role}), key=lambda account: (account.name, account.id))

    async def _taken(self, refused: Account) -> Unique:
        """Return the field whose value another account has. Reads the record: not every server names the field."""
        holder = await self.by_email(refused.email) if refused.email else None
        if holder and holder.id != refused.id:
            return "email"
        holder = await self.by_phone(refused.phone) if refused.phone else None
        if holder and holder.id != refused.id:
            return "phone"
        raise StoreUnavailable("the conflicting account was deleted, or is not acknowledged by a majority yet")

    async def _one(self, wanted: Document) -> Account | None:
        with translated():
            found = await self._collection.find_one(wanted)
        return _account(found) if found else None

    async def _find(self, wanted: Document) -> list[Account]:
        with translated():
            found = await self._collection.find(wanted).to_list(None)
        return [_account(document) for document in found]


def _document(account: Account) -> Document:
    """Return the document of an account.

    The unique indexes must not see the addresses of people who cannot log in, so their addresses have other fields. The
    index on `email` is not sparse, also in existing databases: a text that is unique and no e-mail address fills it.
    """
    document = to_document(account)
    if account.has_log_in:
        return document
    for name, contact in _CONTACTS.items():
        if name in document:
            document[contact] = document.pop(name)
    return document | {"email": f"none:{account.id}"}


def _account(document: Document) -> Account:
    document.pop("changedAt", None)
    if "passwordHash" in document:
        return from_document(Account, document)
    fields = {name: value for name, value in document.items() if name != "email" and name not in _CONTACTS.values()}
    return from_document(Account, fields | {name: document.get(contact) for name, contact in _CONTACTS.items()})


def _person(document: Document) -> Person:
    has_log_in = "passwordHash" in document
    email, phone = ("email", "phone") if has_log_in else _CONTACTS.values()
    return Person(
        id=document["_id"],
        role=document["role"],
        name=document["name"],
        email=document.get(email),
        phone=document.get(phone),
        has_log_in=has_log_in,
        joined_into=document["joinedInto"]["accountId"] if "joinedInto" in document else None,
        erased="erased" in document,
    )


def _changed_now() -> Document:
    return {"changedAt": system_clock()}
