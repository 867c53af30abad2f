"""What the commands for the accounts of doctors and receptionists share."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal, TextIO

from pydantic import ValidationError

from hub.accounts.account import Account
from hub.clock import Clock
from hub.ops.access_lines import note
from hub.ops.local.database_locator import located_database
from hub.records.errors import StoreUnavailable
from hub.records.mongo import connect
from hub.records.ports import Records
from hub.settings import load, timekeeper
from hub.validation import says


@asynccontextmanager
async def store() -> AsyncIterator[Records]:
    """Give the records of the running hub, or of the database in the settings, with all indexes."""
    async with located_database(load()) as url:
        records = connect(url)
        try:
            await records.prepare()
            yield records
        finally:
            await records.close()


async def find_account(records: Records, role: Literal["doctor", "receptionist"], wanted: str) -> Account | None:
    """Return the account of this role with this id or e-mail address; print an error and return None if missing."""
    account = await records.users.by_id(wanted) or await records.users.by_email(wanted.lower())
    if account is None or account.role != role:
        command = "doctor" if role == "doctor" else "staff"
        say(
            f"There is no {role} with the id or e-mail address {wanted!r}; see `clinic-hub {command} list`.", sys.stderr
        )
        return None
    return account


async def reset_second_factor_of(role: Literal["doctor", "receptionist"], wanted: str) -> int:
    """Remove the second factor of the account with this id or e-mail address, and end its sessions.

    Returns the exit code.
    """
    async with store() as records:
        account = await find_account(records, role, wanted)
        if account is None:
            return 1
        ended = await remove_second_factor(records, account, timekeeper(load()))
        await note(records, "second_factor_ended", account.id)
    say(f"{account.name} logs in with the password alone. Sessions ended: {ended}.")
    return 0


def say_created(made: tuple[Account, str] | str) -> int:
    """Print a new account with its first password, or which field another account has. Returns the exit code."""
    if isinstance(made, str):
        say(f"There is an account with this {made} already.", sys.stderr)
        return 1
    account, password = made
    say(f"{account.id}  {account.name}  {account.email}  {password}")
    return 0


def say_invalid(error: ValidationError) -> None:
    """Print what is wrong with each option."""
    for problem in error.errors(include_input=False, include_url=False, include_context=False):
        say(": ".join(filter(None, (".".join(map(str, problem["loc"])), says(problem)))), sys.stderr)


def say(line: str, where: TextIO | None = None) -> None:
    """Print a line."""
    print(line, file=where, flush=True)  # a command line speaks


async def remove_second_factor(records: Records, account: Account, clock: Clock) -> int:
    """Remove the second factor and end all sessions; return how many. Raises `StoreUnavailable`."""
    if await records.users.change(account, account.model_copy(update={"second_factor": None})) is not None:
        raise StoreUnavailable("the account was deleted meanwhile")
    return len(await records.sessions.revoke_all(account.id, clock()))
