"""Sign-ups that wait for a code, in the record."""

import asyncio
from datetime import timedelta

from hub.accounts.pending_sign_up import PendingSignUp
from hub.records.ports import Records
from tests.contracts.histories import NINE

SIGN_UP = PendingSignUp(
    id="sign-up-of-pat",
    name="Pat",
    email="pat@clinic.test",
    phone="+12025550123",
    password_hash="hash",
    expires_at=NINE + timedelta(days=3650),
)


async def test_each_try_is_counted_also_without_a_code_and_at_the_same_time(records: Records) -> None:
    await records.sign_ups.add(SIGN_UP)
    found = await asyncio.gather(*(records.sign_ups.tried(SIGN_UP.id) for _ in range(6)))
    assert sorted(sign_up.tries for sign_up in found if sign_up) == [1, 2, 3, 4, 5, 6]
    await records.sign_ups.set_code(SIGN_UP.id, "code")
    assert await records.sign_ups.tried(SIGN_UP.id) == SIGN_UP.model_copy(update={"code_hash": "code", "tries": 7})


async def test_a_sign_up_is_removed_and_comes_back_by_nothing(records: Records) -> None:
    await records.sign_ups.add(SIGN_UP)
    other = SIGN_UP.model_copy(update={"id": "another-with-the-same-address"})
    await records.sign_ups.add(other)
    for _ in range(2):
        await records.sign_ups.remove(SIGN_UP.id)
    await records.sign_ups.set_code(SIGN_UP.id, "code")
    assert await records.sign_ups.tried(SIGN_UP.id) is None
    assert await records.sign_ups.tried(other.id) == other.model_copy(update={"tries": 1})
