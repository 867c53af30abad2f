"""Lines of the access log for what the command line does. They are written at once."""

from datetime import timedelta

from hub.accounts.access import AccessAction, AccessEntry
from hub.ids import new_id
from hub.records.ports import Records
from hub.scheduling.values import Role
from hub.settings import load, timekeeper


async def note(records: Records, action: AccessAction, person_id: str) -> None:
    """Add a line about a person, by the command line. Raises `StoreUnavailable`."""
    settings = load()
    now = timekeeper(settings)()
    line = AccessEntry(
        id=new_id(),
        at=now,
        action=action,
        by="cli",
        by_role=Role.SYSTEM,
        people=(person_id,),
        expires_at=now + timedelta(days=settings.audit_days),
    )
    await records.access_log.add([line])
