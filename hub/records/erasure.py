"""Removes an erased patient's data from everything but the accounts, the appointments and the pictures.

Each step can be repeated. What is found only through a phone number goes before the texts that hold the number.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from hub.accounts.account import Account, Erasure, erased
from hub.records.appointment_documents import LONG_AGO
from hub.records.ports import Records

LOOKED_AFTER = timedelta(hours=2)
"""How long after an erasure its patient is looked after: far longer than a command lives."""


async def begin(records: Records, account: Account, erasure: Erasure) -> Account | None:
    """Replace the account by what is left of it; return that. From here on the hub finishes the erasure by itself.

    None if it was erased before, or if the password is another one by now. Raises `StoreUnavailable`.
    """
    left = erased(account, erasure)
    return left if await records.users.erase(account, left) else None


async def erase_texts(
    records: Records, patient_id: str, phone: str | None, about: Collection[str], now: datetime
) -> None:
    """Remove the texts to and from a patient. `about` are the patient's appointments. Raises `StoreUnavailable`.

    A family may have one phone: then only those received texts go that are about these appointments.
    """
    sent = await records.texts.to_person(patient_id, LONG_AGO)
    for number in sorted({phone, *(text.phone for text in sent)} - {None, ""}, key=str):
        shared = await _holders(records, str(number), patient_id)
        await records.inbound_texts.erase(str(number), about if shared else None)
        if not shared:
            await records.opt_outs.forget(str(number))
    await records.texts.erase(patient_id, now)


async def erase_log_ins(records: Records, patient_id: str) -> None:
    """Remove what log-ins and the access log say of a patient besides the id. Raises `StoreUnavailable`."""
    await records.sessions.forget_devices(patient_id)
    await records.access_log.forget_addresses(patient_id)


async def _holders(records: Records, phone: str, but: str) -> list[Account]:
    """Return the other people who have this phone."""
    patients = await records.users.patients_with_phone(phone)
    holder = await records.users.by_phone(phone)
    return [one for one in (*patients, *([holder] if holder else [])) if one.id != but]
