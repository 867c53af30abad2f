"""The parts of the demo that need no hub: sign-in, the search for free slots, figures and output."""

import io
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import phonenumbers
import pytest
from aiohttp import web
from rich.console import Console

from hub.client.clinic import clinic_at
from hub.client.member import Member
from hub.clock import system_clock
from hub.ops.demo.console import Screen
from hub.ops.demo.desk import Desk
from hub.ops.demo.figures import figures_of
from hub.ops.demo.free_slots import find_free_slots
from hub.ops.demo.results import show_promises
from hub.ops.demo.sign_in import CannotStart, SignIn, demo_guests
from hub.ops.judge.promises import Promise, Violation
from hub.ops.seeding.people import Person, doctors, patients
from tests.unit.client_examples import QUICK, START, StandIn, ann_at, ok, problem, stand_in
from tests.unit.judge_examples import ADA, ANN, BOB, ELEVEN, MONDAY, NINE, TEN, FaultlessClinic, good_morning

TODAY = START.date()


def test_guests_have_unique_numbers_and_addresses() -> None:
    everybody = demo_guests(200)
    assert len({each.phone for each in everybody}) == len({each.email for each in everybody}) == 200
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(each.phone)) for each in everybody)
    assert not {each.phone for each in everybody} & {each.phone for each in [*patients(TODAY), *doctors(TODAY)]}


async def test_guests_sign_up_in_the_first_demo_and_log_in_later() -> None:
    accounts: set[str] = set()

    async def answer(request: web.Request) -> web.Response:
        email = (await request.json())["email"]
        if request.path.endswith("signup"):
            if email in accounts:
                return problem(409, "email_taken")(request)
            accounts.add(email)
            return ok(201, _signed_in(email))(request)
        if email in accounts:
            return ok(200, _signed_in(email))(request)
        return problem(401, "invalid_credentials")(request)

    async with stand_in(rest=[answer]) as hub:
        guests = demo_guests(5)
        first = await _through(hub, lambda sign_in: sign_in.sign_in_all(guests))
        first_attempts = _requests(hub)
        second = await _through(hub, lambda sign_in: sign_in.sign_in_all([*guests, demo_guests(6)[5]]))
    assert [member.user.id for member in first] == [f"morning{n}" for n in range(1, 6)]
    assert [member.user.id for member in second] == [f"morning{n}" for n in range(1, 7)]
    assert first_attempts == ["login"] + ["signup"] * 5
    assert _requests(hub)[6:] == ["login"] * 7 + ["signup"]


async def test_a_rate_limit_is_waited_for_and_reported_once() -> None:
    full = problem(429, "too_many_requests", **{"Retry-After": "0.05"})
    said: list[str] = []
    signed_in: list[int] = []
    async with (
        stand_in(rest=[full, full, ok(200, _signed_in("patient1@clinic.test"))]) as hub,
        clinic_at(hub.url, system_clock, timeouts=QUICK) as clinic,
    ):
        sign_in = SignIn(clinic, said.append, lambda: signed_in.append(1))
        assert isinstance(await sign_in.log_in(patients(TODAY)[0]), Member)
    assert len(hub.received) == 3
    assert len(said) == 1
    assert len(signed_in) == 1


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (problem(401, "invalid_credentials"), "make seed"),
        (problem(429, "too_many_requests", **{"Retry-After": "3600"}), "LOGINS_PER_MINUTE_PER_ADDRESS"),
        (problem(500, "internal"), "internal"),
    ],
)
async def test_a_failed_sign_in_says_what_to_do(answer: Callable[[web.Request], web.Response], advice: str) -> None:
    person: Person = patients(TODAY)[0]
    async with stand_in(rest=[answer]) as hub:
        with pytest.raises(CannotStart, match=advice):
            await _through(hub, lambda sign_in: sign_in.log_in(person))


async def test_a_hub_whose_sign_ups_must_be_confirmed_has_no_guests() -> None:
    answer = ok(202, {"status": "confirmation_required", "signUpId": "s1"})
    async with stand_in(rest=[problem(401, "invalid_credentials"), answer]) as hub:
        with pytest.raises(CannotStart, match="SIGN_UP_CONFIRMATION"):
            await _through(hub, lambda sign_in: sign_in.sign_in_all(demo_guests(1)))


async def test_openings_are_free_slots_of_the_first_doctors_who_have_enough_taken_in_turn() -> None:
    first, busy, third, _ = people = doctors(TODAY)[:4]
    cards = [{"id": each.id, "name": each.name, "specialty": None, "zone": "UTC"} for each in people]

    def answer(request: web.Request) -> web.Response:
        if request.path.endswith("/doctors"):
            return ok(200, cards)(request)
        if busy.id in request.path:
            return ok(200, [])(request)
        starts = [START + timedelta(minutes=30 * n) for n in range(4)]
        taken = starts[2]
        slots = [_slot(start, available=start != taken) for start in starts]
        return ok(200, slots if request.query["date"] == START.date().isoformat() else [])(request)

    async with stand_in(rest=[answer]) as hub, ann_at(hub) as ann:
        found = await find_free_slots(ann, people, 2, 2, START - timedelta(minutes=10))
        with pytest.raises(CannotStart, match="free slots"):
            await find_free_slots(ann, people, 2, 4, START - timedelta(minutes=10))
    # the one that starts in ten minutes is too soon, and the third is taken
    expected = [(doctor.id, START + timedelta(minutes=30 * n)) for n in (1, 3) for doctor in (first, third)]
    assert [(each.doctor.id, each.start) for each in found] == expected


