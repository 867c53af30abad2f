"""The commands `clinic-hub doctor add`, `list`, `disable` and `enable`."""

import sys
from collections.abc import Sequence

from cyclopts import App
from pydantic import ValidationError

from hub.clock import system_clock
from hub.ops.account_commands import find_account, say, say_created, say_invalid, store
from hub.ops.doctor_accounts import NewDoctor, create_doctor, disable, enable
from hub.ops.weekly_hours import shifts_of
from hub.records.schedules import schedule_records_of
from hub.scheduling.decision import Refused
from hub.scheduling.values import rfc3339
from hub.settings import load, timekeeper

app = App(name="doctor", help="Add, list, disable and enable the doctors of the clinic.")

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
    if refused:
        say(refused.detail, sys.stderr)
        return 1
    say(f"{account.name} takes appointments and can log in again.")
    return 0
