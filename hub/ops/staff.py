"""`clinic-hub doctor …`: the doctors of the clinic."""

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TextIO

from cyclopts import App
from pydantic import ValidationError

from hub.accounts.account import Account
from hub.clock import system_clock
from hub.ops.doctor_accounts import NewDoctor, hire, shifts_of
from hub.ops.doctor_availability import disable, enable
from hub.ops.local.database_locator import located_database
from hub.records.mongo import connect
from hub.records.ports import Records
from hub.records.schedules import schedule_records_of
from hub.scheduling.decision import Refused
from hub.scheduling.values import rfc3339
from hub.settings import load, timekeeper

app = App(name="doctor", help="Add, list, disable and enable the doctors of the clinic.")

_SHOWN = 20
_OFFICE = ("mon-fri 09:00-12:00 13:00-17:00",)


@app.command(name="add")
async def add_doctor(  # noqa: PLR0913  # each one an option of the command line
    *,
    name: str,
    email: str,
    zone: str,
    phone: str | None = None,
    specialty: str | None = None,
    hours: Sequence[str] = _OFFICE,
) -> int:
    """Make a doctor's account and print its first password, which is kept nowhere.

    Parameters
    ----------
    name
        As patients read it, for example "Dr. Ada Byron".
    email
        The address to log in with.
    zone
        The IANA zone of the practice, for example Europe/Berlin.
    phone
        With its country: +12025550123.
    specialty
        For example Cardiology.
    hours
        The weekly hours by the clock of the zone, once for each line: --hours "mon-fri 09:00-12:00 13:00-17:00".

    """
    try:
        doctor = NewDoctor(name=name, email=email, phone=phone, zone=zone, specialty=specialty, shifts=shifts_of(hours))
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False, include_context=False):
            _say(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}", sys.stderr)
        return 1
    except ValueError as error:
        _say(str(error), sys.stderr)
        return 1
    async with _store() as records:
        made = await hire(records.users, doctor, system_clock(), load().bcrypt_rounds)
    if isinstance(made, str):
        _say(f"There is an account with this {made} already.", sys.stderr)
        return 1
    account, password = made
    _say(f"{account.id}  {account.name}  {account.email}  {password}")
    return 0


@app.command(name="list")
async def list_doctors() -> int:
    """Print the doctors by name: id, name, e-mail address, zone, and who is disabled."""
    async with _store() as records:
        accounts = await records.users.doctors()
        schedule_records = await schedule_records_of(records, accounts)
        for account in accounts:
            doctor = schedule_records[account.id].doctor
            closed = "  disabled: takes no appointments" if doctor.disabled else ""
            _say(f"{account.id}  {account.name}  {account.email}  {doctor.zone}{closed}")
    return 0


@app.command(name="disable")
async def disable_doctor(doctor: str, /) -> int:
    """Let a doctor take no new appointments, and sign the doctor out everywhere. Appointments that exist stay.

    Parameters
    ----------
    doctor
        The id or the e-mail address.

    """
    async with _store() as records:
        account = await _found(records, doctor)
        if account is None:
            return 1
        left = await disable(records, account.id, timekeeper(load()))
    if isinstance(left, Refused):
        _say(left.detail, sys.stderr)
        return 1
    _say(f"{account.name} takes no new appointments and is signed out everywhere (log-ins ended: {left.log_ins}).")
    _say(f"Appointments to come, which stay booked: {len(left.ahead)}.")
    for appointment in left.ahead[:_SHOWN]:
        _say(f"  {rfc3339(appointment.start)}  {appointment.id}  {appointment.status.value}")
    if len(left.ahead) > _SHOWN:
        _say(f"  and {len(left.ahead) - _SHOWN} more")
    return 0


@app.command(name="enable")
async def enable_doctor(doctor: str, /) -> int:
    """Let a disabled doctor take appointments and log in again.

    Parameters
    ----------
    doctor
        The id or the e-mail address.

    """
    async with _store() as records:
        account = await _found(records, doctor)
        if account is None:
            return 1
        refused = await enable(records, account.id, timekeeper(load()))
    if refused:
        _say(refused.detail, sys.stderr)
        return 1
    _say(f"{account.name} takes appointments and can log in again.")
    return 0


async def _found(records: Records, doctor: str) -> Account | None:
    """Return the account of the doctor with this id or e-mail address; None, and say so, when there is none."""
    account = await records.users.by_id(doctor) or await records.users.by_email(doctor.lower())
    if account is None or account.role != "doctor":
        _say(f"There is no doctor with the id or e-mail address {doctor!r}; see `clinic-hub doctor list`.", sys.stderr)
        return None
    return account


@asynccontextmanager
async def _store() -> AsyncIterator[Records]:
    async with located_database(load()) as url:
        records = connect(url)
        try:
            await records.prepare()
            yield records
        finally:
            await records.close()


def _say(line: str, where: TextIO | None = None) -> None:
    print(line, file=where, flush=True)  # a command line speaks
