"""The commands `clinic-hub doctor add`, `list`, `disable`, `enable`, `move-day` and `cancel-day`."""

import sys
from collections.abc import Sequence
from datetime import date
from getpass import getpass

from cyclopts import App
from pydantic import ValidationError

from hub.client.clinic import clinic_at
from hub.clock import system_clock
from hub.ids import new_id
from hub.ops.access_lines import note
from hub.ops.account_commands import find_account, reset_second_factor_of, say, say_created, say_invalid, store
from hub.ops.day_changes import REFUSED, Change, change_day
from hub.ops.doctor_accounts import NewDoctor, create_doctor, disable, enable
from hub.ops.local.api_locator import located_api
from hub.ops.weekly_hours import shifts_of
from hub.records.schedules import schedule_records_of
from hub.scheduling.decision import Refused
from hub.scheduling.values import rfc3339
from hub.settings import load, timekeeper

app = App(name="doctor", help="Add, list, disable and enable the doctors of the clinic; move or cancel a doctor's day.")

_SHOWN = 20
_OFFICE = ("mon-fri 09:00-12:00 13:00-17:00",)


@app.command(name="add")
async def add_doctor(  # noqa: PLR0913  # one parameter for each option
    *,
    name: str,
    email: str,
    zone: str,
    phone: str | None = None,
    specialty: str | None = None,
    hours: Sequence[str] = _OFFICE,
) -> int:
    """Create a doctor's account and print its first password, which is not stored anywhere.

    Parameters
    ----------
    name
        The name that patients see, for example "Dr. Ada Byron".
    email
        The address to log in with.
    zone
        The IANA time zone of the practice, for example Europe/Berlin.
    phone
        The number with the country code: +12025550123.
    specialty
        For example Cardiology.
    hours
        Weekly hours in that time zone; may be given several times: --hours "mon-fri 09:00-12:00 13:00-17:00". A shift
        ends by 24:00: night work is two shifts, as in --hours "fri 22:00-24:00" --hours "sat 00:00-06:00".

    """
    try:
        doctor = NewDoctor(name=name, email=email, phone=phone, zone=zone, specialty=specialty, shifts=shifts_of(hours))
    except ValidationError as error:
        say_invalid(error)
        return 1
    except ValueError as error:
        say(str(error), sys.stderr)
        return 1
    async with store() as records:
        made = await create_doctor(records.users, doctor, system_clock(), load().bcrypt_rounds)
        if not isinstance(made, str):
            await note(records, "account_added", made[0].id)
    return say_created(made)


@app.command(name="list")
async def list_doctors() -> int:
    """Print the doctors, sorted by name: id, name, e-mail address, time zone, and whether the doctor is disabled."""
    async with store() as records:
        accounts = await records.users.doctors()
        schedule_records = await schedule_records_of(records, accounts)
        for account in accounts:
            doctor = schedule_records[account.id].current
            disabled = "  disabled: takes no appointments" if doctor.disabled else ""
            say(f"{account.id}  {account.name}  {account.email}  {doctor.zone}{disabled}")
    return 0


@app.command(name="disable")
async def disable_doctor(doctor: str, /) -> int:
    """Stop new appointments for a doctor and end the doctor's sessions. Existing appointments stay booked.

    Parameters
    ----------
    doctor
        The id or the e-mail address.

    """
    async with store() as records:
        account = await find_account(records, "doctor", doctor)
        if account is None:
            return 1
        disabled = await disable(records, account.id, timekeeper(load()))
        if not isinstance(disabled, Refused):
            await note(records, "account_disabled", account.id)
    if isinstance(disabled, Refused):
        say(disabled.detail, sys.stderr)
        return 1
    say(f"{account.name} takes no new appointments. Sessions ended: {disabled.ended_sessions}.")
    say(f"Future appointments, which stay booked: {len(disabled.appointments)}.")
    for appointment in disabled.appointments[:_SHOWN]:
        say(f"  {rfc3339(appointment.start)}  {appointment.id}  {appointment.status.value}")
    if len(disabled.appointments) > _SHOWN:
        say(f"  and {len(disabled.appointments) - _SHOWN} more")
    return 0


