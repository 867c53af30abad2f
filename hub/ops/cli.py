"""The command line `clinic-hub`: run the hub on one machine, seed its database, check it, and run the demo."""

import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number
from rich.progress import Progress

from hub.ops import audit_commands, display_commands, doctor_commands, patient_commands, staff_commands
from hub.ops.checkup.check import check, lines
from hub.ops.demo.run import run as demo
from hub.ops.local.api_locator import located_api
from hub.ops.local.broker import Kind
from hub.ops.local.data_dir_lock import DataDirTaken, find_run
from hub.ops.local.database_locator import located_database
from hub.ops.local.engines import EngineMissing
from hub.ops.local.kafka.fetch import KafkaMissing
from hub.ops.local.kafka_only import run_kafka
from hub.ops.local.parent_death_signal import set_parent_death_signal
from hub.ops.local.ports import PortTaken
from hub.ops.local.process import StartFailed
from hub.ops.local.run import Plan, run
from hub.ops.local.supervision import GaveUp
from hub.ops.restored import restored
from hub.ops.seeding.people import doctors, patients, receptionists
from hub.ops.seeding.seed import NotSeeded, seed
from hub.records.errors import BrokenRecord, StoreUnavailable
from hub.records.mongo import connect
from hub.records.ports import Records
from hub.safety import is_local, is_loopback
from hub.settings import BadSettings, Settings, clock_settings, load, offer_policy, timekeeper

_OPERATOR_ERRORS = (
    *(BadSettings, DataDirTaken, PortTaken, EngineMissing, KafkaMissing, StartFailed, GaveUp),
    *(StoreUnavailable, BrokenRecord),
)
"""Errors that an operator can fix. Their messages are complete, so no traceback is printed."""
_REPORT = Path("seed/report.json")

app = App(name="clinic-hub", help="A real-time appointment hub for clinics.", version_flags=[])
app.command(doctor_commands.app)
app.command(staff_commands.app)
app.command(audit_commands.app)
app.command(display_commands.app)
app.command(patient_commands.app)
app.command(restored)

_Count = Annotated[int, Parameter(validator=Number(gte=1, lte=64))]
_Port = Annotated[int | None, Parameter(validator=Number(gte=1, lte=65535))]


