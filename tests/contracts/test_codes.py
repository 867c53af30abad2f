"""Codes by text in the record."""

import asyncio
from datetime import timedelta

from hub.accounts.account import OneTimeCode
from hub.records.ports import Records
from tests.contracts.histories import NINE

CODE = OneTimeCode(id="phone:pat", code_hash="first", phone="+12025550123", expires_at=NINE + timedelta(days=3650))


async def test_each_try_is_counted_also_at_the_same_time(records: Records) -> None:
    await records.codes.put(CODE)
    found = await asyncio.gather(*(records.codes.tried(CODE.id) for _ in range(6)))
    assert sorted(code.tries for code in found if code) == [1, 2, 3, 4, 5, 6]
    assert await records.codes.tried("phone:nobody") is None


async def test_a_code_is_used_once_and_replaced_by_the_next(records: Records) -> None:
    await records.codes.put(CODE)
    await records.codes.tried(CODE.id)
    second = CODE.model_copy(update={"code_hash": "second"})
    await records.codes.put(second)
    assert not await records.codes.use(CODE)
    assert await records.codes.tried(CODE.id) == second.model_copy(update={"tries": 1})
    assert sorted(await asyncio.gather(*(records.codes.use(second) for _ in range(4)))) == [False, False, False, True]
    assert await records.codes.tried(CODE.id) is None


async def test_codes_and_counters_are_forgotten(records: Records) -> None:
    await records.codes.put(CODE)
    await records.codes.put(CODE.model_copy(update={"id": "phone:other"}))
    await records.codes.forget(["phone:pat", "password:pat"])
    assert await records.codes.tried("phone:pat") is None
    assert await records.codes.tried("phone:other")
    for key in ("login:account:pat:1", "login:account:pat:2", "login:account:paul:1"):
        await records.attempts.count(key, NINE + timedelta(days=3650))
    await records.attempts.forget(["login:account:pat:", "signup:account:pat"])
    keys = ["login:account:pat:1", "login:account:pat:2", "login:account:paul:1"]
    assert await records.attempts.counts(keys) == {"login:account:paul:1": 1}
