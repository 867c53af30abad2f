"""`clinic-hub doctor …`: the doctors of the clinic."""

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TextIO

from cyclopts import App
from pydantic import ValidationError

from hub.accounts.hiring import NewDoctor, hire, shifts_of
from hub.clock import system_clock
from hub.embedded.reach import reached_database
from hub.records.mongo import connect
from hub.records.ports import Records
from hub.settings import load

app = App(name="doctor", help="Add and list the doctors of the clinic.")

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
    """Print the doctors by name: id, name, e-mail address, zone."""
    async with _store() as records:
        for doctor in await records.users.doctors():
            zone = doctor.calendar.zone if doctor.calendar else "-"
            closed = "  takes no appointments" if doctor.calendar and doctor.calendar.disabled else ""
            _say(f"{doctor.id}  {doctor.name}  {doctor.email}  {zone}{closed}")
    return 0


@asynccontextmanager
async def _store() -> AsyncIterator[Records]:
    async with reached_database(load()) as url:
        records = connect(url)
        try:
            await records.prepare()
            yield records
        finally:
            await records.close()


def _say(line: str, where: TextIO | None = None) -> None:
    print(line, file=where, flush=True)  # a command line speaks
