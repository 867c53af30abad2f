from dataclasses import replace

import pytest

from api.http.problems import Problem
from api.http.rate_limits import Rate, TokenBucket, TokenBuckets, WriteRateLimit, per_minute
from hub.scheduling.values import rfc3339
from hub.settings import Settings
from tests.api.conftest import OpenClinic
from tests.api.pictures import upload
from tests.api.rest_clinic import make_services, opening
from tests.api.sockets.clinic import LIMITS, open_sockets


class Seconds:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def made(**settings: int) -> tuple[WriteRateLimit, Seconds]:
    seconds = Seconds()
    return WriteRateLimit(Settings.model_validate(settings), seconds), seconds


def let_through(writes: WriteRateLimit, user: str = "carl", address: str = "192.0.2.1", tries: int = 100) -> int:
    passed = 0
    for _ in range(tries):
        try:
            writes.count(user, address)
        except Problem:
            continue
        passed += 1
    return passed


@pytest.mark.parametrize("limit", [1, 7, 60, 99])
def test_a_minutes_worth_at_once_and_then_evenly(limit: int) -> None:
    writes, seconds = made(writes_per_minute=limit)
    assert let_through(writes) == limit
    seconds.now += 60 / limit
    assert let_through(writes) == 1
    seconds.now += 3600
    assert let_through(writes) == limit


def test_each_user_has_a_limit_and_each_address_another() -> None:
    writes, _ = made(writes_per_minute=5, writes_per_minute_per_address=8)
    assert let_through(writes, "carl") == 5
    assert let_through(writes, "dora") == 3
    assert let_through(writes, "dora", "192.0.2.2") == 2


def test_retry_after_is_long_enough() -> None:
    writes, seconds = made(writes_per_minute=7)
    let_through(writes)
    with pytest.raises(Problem) as stopped:
        writes.count("carl", "192.0.2.1")
    seconds.now += float((stopped.value.headers or {})["Retry-After"])
    writes.count("carl", "192.0.2.1")


def test_a_token_taken_from_an_empty_bucket_makes_the_next_wait_longer() -> None:
    seconds = Seconds()
    bucket = TokenBucket(Rate(burst=2, per_second=4.0), seconds)
    waits = []
    for _ in range(5):
        waits.append(bucket.wait())
        bucket.take()
    assert waits == [0, 0, 0.25, 0.5, 0.75]
    seconds.now += 1.0
    assert bucket.wait() == 0


def test_only_full_buckets_are_dropped_when_there_are_too_many() -> None:
    seconds = Seconds()
    buckets = TokenBuckets(per_minute(1), seconds, max_buckets=3)
    for key in ("old", "older"):
        buckets.take(key)
    seconds.now += 60
    for key in ("ann", "bob", "cid"):
        buckets.take(key)
    assert set(buckets._buckets) == {"ann", "bob", "cid"}
    assert buckets.wait("ann") == 60


async def test_a_user_over_the_write_limit_may_still_read(open_for_test: OpenClinic) -> None:
    clinic = await open_for_test(await make_services(writes_per_minute=1))
    await clinic.book("carl", "ada", opening(1))
    body = {"doctorId": clinic.id("ada"), "start": opening(2).isoformat()}
    stopped = await clinic.ask("POST", "/api/v1/appointments", "carl", json=body)
    assert (stopped.status, stopped.code) == (429, "too_many_requests")
    assert 1 <= int(stopped.headers["Retry-After"]) <= 60
    assert (await clinic.ask("GET", "/api/v1/appointments", "carl")).status == 200
    await clinic.book("dora", "ada", opening(2))


async def test_writes_over_rest_and_sockets_are_counted_together() -> None:
    async with open_sockets(writes_per_minute=2) as clinic:
        carl = await clinic.person("carl")
        booked = await carl.ask("book", {"doctorId": clinic.id("ada"), "start": rfc3339(opening(1))})
        await clinic.rest.book("carl", "ada", opening(2))
        change = {"appointmentId": booked["appointment"]["id"]}
        visit = ("check_in", "call_in", "undo_visit")
        for command in ("confirm", "cancel", "complete", *visit, "reschedule", "book"):
            error = (await carl.ask(command, change))["error"]
            assert error["code"] == "too_many_requests"
            assert 1 <= error["retryAfter"] <= 60
            assert str(error["retryAfter"]) in error["detail"]
        assert (await carl.ask("watch", {"doctorId": clinic.id("ada"), "date": "2026-11-24"}))["ok"]
        assert (await carl.ask("sync"))["ok"]
        rest = await clinic.rest.ask("PATCH", f"/api/v1/appointments/{change['appointmentId']}/cancel", "carl")
        assert rest.code == "too_many_requests"
        assert len(clinic.commands.asked) == 2


async def test_users_of_one_address_are_counted_together_over_sockets() -> None:
    async with open_sockets(writes_per_minute_per_address=1) as clinic:
        carl, dora = await clinic.person("carl"), await clinic.person("dora")
        assert (await carl.ask("book", {"doctorId": clinic.id("ada"), "start": rfc3339(opening(1))}))["ok"]
        ask = {"doctorId": clinic.id("ada"), "start": rfc3339(opening(2))}
        assert await dora.refused("book", ask) == "too_many_requests"


async def test_reads_of_a_user_refreshes_feeds_and_uploads_are_limited(open_for_test: OpenClinic) -> None:
    clinic = await open_for_test(await make_services(reads_per_minute=2, visitor_reads_per_minute_per_address=2))
    reads = [(await clinic.ask("GET", "/api/v1/users/me", "carl")).status for _ in range(3)]
    assert reads == [200, 200, 429]
    assert (await clinic.ask("GET", "/api/v1/users/me", "dora")).status == 200
    body = {"refreshToken": "none"}
    refreshes = [(await clinic.ask("POST", "/api/v1/auth/refresh", json=body)).status for _ in range(3)]
    assert refreshes == [401, 401, 429]
    feed = await clinic.ask("GET", "/api/v1/calendars/doctor-ada/guess.ics")
    assert (feed.status, feed.code) == (429, "too_many_requests")
    uploads = [(await upload(clinic, "carl", b"no")).status for _ in range(21)]
    assert uploads == [422] * 20 + [429]


async def test_syncs_of_one_person_are_limited() -> None:
    async with open_sockets(replace(LIMITS, syncs_per_minute=3)) as clinic:
        carl, dora = await clinic.person("carl"), await clinic.person("dora")
        answers = [await carl.ask("sync", {}) for _ in range(5)]
        assert [answer.get("error", {}).get("code") for answer in answers][-1] == "too_many_requests"
        assert (await dora.ask("sync", {}))["ok"]
