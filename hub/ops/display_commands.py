"""The commands `clinic-hub display list` and `end`."""

from cyclopts import App

from hub.ops.account_commands import find_account, say, store
from hub.ops.staff_accounts import end_display_link

app = App(name="display", help="List and end the links of the displays in the waiting room.")


@app.command(name="list")
async def list_displays() -> int:
    """Print the receptionists whose link of a display works: id, name and e-mail address. The link is not stored."""
    async with store() as records:
        for account in await records.users.receptionists():
            if account.display_key_hash and not account.disabled:
                say(f"{account.id}  {account.name}  {account.email}")
    return 0


@app.command(name="end")
async def end_display(receptionist: str, /) -> int:
    """End the link of a display: who has it does not see any more who is called.

    Parameters
    ----------
    receptionist
        The id or the e-mail address of the receptionist who has made the link.

    """
    async with store() as records:
        account = await find_account(records, "receptionist", receptionist)
        if account is None:
            return 1
        ended = await end_display_link(records, account)
    say(f"The link of {account.name} is ended." if ended else f"{account.name} has made no link.")
    return 0
