"""The client moves a doctor's day: each line is told, and a request that breaks off is repeated under its key."""

import json
from datetime import date
from typing import Any

from aiohttp import web

from hub.client.answers import Problem
from hub.client.commands import Timeouts
from tests.unit.client_examples import ann_at, drops, ok, problem, stand_in

DAY = date(2026, 6, 1)
BEGUN = {"type": "begun", "total": 1}
CHANGED = {"type": "changed", "number": 1, "total": 1}
FINISHED = {"type": "finished", "changed": 1, "notChanged": [], "position": {"ada": 7}}
INTERRUPTED = {"type": "interrupted", "code": "try_again", "detail": "later"}


def lines(*given: dict[str, Any]) -> Any:
    text = "".join(json.dumps(line) + "\n" for line in given)
    return lambda _: web.Response(text=text, content_type="application/x-ndjson")


async def test_a_day_change_that_breaks_off_is_repeated_under_its_key_until_it_is_finished() -> None:
    told: list[Any] = []
    answers = [drops, lines(BEGUN), lines(BEGUN, INTERRUPTED), lines(BEGUN, CHANGED, FINISHED), ok(200, [])]
    async with stand_in(rest=answers) as hub, ann_at(hub) as ann:
        assert await ann.day_changes.move_by("ada", DAY, 30, told.append) == FINISHED
        await ann.appointments()
    *asked, read = hub.received
    assert {(sent.what, str(sent.body)) for sent in asked} == {
        ("POST /api/v1/doctors/ada/move-day", "{'date': '2026-06-01', 'by': 30}")
    }
    assert len(asked) == 4
    assert len({sent.key for sent in asked}) == 1
    assert told == [BEGUN, BEGUN, INTERRUPTED, BEGUN, CHANGED, FINISHED]
    assert read.knows == "ada=7"


async def test_a_refused_day_change_is_not_repeated_and_an_expired_token_is_renewed() -> None:
    fresh = ok(200, {"accessToken": "second", "refreshToken": "refresh-2"})
    answers = [problem(401, "token_expired"), fresh, problem(404, "not_found"), lines(BEGUN, FINISHED)]
    async with stand_in(rest=answers) as hub, ann_at(hub) as ann:
        refused = await ann.day_changes.cancel("nobody", DAY, "ill", lambda _: None, key="k")
        assert isinstance(refused, Problem)
        assert refused.code == "not_found"
        assert await ann.day_changes.move_to("ada", DAY, date(2026, 6, 2), lambda _: None) == FINISHED
    first, _, second, third = hub.received
    assert (first.key, second.key, second.token) == ("k", "k", "second")
    assert first.body == {"date": "2026-06-01", "reason": "ill"}
    assert third.body == {"date": "2026-06-01", "to": "2026-06-02"}


async def test_a_request_in_which_nothing_more_is_decided_ends_after_the_total_timeout() -> None:
    replayed = {**CHANGED, "total": 2, "replayed": True}
    told: list[Any] = []
    answers = [lines(BEGUN, replayed, INTERRUPTED)]
    async with stand_in(rest=answers) as hub, ann_at(hub, Timeouts(total=1.0, attempt=0.5)) as ann:
        gave_up = await ann.day_changes.move_by("ada", DAY, 30, told.append)
    assert isinstance(gave_up, Problem)
    assert gave_up.code == "try_again"
    assert len(hub.received) > 1
