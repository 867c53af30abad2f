"""Login sessions in the record."""

import asyncio
from datetime import datetime, timedelta

import pytest

from hub.accounts.account import Refreshed, Session
from hub.records.ports import Records
from tests.contracts.histories import NINE

LATER = NINE + timedelta(days=1)
SESSION = Session(
    id="log-in",
    user_id="pat",
    role="patient",
    token_hash="first",
    created_at=NINE,
    expires_at=NINE + timedelta(days=30),
)


async def test_each_refresh_token_of_a_session_works_once(records: Records) -> None:
    await records.sessions.add(SESSION)

    second = await records.sessions.rotate("log-in", "first", "second", LATER)
    third = await records.sessions.rotate("log-in", "second", "third", LATER)

    assert second == SESSION.model_copy(update={"token_hash": "second", "used_at": LATER})
    assert third == SESSION.model_copy(update={"token_hash": "third", "used_at": LATER})


async def test_a_token_that_is_used_twice_ends_the_session_also_for_the_current_token(records: Records) -> None:
    await records.sessions.add(SESSION)
    await records.sessions.rotate("log-in", "first", "second", LATER)

    assert await records.sessions.rotate("log-in", "first", "stolen", LATER) is None
    assert await records.sessions.rotate("log-in", "second", "third", LATER) is None


async def test_of_two_concurrent_uses_of_a_token_one_succeeds_and_the_session_ends(records: Records) -> None:
    await records.sessions.add(SESSION)

    answers = await asyncio.gather(
        *(records.sessions.rotate("log-in", "first", f"fresh-{number}", LATER) for number in range(8))
    )

    winners = [session for session in answers if session]
    assert len(winners) == 1
    assert await records.sessions.rotate("log-in", winners[0].token_hash, "next", LATER) is None


def exchange(key: str, salt: str, at: datetime = LATER, presented: str = "first") -> Refreshed:
    return Refreshed(presented=presented, key_hash=key, salt=salt, at=at)


async def test_the_same_exchange_within_thirty_seconds_returns_the_session_as_the_first_left_it(
    records: Records,
) -> None:
    await records.sessions.add(SESSION)
    first = await records.sessions.rotate("log-in", "first", "second", LATER, exchange("k", "one"))
    last_moment = LATER + timedelta(seconds=30)
    again = await records.sessions.rotate("log-in", "first", "other", last_moment, exchange("k", "two", last_moment))

    assert first == again
    assert again == SESSION.model_copy(
        update={"token_hash": "second", "refreshed": exchange("k", "one"), "used_at": LATER}
    )
    assert await records.sessions.rotate("log-in", "second", "third", last_moment) is not None
    assert await records.sessions.rotate("log-in", "first", "x", last_moment, exchange("k", "x")) is None


@pytest.mark.parametrize(
    "again",
    [
        exchange("another", "two"),
        exchange("k", "two", LATER + timedelta(seconds=30, milliseconds=1)),
        exchange("k", "two", presented="zero"),
        None,
    ],
    ids=["another key", "too late", "another token", "no key"],
)
async def test_another_exchange_of_a_used_token_ends_the_session(records: Records, again: Refreshed | None) -> None:
    await records.sessions.add(SESSION)
    await records.sessions.rotate("log-in", "first", "second", LATER, exchange("k", "one"))

    presented = again.presented if again else "first"
    assert await records.sessions.rotate("log-in", presented, "x", again.at if again else LATER, again) is None
    assert await records.sessions.rotate("log-in", "second", "third", LATER) is None


async def test_concurrent_uses_of_a_token_with_one_key_get_one_successor(records: Records) -> None:
    await records.sessions.add(SESSION)

    answers = await asyncio.gather(
        *(
            records.sessions.rotate("log-in", "first", f"fresh-{number}", LATER, exchange("k", f"salt-{number}"))
            for number in range(8)
        )
    )

    assert all(answer == answers[0] for answer in answers)
    assert answers[0]
    assert answers[0].refreshed == exchange("k", f"salt-{answers[0].token_hash.removeprefix('fresh-')}")
    assert await records.sessions.rotate("log-in", answers[0].token_hash, "next", LATER) is not None


