"""After a restore all log-ins end, also those that the database does not know of any more."""

import asyncio
from datetime import timedelta

from api.http.revocations import Revocations
from hub.accounts.account import Session
from hub.ids import new_id
from hub.ops.restored import end_all_log_ins
from hub.records.ports import Records
from tests.api.rest_clinic import Announced
from tests.contracts.histories import NINE

LIFETIME = timedelta(minutes=15)


def session(user: str) -> Session:
    return Session(
        id=new_id(), user_id=user, role="patient", token_hash="t", created_at=NINE, expires_at=NINE + timedelta(days=30)
    )


async def test_all_log_ins_from_before_end_and_new_ones_do_not(records: Records) -> None:
    known, lost = session("carl"), session("dora")
    await records.sessions.add(known)
    await asyncio.sleep(0.002)  # the ids tell milliseconds apart
    assert await end_all_log_ins(records, NINE, LIFETIME) == 1
    later = session("carl")
    await records.sessions.add(later)
    revocations = Revocations(records.sessions, Announced(), LIFETIME, lambda: NINE, 1)
    await revocations.compare()
    assert revocations.ended(known.id)
    assert revocations.ended(lost.id), "the database never had it"
    assert not revocations.ended(later.id)
    assert not revocations.ended("an id of another form")
    assert await records.sessions.rotate(known.id, "t", "u", NINE) is None
    assert await records.sessions.rotate(later.id, "t", "u", NINE)
