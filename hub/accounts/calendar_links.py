"""Ends the private link of a person's calendar when the person's log-ins end."""

from hub.accounts.ports import UserRecords


async def end_calendar_link(users: UserRecords, user_id: str) -> None:
    """End the link, if there is one. Raises `StoreUnavailable`."""
    account = await users.by_id(user_id)
    if account is not None and account.calendar_key_hash is not None:
        await users.change(account, account.model_copy(update={"calendar_key_hash": None, "calendar_read_at": None}))
