"""The client over REST: answers are values, and a command is repeated under one key until the hub decides it."""

import pytest
from aiohttp import web

from hub.client.answers import NO_ANSWER, NoResponse, Problem
from hub.client.clinic import Unconfirmed, clinic_at
from hub.client.commands import Timeouts
from hub.client.member import CannotRead, Member
from hub.clock import system_clock
from hub.ids import derived_id
from hub.scheduling.values import Status
from tests.unit.client_examples import (
    APPOINTMENT,
    CALENDAR,
    QUICK,
    START,
    Notes,
    ann_at,
    drops,
    hangs,
    ok,
    problem,
    stand_in,
)


async def test_a_booking_is_answered_with_its_appointment() -> None:
    async with stand_in(rest=[ok(201)]) as hub, ann_at(hub) as ann:
        answer = await ann.commands.book("ada", START, reason="cough")
    assert answer.ok
    assert answer.decided
    assert answer.appointment.id == "a1"
    assert answer.appointment.start == START
    assert (answer.status, answer.attempts, answer.code) == (201, 1, None)
    (sent,) = hub.received
    assert sent.what == "POST /api/v1/appointments"
    assert sent.body == {"doctorId": "ada", "start": "2026-06-01T10:00:00Z", "reason": "cough"}
    assert (sent.key, sent.token) == (answer.key, "first")


async def test_a_repetition_is_said_to_be_one() -> None:
    repeated = {"Idempotency-Replayed": "true"}
    own = {"calendar": CALENDAR, "outside": []}
    answers = [ok(201), ok(201, **repeated), ok(200, own), ok(200, own, **repeated)]
    async with stand_in(rest=answers) as hub, ann_at(hub) as ann:
        booked = [await ann.commands.book("ada", START, key="k") for _ in range(2)]
        changed = [await ann.own_hours.change([], key="h") for _ in range(2)]
    assert [answer.replayed for answer in booked] == [False, True]
    assert [own.replayed for own in changed] == [False, True]


async def test_reads_say_the_highest_position_of_the_answers_before() -> None:
    answers = [ok(201, Position="ada=7"), ok(200, [], Position="ada=5, ben=2"), ok(200, [], Position="?"), ok(200, [])]
    async with stand_in(rest=answers) as hub, ann_at(hub) as ann:
        await ann.commands.book("ada", START)
        for _ in range(3):
            await ann.appointments()
    known = "ada=7, ben=2"
    assert [received.knows for received in hub.received] == [None, "ada=7", known, known]


async def test_the_board_is_asked_for_by_day_and_its_position_is_known_from_then_on() -> None:
    doctor = {"id": "ada", "name": "Dr. Ada", "zone": "UTC", "slots": [], "appointments": [], "more": 1}
    board = {"date": "2026-06-01", "position": {"ada": 9}, "doctors": [doctor]}
    async with stand_in(rest=[ok(200, board), ok(200, board)]) as hub, ann_at(hub) as ann:
        assert (await ann.board(START.date(), ["ada", "ben"])).doctors[0].name == "Dr. Ada"
        await ann.board(START.date())
    assert [received.knows for received in hub.received] == [None, "ada=9"]


async def test_a_slot_that_is_the_own_one_comes_with_its_appointment() -> None:
    body = {"code": "slot_taken", "detail": "You have this slot already.", "appointmentId": "a1"}
    async with stand_in(rest=[ok(409, body)]) as hub, ann_at(hub) as ann:
        answer = await ann.commands.book("ada", START)
    assert (answer.code, answer.appointment_id) == ("slot_taken", "a1")


@pytest.mark.parametrize("kind", ["confirm", "cancel", "complete", "reschedule", "check_in", "call_in", "undo_visit"])
async def test_a_change_goes_to_its_own_address(kind: str) -> None:
    async with stand_in(rest=[ok()]) as hub, ann_at(hub) as ann:
        more = (START,) if kind == "reschedule" else ()
        assert (await getattr(ann.commands, kind)("a1", *more)).ok
    (sent,) = hub.received
    assert sent.what == f"PATCH /api/v1/appointments/a1/{kind.replace('_', '-')}"
    assert sent.body == ({"start": "2026-06-01T10:00:00Z"} if more else None)


async def test_a_refusal_is_an_answer_and_is_not_repeated() -> None:
    async with stand_in(rest=[problem(409, "slot_taken")]) as hub, ann_at(hub) as ann:
        answer = await ann.commands.book("ada", START)
    assert not answer.ok
    assert answer.decided
    assert (answer.code, answer.detail, answer.status) == ("slot_taken", "it is slot_taken", 409)
    assert len(hub.received) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        problem(503, "try_again", **{"Retry-After": "0.1"}),
        problem(503, "unavailable"),
        problem(429, "busy"),
        lambda _: web.Response(status=502, text="<html>a balancer</html>"),
        ok(201, {"not": "an appointment"}),
        drops,
        hangs,
    ],
)
async def test_an_undecided_call_is_repeated_under_the_same_key(trouble: object) -> None:
    async with stand_in(rest=[trouble, trouble, ok(201)]) as hub, ann_at(hub) as ann:
        answer = await ann.commands.book("ada", START)
    assert answer.ok
    assert answer.attempts == 3
    assert {sent.key for sent in hub.received} == {answer.key}


