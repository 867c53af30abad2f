"""Login sessions: started, refreshed with a token that works once, and ended."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.accounts.account import Account
from hub.accounts.sessions import SignIn, TokenPair
from hub.accounts.tokens import AccessTokens
from hub.records.memory import MemoryRecords
from hub.scheduling.values import Role
from tests.people import patient

NOON = datetime(2027, 5, 4, 12, tzinfo=UTC)
MONTH = timedelta(days=30)
PAT = patient("pat", name="Pat")


class Desk:
    """A store, a clock, and the log-ins over them."""

    def __init__(self) -> None:
        self.now = NOON
        self.ended: list[str] = []
        self.records = MemoryRecords()
        self.tokens = AccessTokens(
            "a secret of the tests, thirty-two bytes and more", timedelta(minutes=15), self.clock
        )
        self.sign_in = SignIn(self.records.users, self.records.sessions, self.tokens, MONTH, self.clock, self._note)

    def clock(self) -> datetime:
        return self.now

    async def _note(self, session_id: str, at: datetime) -> None:
        assert await self.records.sessions.revoked_at(session_id) == at
        self.ended.append(session_id)

    async def start(self, account: Account = PAT) -> TokenPair:
        pair = await self.sign_in.start(account)
        assert pair
        return pair

    async def renew(self, pair: TokenPair, key: str | None = None) -> TokenPair:
        renewed = await self.sign_in.refresh(pair.refresh_token, key)
        assert renewed
        account, fresh = renewed
        assert account == PAT
        return fresh

    async def refused(self, token: str, key: str | None = None) -> bool:
        return await self.sign_in.refresh(token, key) is None


@pytest.fixture
async def desk() -> Desk:
    desk = Desk()
    await desk.records.users.add([PAT])
    return desk


async def test_a_log_in_gives_an_access_token_of_the_account(desk: Desk) -> None:
    pair = await desk.start()

    who = desk.tokens.verify(pair.access_token)
    assert (who.user_id, who.role, who.expires_at) == ("pat", Role.PATIENT, NOON + timedelta(minutes=15))
    assert pair.expires_in == 15 * 60


async def test_a_refresh_token_is_exchanged_for_a_new_pair_of_the_same_session(desk: Desk) -> None:
    first = await desk.start()
    desk.now += timedelta(minutes=20)

    second = await desk.renew(first)
    third = await desk.renew(second)

    assert len({pair.refresh_token for pair in (first, second, third)}) == 3
    sessions = {desk.tokens.verify(pair.access_token).session_id for pair in (second, third)}
    assert len(sessions) == 1
    assert first.refresh_token.startswith(sessions.pop())


async def test_a_stolen_refresh_token_ends_the_session_for_thief_and_owner(desk: Desk) -> None:
    stolen = await desk.start()
    owners = await desk.renew(stolen)

    assert await desk.refused(stolen.refresh_token)
    assert await desk.refused(owners.refresh_token)


async def test_a_thief_who_comes_first_is_cut_off_when_the_owner_comes(desk: Desk) -> None:
    stolen = await desk.start()
    thiefs = await desk.renew(stolen)

    assert await desk.refused(stolen.refresh_token)
    assert await desk.refused(thiefs.refresh_token)


async def test_a_refresh_that_is_repeated_with_its_key_gives_the_same_pair(desk: Desk) -> None:
    first = await desk.start()
    second = await desk.renew(first, "k")
    desk.now += timedelta(seconds=30)
    again = await desk.renew(first, "k")

    assert (again.access_token, again.refresh_token) == (second.access_token, second.refresh_token)
    assert (second.replayed, again.replayed) == (False, True)
    assert (second.expires_in, again.expires_in) == (15 * 60, 15 * 60 - 30)
    await desk.renew(again)
    assert desk.ended == []


@pytest.mark.parametrize(
    ("key", "later"), [(None, 0), ("another", 0), ("k", 30.001)], ids=["without a key", "another key", "too late"]
)
async def test_a_used_token_ends_the_session_unless_the_same_request_comes_again_soon(
    desk: Desk, key: str | None, later: float
) -> None:
    first = await desk.start()
    second = await desk.renew(first, "k")
    desk.now += timedelta(seconds=later)

    assert await desk.refused(first.refresh_token, key)
    assert await desk.refused(second.refresh_token)


async def test_a_refresh_cannot_be_repeated_once_its_token_was_used(desk: Desk) -> None:
    first = await desk.start()
    second = await desk.renew(first, "k")
    await desk.renew(second, "k")

    assert await desk.refused(first.refresh_token, "k")


async def test_an_ended_session_gives_its_last_pair_to_nobody(desk: Desk) -> None:
    first = await desk.start()
    second = await desk.renew(first, "k")
    await desk.sign_in.end(desk.tokens.verify(second.access_token).session_id)

    assert await desk.refused(first.refresh_token, "k")


async def test_a_log_in_with_a_password_that_is_changed_meanwhile_ends_at_once(desk: Desk) -> None:
    fresh = PAT.model_copy(update={"password_hash": "another"})
    assert await desk.records.users.change(PAT, fresh) is None

    assert await desk.sign_in.start(PAT) is None
    assert len(desk.ended) == 1
    assert await desk.sign_in.start(fresh)


async def test_another_log_in_of_the_same_account_goes_on(desk: Desk) -> None:
    at_home, at_work = await desk.start(), await desk.start()

    await desk.sign_in.end(desk.tokens.verify(at_work.access_token).session_id)

    assert await desk.refused(at_work.refresh_token)
    await desk.renew(at_home)


async def test_every_end_of_a_session_is_announced(desk: Desk) -> None:
    out, twice, stays = [await desk.start() for _ in range(3)]
    ids = [pair.refresh_token.split(".")[0] for pair in (out, twice, stays)]
    await desk.renew(twice)
    await desk.renew(stays)
    assert desk.ended == []

    await desk.sign_in.end(ids[0])
    assert await desk.refused(twice.refresh_token)

    assert desk.ended == ids[:2]


async def test_an_invented_session_is_not_announced(desk: Desk) -> None:
    assert await desk.refused("made-up.secret")
    assert desk.ended == []


async def test_a_log_in_ends_after_its_lifetime_however_often_it_was_renewed(desk: Desk) -> None:
    pair = await desk.start()
    desk.now += MONTH - timedelta(milliseconds=1)
    pair = await desk.renew(pair)

    desk.now += timedelta(milliseconds=1)

    assert await desk.refused(pair.refresh_token)


async def test_a_log_in_of_an_account_that_is_gone_is_not_renewed(desk: Desk) -> None:
    pair = await desk.start(PAT.model_copy(update={"id": "gone"}))

    assert await desk.refused(pair.refresh_token)


@pytest.mark.parametrize("token", ["", ".", "nothing", "nothing.secret", "{session}", "{session}.", "{session}.guess"])
async def test_a_malformed_refresh_token_is_refused(desk: Desk, token: str) -> None:
    session = (await desk.start()).refresh_token.split(".")[0]

    assert await desk.refused(token.replace("{session}", session))


async def test_an_access_token_is_no_refresh_token(desk: Desk) -> None:
    pair = await desk.start()

    assert await desk.refused(pair.access_token)


async def test_the_store_never_sees_the_token(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    add, rotate = desk.records.sessions.add, desk.records.sessions.rotate

    async def added(session: object) -> None:
        seen.append(repr(session))
        await add(session)  # type: ignore[arg-type]

    async def rotated(*asked: object) -> object:
        seen.append(repr(asked))
        return await rotate(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr(desk.records.sessions, "add", added)
    monkeypatch.setattr(desk.records.sessions, "rotate", rotated)
    first = await desk.start()
    second = await desk.renew(first, "k")

    secrets = [pair.refresh_token.split(".")[1] for pair in (first, second)]
    assert len(seen) == 2
    assert not any(secret in text for secret in secrets for text in seen)