@app.command(name="enable")
async def enable_doctor(doctor: str, /) -> int:
    """Let a disabled doctor accept appointments and log in again.

    Parameters
    ----------
    doctor
        The id or the e-mail address.

    """
    async with store() as records:
        account = await find_account(records, "doctor", doctor)
        if account is None:
            return 1
        refused = await enable(records, account.id, timekeeper(load()))
        if not refused:
            await note(records, "account_enabled", account.id)
    if refused:
        say(refused.detail, sys.stderr)
        return 1
    say(f"{account.name} takes appointments and can log in again.")
    return 0


@app.command(name="move-day")
async def move_day(  # noqa: PLR0913  # one parameter for each option
    doctor: str,
    /,
    *,
    date: date,
    by: int | None = None,
    to: date | None = None,
    email: str,
    key: str | None = None,
    url: str | None = None,
) -> int:
    """Move all appointments of a doctor's day: later by minutes, or to the same times of another day.

    The hub has to run. You log in as a receptionist, or as the doctor. The password is asked for, or read from the
    first line of the standard input. Each patient is texted once. What cannot be moved stays, and is listed with
    the reason.

    Exits 0 if all were moved, 1 if nothing was done, 2 if some could not be moved, and 3 if the hub did not finish:
    repeat the command with the printed key. What was done is not done again.

    Parameters
    ----------
    doctor
        The id or the name of the doctor.
    date
        The day in the doctor's time zone, as 2026-12-01.
    by
        How many minutes later: 30, 60, … up to 720. Negative: earlier. Give either --by or --to.
    to
        The day to move to, as 2026-12-02.
    email
        The e-mail address to log in with.
    key
        The key of an earlier attempt, to go on with it.
    url
        The address of an api process. Default: that of the run on DATA_DIR, else HOST and PORT.

    """
    if (by is None) == (to is None):
        say("Give either --by or --to.", sys.stderr)
        return REFUSED
    if to is not None:
        return await _change_day(doctor, email, key, url, lambda days, id_, *rest: days.move_to(id_, date, to, *rest))
    return await _change_day(doctor, email, key, url, lambda days, id_, *rest: days.move_by(id_, date, by or 0, *rest))


@app.command(name="cancel-day")
async def cancel_day(  # noqa: PLR0913  # one parameter for each option
    doctor: str, /, *, date: date, reason: str, email: str, key: str | None = None, url: str | None = None
) -> int:
    """Cancel all appointments of a doctor's day. The day stays open for new ones: the doctor adds time off first.

    Logging in, the texts and the exit codes are those of `move-day`.

    Parameters
    ----------
    doctor
        The id or the name of the doctor.
    date
        The day in the doctor's time zone, as 2026-12-01.
    reason
        Why. The patients may read it in the history of the appointment.
    email
        The e-mail address to log in with.
    key
        The key of an earlier attempt, to go on with it.
    url
        The address of an api process. Default: that of the run on DATA_DIR, else HOST and PORT.

    """
    return await _change_day(doctor, email, key, url, lambda days, id_, *rest: days.cancel(id_, date, reason, *rest))


async def _change_day(doctor: str, email: str, key: str | None, url: str | None, change: Change) -> int:
    password = getpass(f"Password of {email}: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    async with clinic_at(url or located_api(load()), system_clock) as clinic:
        return await change_day(
            clinic, email=email, password=password, doctor=doctor, key=key or new_id(), change=change
        )


@app.command(name="reset-second-factor")
async def reset_second_factor(doctor: str, /) -> int:
    """Remove the second factor of a doctor who has lost it, and end the doctor's sessions.

    Parameters
    ----------
    doctor
        The id or the e-mail address.

    """
    return await reset_second_factor_of("doctor", doctor)
