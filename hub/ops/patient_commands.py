"""The commands `clinic-hub patient export` and `clinic-hub patient erase`."""

import asyncio
import sys

from cyclopts import App

from hub.accounts.account import Account, Erasure
from hub.clock import Clock
from hub.ids import new_id
from hub.ops.access_lines import note
from hub.ops.account_commands import say, store
from hub.records.erasure import LOOKED_AFTER, begin
from hub.records.personal_data import personal_data
from hub.records.ports import Records
from hub.scheduling.values import Role, rfc3339
from hub.settings import load, timekeeper

app = App(name="patient", help="Export or erase the data of a patient.")

WAIT = 60.0
"""Seconds to wait for the running hub."""
_POLL = 0.5


@app.command(name="export")
async def export(patient: str, /) -> int:
    """Print all that the hub has stored of a patient as JSON: profile, appointments with their history, texts.

    Parameters
    ----------
    patient
        The id of the patient.

    """
    async with store() as records:
        account = await _patient(records, patient)
        if account is None:
            return 1
        if account.erased is not None:
            say(f"The data of this patient was erased at {rfc3339(account.erased.at)}.", sys.stderr)
            return 1
        data = await personal_data(records, account)
        await note(records, "data_exported", account.id)
    say(data.model_dump_json(by_alias=True, indent=2))
    return 0


@app.command(name="erase")
async def erase(patient: str, /, *, yes: bool = False) -> int:
    """Erase a patient, who may have a log-in or not. There is no way back.

    All log-ins end, appointments to come are cancelled, and name, addresses, picture, texts and reasons are removed
    everywhere. The running hub does the largest part. Exit codes: 0 all done, 1 refused, 3 the hub has to finish it,
    which it does by itself when it runs.

    Parameters
    ----------
    patient
        The id of the patient.
    yes
        Do not ask for a confirmation.

    """
    clock = timekeeper(load())
    async with store() as records:
        account = await _patient(records, patient)
        if account is None:
            return 1
        if account.erased is None:
            if account.joined_into is not None:
                into = account.joined_into.account_id
                say(f"The appointments are those of {into} since two accounts were joined: erase that one, too.")
            if not yes and not _confirmed(account):
                say("Nothing was erased.", sys.stderr)
                return 1
            if not await begin_erasure(records, account, clock):
                say("The account was changed at this moment. Try again.", sys.stderr)
                return 1
            await note(records, "data_erased", account.id)
        else:
            say(f"This patient was erased at {rfc3339(account.erased.at)}.")
        finished = await wait_until_finished(records, account.id, WAIT)
    if not finished:
        say(f"{account.id} cannot log in any more. The hub removes the rest when it runs.")
        return 3
    say(f"{account.id} is erased.")
    return 0


async def begin_erasure(records: Records, account: Account, clock: Clock) -> bool:
    """Replace the account and end its sessions; the hub does the rest. Return whether it was not changed meanwhile.

    Raises `StoreUnavailable`.
    """
    now = clock()
    wanted = Erasure(by="cli", by_role=Role.SYSTEM, key=new_id(), at=now, look_until=now + LOOKED_AFTER)
    if await begin(records, account, wanted) is None:
        return False
    await records.sessions.revoke_all(account.id, clock())
    return True


async def wait_until_finished(records: Records, patient_id: str, seconds: float) -> bool:
    """Wait until the hub has finished an erasure; return whether it has. Raises `StoreUnavailable`."""
    for _ in range(1 + int(seconds / _POLL)):
        account = await records.users.by_id(patient_id)
        if account is not None and account.erased is not None and account.erased.finished_at is not None:
            return True
        await asyncio.sleep(_POLL)
    return False


async def _patient(records: Records, patient_id: str) -> Account | None:
    account = await records.users.by_id(patient_id)
    if account is None or account.role != "patient":
        say(f"There is no patient with the id {patient_id!r}.", sys.stderr)
        return None
    return account


def _confirmed(account: Account) -> bool:
    say(f"This erases {account.name} ({account.id}) for ever, and cancels all appointments to come.")
    say("Type the name to go on:")
    return sys.stdin.readline().strip() == account.name
