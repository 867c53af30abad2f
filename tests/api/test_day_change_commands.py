"""`clinic-hub doctor move-day` and `cancel-day` at a running hub."""

import io
import sys
from datetime import date, timedelta
from typing import Any

import pytest

from hub.client.clinic import clinic_at
from hub.client.commands import Timeouts
from hub.clock import system_clock
from hub.ops import doctor_commands
from hub.ops.day_changes import change_day
from tests.api.rest_clinic import PASSWORD, RestClinic, opening

DAY = opening(1).date()


async def booked(clinic: RestClinic, *half_hours: int) -> list[str]:
    """Book slots of Ada's Tuesday for Carl."""
    return [await clinic.book("robin", "ada", opening(1, number), patientId="patient-carl") for number in half_hours]


@pytest.fixture
def options(clinic: RestClinic, monkeypatch: pytest.MonkeyPatch, lines: list[Any]) -> dict[str, Any]:
    """The options of a command by Robin about Ada's Tuesday. The password is on the standard input.

    The log goes to `lines`, away from what the command prints.
    """
    assert not lines
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
    return {"date": DAY, "email": "robin@clinic.test", "url": str(clinic.client.make_url(""))}


async def test_a_moved_day_is_printed_line_by_line_in_the_doctors_time_with_what_could_not_be_moved(
    clinic: RestClinic, options: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    ids = await booked(clinic, 0, 15)
    assert await doctor_commands.move_day("dr. ada", by=30, key="k-1", **options) == 2
    left = "Tue 24 Nov 16:30  Carl  outside_hours: The doctor does not work then."
    assert capsys.readouterr().out.splitlines() == [
        "Dr. Ada: to repeat this request after a failure, add --key k-1",
        "Appointments to change: 2",
        f"  1/2  NOT CHANGED  {left}",
        "  2/2  moved to  Tue 24 Nov 09:30  Carl",
        "Changed: 1. Not changed: 1.",
        f"  {left}  {ids[1]}",
    ]
    history = (await clinic.ask("GET", f"/api/v1/appointments/{ids[0]}/history", "robin")).body
    assert history[-1]["by"] == {"id": "receptionist-robin", "role": "receptionist", "via": "rest"}
    assert len(await clinic.services.records.sessions.revoked_since(opening(0) - timedelta(days=1))) == 1


async def test_a_doctor_cancels_the_own_day_and_the_same_key_does_it_once(
    clinic: RestClinic, options: dict[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await booked(clinic, 0, 1)
    mine = {**options, "email": "ada@clinic.test", "key": "k", "reason": "ill"}
    for _ in range(2):
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
        assert await doctor_commands.cancel_day("Ada@clinic.test", **mine) == 0
        assert "  2/2  cancelled  Tue 24 Nov 09:30  Carl" in capsys.readouterr().out
    assert await clinic.services.records.appointments.last_seq("doctor-ada") == 4


async def test_a_day_moves_to_another_day(clinic: RestClinic, options: dict[str, Any]) -> None:
    [id_] = await booked(clinic, 3)
    assert await doctor_commands.move_day("doctor-ada", to=opening(2).date(), **options) == 0
    shown = await clinic.ask("GET", f"/api/v1/appointments/{id_}", "robin")
    assert shown.body["start"] == opening(2, 3).isoformat().replace("+00:00", "Z")


async def test_while_the_actors_are_silent_the_command_ends_and_goes_on_with_its_key(
    clinic: RestClinic, options: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    await booked(clinic, 0)
    clinic.commands.silent = True
    impatient = Timeouts(total=1.0, attempt=0.5)
    async with clinic_at(options["url"], system_clock, timeouts=impatient) as hub:
        ended = await change_day(
            hub,
            email=options["email"],
            password=PASSWORD,
            doctor="doctor-ada",
            key="k",
            change=lambda days, id_, *rest: days.move_by(id_, DAY, 30, *rest),
        )
    said = capsys.readouterr()
    assert ended == 3
    assert said.out.count("Appointments to change: 1") == 1
    assert "Repeat the command with the key" in said.err
    clinic.commands.silent = False
    assert await doctor_commands.move_day("doctor-ada", by=30, key="k", **options) == 0


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"doctor": "Dr. Who"}, "There is no doctor with the id or name 'Dr. Who'"),
        ({"doctor": "ben", "email": "ada@clinic.test"}, "There is no doctor with the id or name 'ben'"),
        ({"doctor": "doctor-ben", "email": "ada@clinic.test"}, "forbidden: A doctor can change only their own day."),
        ({"email": "carl@clinic.test"}, "cannot log in: invalid_credentials"),
        ({"by": None}, "Give either --by or --to."),
        ({"to": DAY}, "Give either --by or --to."),
        ({"by": 45}, "invalid_request: The body is not valid. /by: A day is moved by half hours"),
        ({"url": "http://127.0.0.1:9"}, "cannot log in: no_answer"),
    ],
)
async def test_what_cannot_be_done_is_said_and_changes_nothing(
    clinic: RestClinic,
    options: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    changed: dict[str, Any],
    says: str,
) -> None:
    await booked(clinic, 0)
    given = {"doctor": "doctor-ada", "by": 30, **options, **changed}
    assert await doctor_commands.move_day(given.pop("doctor"), **given) == 1
    assert says in capsys.readouterr().err
    assert await clinic.services.records.appointments.last_seq("doctor-ada") == 1


async def test_a_first_password_has_to_be_changed_first(
    clinic: RestClinic, options: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    users = clinic.services.records.users
    robin = clinic.people["robin"]
    await users.change(robin, robin.model_copy(update={"must_change_password": True}))
    assert await doctor_commands.move_day("doctor-ada", by=30, **options) == 1
    assert "Change your first password" in capsys.readouterr().err


def test_the_options_are_read_as_they_are_written() -> None:
    line = "move-day ada --date 2026-11-24 --by -30 --email desk1@clinic.test"
    command, bound, _ = doctor_commands.app.parse_args(line, print_error=True, exit_on_error=False)
    assert command is doctor_commands.move_day
    assert (bound.args, bound.kwargs) == (
        ("ada",),
        {"date": date(2026, 11, 24), "by": -30, "email": "desk1@clinic.test"},
    )