def test_figures_count_what_the_history_holds() -> None:
    clinic = good_morning()
    figures = figures_of(clinic.history, list(clinic.dashboards.values()), clinic.record())
    assert figures.commands.total() == len(list(clinic.history.exchanges()))
    assert figures.granted["book"] == 5
    assert figures.winners == 4  # one booking was sent over two ways
    assert figures.slots == 3  # and one was of a slot that had been given back
    assert figures.granted["reschedule"] == 1
    assert figures.refused["slot_taken"] == 2
    assert figures.answered["rest"].p50 == 2000
    assert figures.delivery is not None
    assert figures.delivery.p99 == 0


def test_a_percentile_is_a_case_that_was_measured() -> None:
    clinic = FaultlessClinic()
    clinic.book(ANN, ADA, TEN)
    telling = next(clinic.history.exchanges())
    for seconds in range(1, 101):
        clinic.history.on_request(telling.request)
        clinic.history.on_answer(telling.request, _taking(telling.answer, seconds))
    telling.answer = _taking(telling.answer, 101)
    latency = figures_of(clinic.history, [], clinic.record()).answered["rest"]
    assert (latency.count, latency.p50, latency.p99) == (101, 51_000, 100_000)


def test_each_promise_is_shown_kept_broken_or_not_tried() -> None:
    shown = io.StringIO()
    broken = [Violation(Promise.NO_OVERLAP, "two appointments held the same slot", f"case {n}") for n in range(7)]
    show_promises(Screen(Console(file=shown, width=200)), broken, FaultlessClinic().record())
    said = shown.getvalue()
    assert (
        "✗  2  No two active appointments overlap, and none is booked outside the doctor's hours: 7 violations" in said
    )
    assert [number for number in range(1, 8) if f"✓  {number}  " in said] == [1, 3, 4, 5, 7]
    assert "-  6  " in said
    assert "case 4" in said
    assert "case 5" not in said
    assert "and 2 more of promise 2" in said


def test_progress_without_a_terminal_is_a_line_for_each_quarter() -> None:
    shown = io.StringIO()
    with Screen(Console(file=shown, width=80)).progress("Signing in", 10) as step:
        for _ in range(10):
            step()
    assert shown.getvalue().splitlines() == [f"Signing in: {done} of 10" for done in (3, 5, 8, 10)]


def _signed_in(email: str) -> dict[str, Any]:
    user = {"id": email.partition("@")[0], "role": "patient", "name": email}
    return {"accessToken": "a", "refreshToken": "r", "expiresIn": 900, "user": user}


async def _through(hub: StandIn, enter: Callable[[SignIn], Any]) -> Any:
    async with clinic_at(hub.url, system_clock, timeouts=QUICK) as clinic:
        return await enter(SignIn(clinic, lambda _: None, lambda: None))


def _requests(hub: StandIn) -> list[str]:
    return [sent.what.rpartition("/")[2] for sent in hub.received]


def _slot(start: Any, *, available: bool) -> dict[str, Any]:
    return {"start": start.isoformat(), "end": (start + timedelta(minutes=30)).isoformat(), "available": available}


def _taking(answer: Any, seconds: int) -> Any:
    return type(answer)(**{**vars(answer), "seconds": float(seconds)})


async def test_the_desk_checks_in_who_is_expected_and_undoes_it() -> None:
    clinic = FaultlessClinic()
    booked = [clinic.book(ANN, ADA, TEN), clinic.book(BOB, ADA, ELEVEN), clinic.book(ANN, ADA, MONDAY.replace(hour=17))]
    done = clinic.book(BOB, ADA, NINE)
    clinic.now = NINE
    clinic.change(ADA, "complete", done)
    dashboard = clinic.dashboards[ADA.id]
    said: list[tuple[str, str]] = []

    class Commands:
        def __getattr__(self, kind: str) -> Callable[[str], Any]:
            async def send(id_: str) -> Any:
                said.append((kind, id_))
                return clinic.change(ADA, kind, next(each for each in booked if each.appointment.id == id_))

            return send

    line: Any = SimpleNamespace(commands=Commands())
    desk = Desk(SimpleNamespace(user=ADA), line, dashboard, lambda: clinic.now)
    await desk.work()
    first, second, later = (each.appointment.id for each in booked)
    visits = [("check_in", first), ("check_in", second), ("call_in", second)]
    assert said == [*visits, ("check_in", later)]
    assert {each.id: each.visit for each in dashboard.appointments if each.visit} == {
        first: "arrived",
        second: "in_room",
    }
    await desk.undo()
    assert not any(each.visit for each in dashboard.appointments)
    assert clinic.judged() == []
