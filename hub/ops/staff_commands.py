"""The commands `clinic-hub staff add`, `list`, `disable` and `enable`."""

from cyclopts import App
from pydantic import ValidationError

from hub.clock import system_clock
from hub.ops.access_lines import note
from hub.ops.account_commands import find_account, reset_second_factor_of, say, say_created, say_invalid, store
from hub.ops.staff_accounts import (
    NewReceptionist,
    create_receptionist,
    disable_receptionist,
    enable_receptionist,
)
from hub.settings import load, timekeeper

app = App(name="staff", help="Add, list, disable and enable the receptionists of the clinic.")


@app.command(name="add")
async def add_receptionist(*, name: str, email: str, phone: str | None = None) -> int:
    """Create a receptionist's account and print its first password, which is not stored anywhere.

    The first password has to be changed at the first log-in.

    Parameters
    ----------
    name
        The name, for example "Robin Vega".
    email
        The address to log in with.
    phone
        The number with the country code: +12025550123.

    """
    try:
        receptionist = NewReceptionist(name=name, email=email, phone=phone)
    except ValidationError as error:
        say_invalid(error)
        return 1
    async with store() as records:
        made = await create_receptionist(records.users, receptionist, system_clock(), load().bcrypt_rounds)
        if not isinstance(made, str):
            await note(records, "account_added", made[0].id)
    return say_created(made)


@app.command(name="list")
async def list_receptionists() -> int:
    """Print the receptionists, sorted by name: id, name, e-mail address, and whether the receptionist is disabled."""
    async with store() as records:
        for account in await records.users.receptionists():
            say(f"{account.id}  {account.name}  {account.email}{'  disabled' if account.disabled else ''}")
    return 0


@app.command(name="disable")
async def disable(receptionist: str, /) -> int:
    """Refuse a receptionist's log-ins and end the receptionist's sessions.

    Parameters
    ----------
    receptionist
        The id or the e-mail address.

    """
    async with store() as records:
        account = await find_account(records, "receptionist", receptionist)
        if account is None:
            return 1
        ended = await disable_receptionist(records, account, timekeeper(load()))
        await note(records, "account_disabled", account.id)
    say(f"{account.name} cannot log in any more. Sessions ended: {ended}.")
    return 0


@app.command(name="enable")
async def enable(receptionist: str, /) -> int:
    """Let a disabled receptionist log in again.

    Parameters
    ----------
    receptionist
        The id or the e-mail address.

    """
    async with store() as records:
        account = await find_account(records, "receptionist", receptionist)
        if account is None:
            return 1
        await enable_receptionist(records, account)
        await note(records, "account_enabled", account.id)
    say(f"{account.name} can log in again.")
    return 0


@app.command(name="reset-second-factor")
async def reset_second_factor(receptionist: str, /) -> int:
    """Remove the second factor of a receptionist who has lost it, and end the receptionist's sessions.

    Parameters
    ----------
    receptionist
        The id or the e-mail address.

    """
    return await reset_second_factor_of("receptionist", receptionist)