def main() -> None:
    """Run the command line; exit 1 with a message after an error that an operator can fix."""
    try:
        sys.exit(app())
    except _OPERATOR_ERRORS as error:
        sys.exit(f"clinic-hub: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


@app.command(name="run")
async def run_hub(  # noqa: PLR0913  # one parameter for each option
    *,
    agents: _Count = 1,
    apis: _Count = 1,
    broker: Kind = "embedded",
    broker_port: _Port = None,
    database_port: _Port = None,
    restart: bool = True,
    seed: bool = True,
    clock_shows: datetime | None = None,
    clock_rate: Annotated[float, Parameter(validator=Number(gt=0, lte=10_000))] = 1.0,
    die_with_parent: int | None = None,
) -> int:
    """Run broker, database, agents and api on this machine until Ctrl-C. An empty database is seeded.

    The api listens on PORT, and the data is in DATA_DIR. If MONGODB_URL or KAFKA_BOOTSTRAP_SERVERS is set, that server
    is used instead of the embedded one.

    Parameters
    ----------
    agents
        The number of agents processes.
    apis
        The number of api processes, on consecutive ports from PORT.
    broker
        The broker to start: the embedded one, or Apache Kafka, which Maven downloads once.
    broker_port
        The port of the broker. Default: any free port.
    database_port
        The port of the embedded database. Default: any free port.
    restart
        Restart a process when it dies.
    seed
        Seed the database if it is empty and on this machine.
    clock_shows
        Start the hub's clock at this time (UTC). For experiments.
    clock_rate
        Run the hub's clock this many times as fast. For experiments.
    die_with_parent
        Stop when the parent process, which has this pid, ends.

    """
    if die_with_parent is not None:
        set_parent_death_signal(die_with_parent, signal.SIGTERM)
    plan = Plan(agents, apis, broker, broker_port, database_port, restart=restart)
    settings = load(**clock_settings(clock_shows, clock_rate))
    if settings.clinic_env == "production":
        _say("clinic-hub run is for development. In production, start `python -m agents` and `python -m api`.")
        return 1
    return await run(settings, plan, _seeded if seed else _as_it_is, _say)


@app.command(name="kafka")
async def run_broker(*, port: Annotated[int, Parameter(validator=Number(gte=1, lte=65535))] = 9092) -> int:
    """Run only Apache Kafka on this machine until Ctrl-C, with its data in DATA_DIR/kafka. Maven downloads it once.

    Parameters
    ----------
    port
        The loopback port on which it listens.

    """
    return await run_kafka(load(), port, _say)


@app.command(name="seed")
async def seed_database() -> int:
    """Fill an empty database on this machine with doctors, patients, and past and future appointments.

    Writes the log-ins and the counts to seed/report.json. A database that has users is not changed. The passwords are
    public, so a database on another machine or in production is not seeded.
    """
    settings = load()
    async with located_database(settings) as url:
        if reason := _not_to_be_seeded(settings, url):
            _say(f"{reason}: nothing was changed. The passwords of a seeded clinic are public.")
            return 1
        async with _prepared(url) as records:
            for line in [*await _fill(records, settings), *await _log_ins(records, settings)]:
                _say(line)
    return 0


@app.command(name="check")
async def check_hub() -> int:
    """Check the settings, the database and its indexes, the broker and its topics, and Twilio. Changes nothing.

    Exits 0 if everything is right, else 1.
    """
    findings = await check()
    for line in lines(findings):
        _say(line)
    return 1 if any(finding.grade == "wrong" for finding in findings) else 0


@app.command(name="demo")
async def run_demo(*, url: str | None = None) -> int:
    """Use the running hub with 200 real clients, and check every promise against its database.

    Exits 0 if all promises were kept, 1 if one was broken, 2 if the demo could not run.

    Parameters
    ----------
    url
        The address of an api process. Default: that of the run on DATA_DIR, else HOST and PORT.

    """
    settings = load()
    running = find_run(settings.data_dir)
    database = settings.mongodb_url or (running.mongodb_url if running else None)
    clock, offers = timekeeper(settings), offer_policy(settings)
    return await demo(url or located_api(settings), database, clock=clock, offers=offers)


async def _seeded(settings: Settings) -> Sequence[str]:
    """Seed the database if it is empty and on this machine; return the lines to show."""
    url = str(settings.mongodb_url)
    if reason := _not_to_be_seeded(settings, url):
        return [f"{reason}: the database was not seeded, because the passwords of a seeded clinic are public"]
    _say("Seeding the database, if it is empty")
    async with _prepared(url) as records:
        return [*await _fill(records, settings), *await _log_ins(records, settings)]


def _not_to_be_seeded(settings: Settings, url: str) -> str | None:
    """Return why this database does not get log-ins with public passwords, or None if it may."""
    if settings.clinic_env == "production":
        return "CLINIC_ENV is production"
    if not is_local(url):
        return "MONGODB_URL is on another machine"
    if not is_loopback(settings.host):
        return f"other machines reach HOST={settings.host}"
    return None


async def _as_it_is(_: Settings) -> Sequence[str]:
    return ()


@asynccontextmanager
async def _prepared(url: str) -> AsyncIterator[Records]:
    """Give the records after creating the indexes."""
    records = connect(url)
    try:
        await records.prepare()
        yield records
    finally:
        await records.close()


async def _fill(records: Records, settings: Settings) -> Sequence[str]:
    """Seed the database if it is empty, with a progress bar; return the result as lines."""
    with Progress(transient=True, disable=not sys.stdout.isatty()) as bar:
        task = bar.add_task("Seeding", total=None, visible=False)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=True)

        outcome = await seed(records, timekeeper(settings)(), show, _REPORT)
    if isinstance(outcome, NotSeeded):
        return [f"seed      {outcome.reason}"]
    patients = f"{outcome.patients} patients and {outcome.registered_patients} without a log-in"
    counts = f"{outcome.doctors} doctors, {patients}, {outcome.appointments} appointments"
    offer = [f"offer     {outcome.offered_to.email} has waited and is offered a slot"] if outcome.offered_to else []
    return [f"seed      {counts}, {outcome.waiting} on waitlists; see {_REPORT}", *offer]


async def _log_ins(records: Records, settings: Settings) -> Sequence[str]:
    """Return the first and last log-ins of the seed, if this database was seeded."""
    today = timekeeper(settings)().date()
    groups = [doctors(today), receptionists(today), patients(today)]
    return [
        f"log-ins   {people[0].email} / {people[0].password} … {people[-1].email} / {people[-1].password}"
        for people in groups
        if await records.users.by_email(people[0].email)
    ]


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # the output of the command