async def test_after_the_total_timeout_the_last_problem_is_the_answer() -> None:
    short = Timeouts(total=0.6, attempt=0.2)
    async with stand_in(rest=[problem(503, "try_again")]) as hub, ann_at(hub, short) as ann:
        answer = await ann.commands.book("ada", START)
    assert not answer.ok
    assert not answer.decided
    assert (answer.code, answer.status) == ("try_again", 503)
    assert answer.seconds <= 0.7


async def test_a_hub_that_never_responds_gives_no_answer_in_the_end() -> None:
    short = Timeouts(total=0.6, attempt=0.2)
    async with stand_in(rest=[hangs]) as hub, ann_at(hub, short) as ann:
        answer = await ann.commands.book("ada", START)
    assert (answer.code, answer.status, answer.decided) == (NO_ANSWER, None, False)
    assert 0.5 <= answer.seconds <= 0.9
    assert answer.attempts >= 2


async def test_a_retry_after_beyond_the_total_timeout_ends_the_attempts() -> None:
    asked_to_wait = problem(429, "too_many_requests", **{"Retry-After": "60"})
    async with stand_in(rest=[asked_to_wait]) as hub, ann_at(hub) as ann:
        answer = await ann.commands.book("ada", START)
    assert (answer.code, answer.attempts) == ("too_many_requests", 1)


async def test_the_observer_gets_every_command_with_its_id_inside_the_hub() -> None:
    notes = Notes()
    async with stand_in(rest=[ok(201)]) as hub, ann_at(hub, observer=notes) as ann:
        answer = await ann.commands.book("ada", START, key="mine")
    assert notes.answered == [(notes.requested[0], answer)]
    assert notes.requested[0].command_id == derived_id("ann", "mine")


async def test_an_expired_token_is_refreshed_once_and_the_call_made_again() -> None:
    fresh = {"accessToken": "second", "refreshToken": "refresh-2", "user": {}}

    def answer(request: web.Request) -> web.Response:
        if request.path == "/api/v1/auth/refresh":
            return ok(200, fresh)(request)
        if request.headers["Authorization"] == "Bearer first":
            return problem(401, "token_expired")(request)
        return ok()(request)

    async with stand_in(rest=[answer]) as hub, ann_at(hub) as ann:
        assert (await ann.commands.confirm("a1")).ok
        assert (await ann.commands.confirm("a1")).ok
    assert [sent.what.rpartition("/")[2] for sent in hub.received] == ["confirm", "refresh", "confirm", "confirm"]
    assert hub.received[1].body == {"refreshToken": "refresh-1"}


@pytest.mark.parametrize("trouble", [drops, problem(503, "unavailable")], ids=["a lost answer", "no answer"])
async def test_a_refresh_is_repeated_under_its_key_until_the_hub_answers(trouble: object) -> None:
    fresh = {"accessToken": "second", "refreshToken": "refresh-2", "user": {}}
    answers = [problem(401, "token_expired"), trouble, trouble, ok(200, fresh), ok()]
    async with stand_in(rest=answers) as hub, ann_at(hub, Timeouts(total=9.0, attempt=6.0)) as ann:
        assert (await ann.commands.confirm("a1")).ok
    refreshes = [sent for sent in hub.received if sent.what.endswith("refresh")]
    assert len(refreshes) == 3
    assert {sent.key for sent in refreshes} == {refreshes[0].key}
    assert refreshes[0].key
    assert {sent.body["refreshToken"] for sent in refreshes} == {"refresh-1"}


async def test_a_session_that_was_ended_is_refused_and_not_repeated_for_ever() -> None:
    expired, over = problem(401, "token_expired"), problem(401, "invalid_token")
    async with stand_in(rest=[expired, over, expired]) as hub, ann_at(hub) as ann:
        answer = await ann.commands.confirm("a1")
    assert (answer.code, answer.attempts) == ("token_expired", 1)