async def test_concurrent_uses_of_a_token_with_different_keys_end_the_session(records: Records) -> None:
    await records.sessions.add(SESSION)

    answers = await asyncio.gather(
        *(
            records.sessions.rotate("log-in", "first", f"fresh-{number}", LATER, exchange(f"k{number}", "salt"))
            for number in range(8)
        )
    )

    (winner,) = [answer for answer in answers if answer]
    assert await records.sessions.rotate("log-in", winner.token_hash, "next", LATER) is None


async def test_an_unknown_session_is_not_refreshed(records: Records) -> None:
    assert await records.sessions.rotate("nothing", "first", "second", LATER) is None


async def test_a_session_holds_until_it_expires(records: Records) -> None:
    await records.sessions.add(SESSION)
    last_moment = SESSION.expires_at - timedelta(milliseconds=1)

    assert await records.sessions.rotate("log-in", "first", "second", last_moment) is not None
    assert await records.sessions.rotate("log-in", "second", "third", SESSION.expires_at) is None


async def test_a_revoked_session_is_not_refreshed(records: Records) -> None:
    await records.sessions.add(SESSION)

    await records.sessions.rotate("log-in", "first", "second", LATER, exchange("k", "one"))
    await records.sessions.revoke("log-in", LATER)
    await records.sessions.revoke("nothing", LATER)

    assert await records.sessions.rotate("log-in", "first", "second", LATER, exchange("k", "one")) is None
    assert await records.sessions.rotate("log-in", "second", "third", LATER) is None


async def test_sessions_revoked_since_an_instant_are_returned_with_their_instant(records: Records) -> None:
    for number in range(4):
        await records.sessions.add(SESSION.model_copy(update={"id": f"log-in-{number}"}))
    await records.sessions.revoke("log-in-1", NINE)
    await records.sessions.revoke("log-in-2", LATER)
    assert await records.sessions.rotate("log-in-3", "never was", "fresh", LATER) is None
    await records.sessions.revoke("log-in-1", LATER)

    assert await records.sessions.revoked_since(NINE) == {"log-in-1": NINE, "log-in-2": LATER, "log-in-3": LATER}
    assert await records.sessions.revoked_since(NINE + timedelta(milliseconds=1)) == {
        "log-in-2": LATER,
        "log-in-3": LATER,
    }
    assert await records.sessions.revoked_since(LATER + timedelta(milliseconds=1)) == {}
    assert [await records.sessions.revoked_at(f"log-in-{number}") for number in range(5)] == [
        None,
        NINE,
        LATER,
        LATER,
        None,
    ]


async def test_all_sessions_of_a_user_end_except_the_given_one(records: Records) -> None:
    for id_, user_id in (("here", "pat"), ("there", "pat"), ("over", "pat"), ("other", "paul")):
        await records.sessions.add(SESSION.model_copy(update={"id": id_, "user_id": user_id}))
    await records.sessions.revoke("over", NINE)

    assert await records.sessions.revoke_all("pat", LATER, keep_session_id="here") == ["there"]

    assert await records.sessions.rotate("there", "first", "second", LATER) is None
    assert await records.sessions.rotate("here", "first", "second", LATER) is not None
    assert await records.sessions.rotate("other", "first", "second", LATER) is not None
    assert await records.sessions.revoke_all("pat", LATER) == ["here"]
    assert await records.sessions.revoke_all("nobody", LATER) == []


async def test_the_live_sessions_of_a_user_are_listed_the_latest_first(records: Records) -> None:
    older = SESSION.model_copy(update={"id": "older", "created_at": NINE - timedelta(hours=1), "device": "Phone/1"})
    over = SESSION.model_copy(update={"id": "over", "expires_at": LATER})
    others = SESSION.model_copy(update={"id": "others", "user_id": "paul"})
    for session in (older, SESSION, over, others, SESSION.model_copy(update={"id": "ended"})):
        await records.sessions.add(session)
    await records.sessions.revoke("ended", NINE)
    assert await records.sessions.of_user("pat", LATER) == [SESSION, older]
    assert await records.sessions.of_user("nobody", LATER) == []


async def test_what_programs_said_of_themselves_is_forgotten(records: Records) -> None:
    await records.sessions.add(SESSION.model_copy(update={"device": "Pat's phone"}))
    await records.sessions.add(SESSION.model_copy(update={"id": "other", "user_id": "paul", "device": "Paul's phone"}))
    await records.sessions.forget_devices("pat")
    assert await records.sessions.of_user("pat", NINE) == [SESSION]
    assert [each.device for each in await records.sessions.of_user("paul", NINE)] == ["Paul's phone"]
