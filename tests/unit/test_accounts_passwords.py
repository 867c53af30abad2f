"""Passwords: only the right one is accepted, and a refusal takes as long."""

import asyncio
import threading
import time

import bcrypt
import pytest

from api.http.problems import problem_of
from hub.accounts.passwords import Hashing, HashingBusy, hash_password, verify_password

FAST = 4
SLOW = 11


async def test_only_the_right_password_is_accepted() -> None:
    hashed = await hash_password("Patient#1", FAST)

    assert await verify_password("Patient#1", hashed)
    assert not await verify_password("patient#1", hashed)
    assert not await verify_password("", hashed)


async def test_the_same_password_has_another_hash_each_time_and_the_wanted_rounds() -> None:
    one, other = await hash_password("Patient#1", FAST), await hash_password("Patient#1", FAST + 1)

    assert one != other
    assert one.startswith("$2b$04$")
    assert other.startswith("$2b$05$")
    assert bcrypt.checkpw(b"Patient#1", one.encode())


STRANGE = {
    "73 bytes": "x" * 73,
    "74 bytes": "ü" * 37,
    "huge": "x" * 100_000,
    "empty": "",
    "nul": "a\0b",
    "kanji": "日本語",
}


@pytest.mark.parametrize("plain", STRANGE.values(), ids=STRANGE.keys())
async def test_no_password_is_too_long_or_too_strange_to_be_hashed_and_checked(plain: str) -> None:
    hashed = await hash_password(plain, FAST)

    assert await verify_password(plain, hashed)
    assert not await verify_password("!" + plain, hashed)
    assert not await verify_password(plain, None, FAST)


async def test_an_unknown_account_takes_as_much_work_as_a_wrong_password() -> None:
    hashed = await hash_password("Patient#1", SLOW)

    known = min([await _work(hashed) for _ in range(3)])
    unknown = min([await _work(None) for _ in range(3)])

    assert unknown == pytest.approx(known, rel=0.5)  # one round more or less would be twice or half the time


async def test_the_event_loop_goes_on_while_passwords_are_hashed() -> None:
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(count_turns())
    await asyncio.gather(*(hash_password("Patient#1", SLOW) for _ in range(4)))
    counting.cancel()

    assert turns > 100


async def test_at_most_two_passwords_are_hashed_concurrently(monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()

    def hashpw(_plain: bytes, _salt: bytes) -> bytes:
        assert go.wait(10)
        return b"hash"

    monkeypatch.setattr(bcrypt, "hashpw", hashpw)
    six = [asyncio.create_task(hash_password("Patient#1", FAST)) for _ in range(6)]
    await asyncio.sleep(0)  # each has handed its work over
    busy = [thread for thread in threading.enumerate() if thread.name.startswith("bcrypt")]
    go.set()

    assert await asyncio.gather(*six) == ["hash"] * 6
    assert len(busy) == 2


async def _work(hashed: str | None) -> float:
    """Return the seconds of processor time that it takes to refuse a password."""
    began = time.process_time()
    assert not await verify_password("wrong", hashed, SLOW)
    return time.process_time() - began


async def test_who_would_wait_behind_too_many_is_sent_away_and_who_has_left_waits_no_longer() -> None:
    hashing, go_on, hashed = Hashing(1, most_waiting=2), threading.Event(), []
    waiting = [asyncio.create_task(hashing.run(go_on.wait, 30))]
    waiting += [asyncio.create_task(hashing.run(hashed.append, name)) for name in ("left", "stayed")]
    await asyncio.sleep(0)
    with pytest.raises(HashingBusy):
        await hashing.run(hashed.append, "too many")
    waiting[1].cancel()
    await asyncio.wait(waiting[1:2])
    waiting.append(asyncio.create_task(hashing.run(hashed.append, "next")))
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(waiting[0], *waiting[2:])
    assert hashed == ["stayed", "next"]


def test_who_is_sent_away_may_come_again_soon() -> None:
    problem = problem_of(HashingBusy())
    assert (problem.status, problem.code) == (503, "try_again")
    assert problem.headers
    assert int(problem.headers["Retry-After"]) > 0
