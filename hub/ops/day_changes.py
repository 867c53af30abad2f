"""Moves or cancels a doctor's day at a running hub, and says what becomes of each appointment.

A receptionist or the doctor logs in for it, so the histories say who did it.
"""

import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from hub.client.answers import NO_ANSWER, UNDECIDED, NoResponse, Problem
from hub.client.clinic import Clinic
from hub.client.day_changes import DayChanges, Line
from hub.client.member import CannotRead, Member
from hub.client.wire import DoctorCard
from hub.ops.account_commands import say

ALL_CHANGED, REFUSED, SOME_LEFT, UNFINISHED = range(4)
"""The exit codes. `UNFINISHED`: some may have been changed; the same request with the same key goes on."""

Change = Callable[[DayChanges, str, Callable[[Line], None], str], Awaitable[Line | Problem | NoResponse]]
"""Sends the request about the doctor with this id, calls back with each line, and uses this key."""


async def change_day(  # noqa: PLR0913  # each is an option of the command
    clinic: Clinic, *, email: str, password: str, doctor: str, key: str, change: Change
) -> int:
    """Change the day and print a line for each appointment; return the exit code.

    `doctor` is the id or the name; a doctor may also give the own e-mail address.
    """
    member = await _signed_in(clinic, email, password)
    if isinstance(member, Problem | NoResponse):
        return _refused("cannot log in", member)
    if member.password_change_required:
        say("Change your first password before anything else.", sys.stderr)
        return REFUSED
    try:
        found = _named(await member.doctors(), doctor, member, email)
        if isinstance(found, str):
            say(found, sys.stderr)
            return REFUSED
        printer = _Printer(ZoneInfo(found.zone))
        say(f"{found.name}: to repeat this request after a failure, add --key {key}")
        return _finished(await change(member.day_changes, found.id, printer.show, key), printer)
    except CannotRead as error:
        say(str(error), sys.stderr)
        return REFUSED
    finally:
        await _log_out(member)


class _Printer:
    """Prints each appointment once: a repeated request sends its lines again from the first one on."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._shown: set[str] = set()
        self.begun = False

    def show(self, line: Line) -> None:
        """Print a line of the answer."""
        if line["type"] == "begun":
            if not self.begun:
                say(f"Appointments to change: {line['total']}")
            self.begun = True
        elif line["type"] == "changed":
            appointment = line["appointment"]
            done = "cancelled" if appointment["status"] == "cancelled" else "moved to"
            self._once(line, appointment["id"], f"{done}  {self._time(appointment['start'])}  {_name(appointment)}")
        elif line["type"] == "not_changed":
            self._once(line, line["appointmentId"], f"NOT CHANGED  {self.left(line)}")

    def left(self, line: Line) -> str:
        """Return what is printed of an appointment that was not changed."""
        return f"{self._time(line['start'])}  {_name(line)}  {line['code']}: {line['detail']}"

    def _once(self, line: Line, id_: str, text: str) -> None:
        if id_ not in self._shown:
            self._shown.add(id_)
            say(f"{line['number']:>3}/{line['total']}  {text}")

    def _time(self, start: str) -> str:
        return f"{datetime.fromisoformat(start).astimezone(self._zone):%a %d %b %H:%M}"


def _finished(result: Line | Problem | NoResponse, printer: _Printer) -> int:
    """Print how it ended; return the exit code."""
    if isinstance(result, NoResponse) or (isinstance(result, Problem) and (printer.begun or result.code in UNDECIDED)):
        say("The hub did not finish. Repeat the command with the key: what was done is not done again.", sys.stderr)
        _refused("the last answer", result)
        return UNFINISHED
    if isinstance(result, Problem):
        return _refused("refused", result)
    say(f"Changed: {result['changed']}. Not changed: {len(result['notChanged'])}.")
    for line in result["notChanged"]:
        say(f"  {printer.left(line)}  {line['appointmentId']}")
    return SOME_LEFT if result["notChanged"] else ALL_CHANGED


async def _signed_in(clinic: Clinic, email: str, password: str) -> Member | Problem | NoResponse:
    """Log in as a receptionist or as a doctor: each has an own door."""
    member = await clinic.log_in("receptionist", email, password)
    if isinstance(member, Problem) and member.code == "invalid_credentials":
        return await clinic.log_in("doctor", email, password)
    return member


async def _log_out(member: Member) -> None:
    try:
        await member.log_out()
    except CannotRead as error:
        say(f"The session was not ended; it expires by itself. {error}", sys.stderr)


def _named(doctors: list[DoctorCard], wanted: str, member: Member, email: str) -> DoctorCard | str:
    """Return the doctor who is meant, or what is wrong."""
    own = member.user.id if wanted.casefold() == email.casefold() else None
    found = [each for each in doctors if each.id in {wanted, own} or each.name.casefold() == wanted.casefold()]
    if not found:
        return f"There is no doctor with the id or name {wanted!r}; see `clinic-hub doctor list`."
    return found[0] if len(found) == 1 else f"Several doctors are called {wanted!r}: give the id."


def _name(of: Line) -> str:
    return str(of["patient"]["name"] or of["patient"]["id"])


def _refused(what: str, problem: Problem | NoResponse) -> int:
    code, detail = (problem.code, problem.detail) if isinstance(problem, Problem) else (NO_ANSWER, problem.cause)
    say(f"{what}: {code}: {detail}", sys.stderr)
    return REFUSED
