"""The command `clinic-hub restored`: what has to be done after the database was restored from a backup."""

from datetime import datetime, timedelta

from hub.accounts.account import Session
from hub.accounts.ports import RESTORED
from hub.clock import machine_time
from hub.ops.access_lines import note
from hub.ops.account_commands import say, store
from hub.records.ports import Records
from hub.settings import load, timekeeper


async def restored() -> int:
    """End all log-ins, after the database was restored from a backup and before the hub starts again.

    Log-ins that had ended since the backup would be good again otherwise. And clients know of events that are lost now.
    With a new log-in a client begins anew, so it does not take events that happen from now on for those that it knows.
    """
    settings = load()
    async with store() as records:
        lifetime = timedelta(minutes=settings.access_token_minutes)
        ended = await end_all_log_ins(records, timekeeper(settings)(), lifetime)
        await note(records, "log_ins_ended", "everybody")
    say(f"All log-ins have ended: {ended} of the backup, and those made since. Start the hub.")
    return 0


async def end_all_log_ins(records: Records, now: datetime, lifetime: timedelta) -> int:
    """End all log-ins, also those that the database does not know. `lifetime` is that of an access token.

    Returns how many the database knew. Raises `StoreUnavailable`.
    """
    mark = Session(
        id=f"{RESTORED}{int(machine_time().timestamp() * 1000)}",
        user_id="everybody",
        role="patient",
        token_hash="",
        created_at=now,
        expires_at=now + 2 * lifetime + timedelta(hours=1),
        revoked_at=now,
    )
    return await records.sessions.revoke_all_from_before(mark, now)