async def test_log_in_returns_a_member_or_the_problem() -> None:
    user = {"id": "ada", "role": "doctor", "name": "Dr. Ada", "email": "ada@clinic.test"}
    signed_in = {"accessToken": "first", "refreshToken": "refresh-1", "expiresIn": 900, "user": user}
    wrong = problem(401, "invalid_credentials")
    async with (
        stand_in(rest=[ok(200, signed_in), wrong, hangs]) as hub,
        clinic_at(hub.url, system_clock, timeouts=QUICK) as clinic,
    ):
        ada = await clinic.log_in("doctor", "ada@clinic.test", "Doctor#1")
        refused = await clinic.log_in("doctor", "ada@clinic.test", "wrong")
        silent = await clinic.log_in("doctor", "ada@clinic.test", "Doctor#1")
    assert isinstance(ada, Member)
    assert (ada.user.id, ada.user.role, ada.user.name) == ("ada", "doctor", "Dr. Ada")
    assert isinstance(refused, Problem)
    assert refused.code == "invalid_credentials"
    assert isinstance(silent, NoResponse)
    assert hub.received[0].what == "POST /api/v1/auth/doctor/login"


async def test_a_sign_up_returns_a_member_or_what_has_to_be_confirmed() -> None:
    user = {"id": "emma", "role": "patient", "name": "Emma"}
    signed_in = {"accessToken": "first", "refreshToken": "refresh-1", "user": user}
    pending = {"status": "confirmation_required", "signUpId": "s1"}
    answers = [ok(202, pending), problem(422, "invalid_request"), ok(201, signed_in), ok(201, signed_in), hangs]
    async with stand_in(rest=answers) as hub, clinic_at(hub.url, system_clock, timeouts=QUICK) as clinic:
        emma = ("Emma", "emma@clinic.test", "+12025550199", "four words of hers")
        assert await clinic.sign_up(*emma) == Unconfirmed("s1")
        assert isinstance(await clinic.confirm_sign_up("s1", "000000"), Problem)
        assert isinstance(await clinic.confirm_sign_up("s1", "123456"), Member)
        assert isinstance(await clinic.sign_up(*emma), Member)
        assert isinstance(await clinic.sign_up(*emma), NoResponse)
    assert hub.received[1].what == "POST /api/v1/auth/patient/signup/confirm"
    assert hub.received[1].body == {"signUpId": "s1", "code": "000000"}


async def test_a_receptionist_with_a_first_password_changes_it_and_goes_on_with_a_new_token() -> None:
    user = {"id": "robin", "role": "receptionist", "name": "Robin"}
    tokens = {"accessToken": "first", "refreshToken": "refresh-1", "user": user, "passwordChangeRequired": True}
    fresh = {"accessToken": "second", "refreshToken": "refresh-2", "user": user}
    answers = [ok(200, tokens), ok(204), ok(200, fresh), ok()]
    async with stand_in(rest=answers) as hub, clinic_at(hub.url, system_clock, timeouts=QUICK) as clinic:
        robin = await clinic.log_in("receptionist", "robin@clinic.test", "first one")
        assert isinstance(robin, Member)
        assert robin.password_change_required
        await robin.change_password("first one", "own words")
        assert not robin.password_change_required
        assert (await robin.commands.confirm("a1")).ok
    assert [sent.what.removeprefix("POST /api/v1/auth/") for sent in hub.received[:3]] == [
        "staff/login",
        "password",
        "refresh",
    ]


async def test_queries_are_repeated_until_answered_and_follow_the_pages() -> None:
    page = ok(200, [APPOINTMENT], Link='</api/v1/appointments?status=confirmed&cursor=x>; rel="next"')
    async with stand_in(rest=[problem(503, "unavailable"), page, ok(200, [APPOINTMENT])]) as hub, ann_at(hub) as ann:
        found = await ann.appointments([Status.CONFIRMED], start_from=START)
    assert [each.id for each in found] == ["a1", "a1"]
    assert [sent.what for sent in hub.received[1:]] == [
        "GET /api/v1/appointments?limit=200&status=confirmed&from=2026-06-01T10:00:00Z",
        "GET /api/v1/appointments?status=confirmed&cursor=x",
    ]


async def test_a_refused_query_raises_the_reason() -> None:
    async with stand_in(rest=[problem(404, "not_found")]) as hub, ann_at(hub) as ann:
        with pytest.raises(CannotRead, match="not_found"):
            await ann.appointment("nobody's")
    assert len(hub.received) == 1


async def test_the_desk_searches_for_patients_and_changes_one() -> None:
    lea = {"id": "lea", "name": "Lea", "phone": None, "email": None, "hasLogIn": False, "new": "ignored"}
    async with stand_in(rest=[ok(200, [lea]), ok(200, lea)]) as hub, ann_at(hub) as desk:
        assert [each.id for each in await desk.search_patients("lea & co", limit=5)] == ["lea"]
        assert (await desk.change_patient("lea", name="Lea", phone=None)).name == "Lea"
    assert [(sent.what, sent.body) for sent in hub.received] == [
        ("GET /api/v1/patients?q=lea+%26+co&limit=5", None),
        ("PATCH /api/v1/patients/lea", {"name": "Lea", "phone": None}),
    ]
