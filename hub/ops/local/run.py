"""The whole hub on one machine: engines where none are set, agents and api, watched until somebody stops it."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hub.ops.local.broker import Kind, broker, broker_settings
from hub.ops.local.data_dir_lock import Claim, Running, claimed
from hub.ops.local.database import database, mongodb_url
from hub.ops.local.engines import start_engine
from hub.ops.local.kafka.fetch import fetch
from hub.ops.local.ports import PortTaken, free_port, is_free
from hub.ops.local.process import Process, Program
from hub.ops.local.services import agents, api, base_url
from hub.ops.local.stopping import first_signal, until_stopped
from hub.ops.local.supervision import kept_alive
from hub.ops.local.twilio_stub import program as stand_in
from hub.settings import Settings

Say = Callable[[str], None]
Prepare = Callable[[Settings], Awaitable[Sequence[str]]]

_PATIENCE = 28.0
"""Seconds that a process gets to finish what it has begun before it is killed; the api takes up to 25."""


@dataclass(frozen=True)
class Plan:
    """How many of each, the engines and their ports (None: free ones), and whether a dead process is started again."""

    agents: int = 1
    apis: int = 1
    broker: Kind = "embedded"
    broker_port: int | None = None
    database_port: int | None = None
    heal: bool = True


async def run(settings: Settings, plan: Plan, prepare: Prepare, say: Say) -> int:
    """Run the hub until a signal stops it; return the exit code: 130 after Ctrl-C, else 0.

    `prepare` is awaited with the settings that the other processes get, when the engines work and before anything
    else runs; the lines it returns are said with the addresses. `say` is told the lines that a person should read.
    Raises `DataDirTaken`, `PortTaken`, `KafkaMissing`, `StartFailed`, or `GaveUp` when a process cannot be kept alive;
    nothing is left running then.
    """
    ports = _api_ports(settings, plan.apis)
    async with claimed(settings.data_dir) as claim:
        keep_previous_logs(logs_in(settings))
        hub = _Hub(settings, plan, ports, claim, say)
        asked = first_signal(then=hub.kill)
        try:
            return await until_stopped(hub.work(prepare), asked)
        finally:
            await hub.stop()


def logs_in(settings: Settings) -> Path:
    """Return the folder with the logs of the processes of a run."""
    return settings.data_dir / "logs"


def keep_previous_logs(logs: Path) -> None:
    """Move the logs of the run before this one out of the way; those of the run before that are gone."""
    for log in logs.glob("*.log"):
        log.replace(log.with_suffix(".log.1"))


class _Hub:
    """The processes of a run, in groups in the order of their start: engines, phones, agents, apis."""

    def __init__(self, settings: Settings, plan: Plan, ports: Sequence[int], claim: Claim, say: Say) -> None:
        self._settings = settings
        self._plan = plan
        self._ports = ports
        self._claim = claim
        self._say = say
        self._engines: list[Process] = []
        self._phones: list[Process] = []
        self._agents: list[Process] = []
        self._apis: list[Process] = []

    async def work(self, prepare: Prepare) -> None:
        """Bring everything up, then watch over it; ends only by an exception."""
        try:
            async with asyncio.TaskGroup() as watch:
                await self._start_engines(watch)
                notes = await prepare(self._settings)
                await self._start_phones(watch)
                await self._start_services(watch)
                self._say_ready(notes)
        except ExceptionGroup as group:
            raise group.exceptions[0] from None  # the first death ends the run; what follows comes from it

    async def stop(self) -> None:
        """End all processes, those first that use the others."""
        for group in (self._apis, self._agents, self._phones, self._engines):
            await asyncio.gather(*(process.stop(_PATIENCE) for process in group))

    def kill(self) -> None:
        """End all processes at once."""
        for process in (*self._apis, *self._agents, *self._phones, *self._engines):
            process.signal(signal.SIGKILL)

    async def _start_engines(self, watch: asyncio.TaskGroup) -> None:
        plan, settings, enlist = self._plan, self._settings, self._enlist_in(self._engines)
        started: dict[str, object] = {}
        if settings.mongodb_url is None:
            folder = settings.data_dir / "mongo"
            store = await start_engine(lambda port: database(port, folder), plan.database_port, enlist)
            self._watch(store, watch)
            started |= {"mongodb_url": mongodb_url(store.port)}
        if settings.kafka_bootstrap_servers is None:
            if plan.broker == "kafka":
                await fetch(self._say)
            kept = settings.data_dir / "kafka"
            bus = await start_engine(lambda port: broker(plan.broker, port, kept), plan.broker_port, enlist)
            self._watch(bus, watch)
            started |= broker_settings(plan.broker, bus.port)
        self._settings = settings.model_copy(update=started)
        self._publish()

    async def _start_phones(self, watch: asyncio.TaskGroup) -> None:
        """Say where the api is reached, and start what takes Twilio's place when Twilio is not set."""
        public = self._settings.public_url or self._urls()[0]
        self._settings = self._settings.model_copy(update={"public_url": public})
        if stand_in.wanted(self._settings):
            port = free_port()
            self._settings = self._settings.model_copy(update=stand_in.account(port))
            phones = self._enlist_in(self._phones)(stand_in.phones(self._settings, port))
            await phones.bring_up()
            self._watch(phones, watch)

    async def _start_services(self, watch: asyncio.TaskGroup) -> None:
        settings, plan = self._settings, self._plan
        for number, name in enumerate(_numbered("agents", plan.agents)):
            metrics = None if settings.metrics_port is None else settings.metrics_port + number
            self._enlist_in(self._agents)(agents(settings.model_copy(update={"metrics_port": metrics}), name))
        for name, port in zip(_numbered("api", plan.apis), self._ports, strict=True):
            self._enlist_in(self._apis)(api(settings, port, name))
        services = [*self._agents, *self._apis]
        for process in services:
            await process.start()
        for process in services:
            await process.until_it_works()
            self._watch(process, watch)
        self._publish(self._urls())

    def _enlist_in(self, group: list[Process]) -> Callable[[Program], Process]:
        def process_of(program: Program) -> Process:
            process = Process(program, logs_in(self._settings), held=(self._claim.held,))
            group.append(process)
            return process

        return process_of

    def _watch(self, process: Process, watch: asyncio.TaskGroup) -> None:
        watch.create_task(kept_alive(process, self._say, heal=self._plan.heal))

    def _publish(self, urls: tuple[str, ...] = ()) -> None:
        ours = any(process.program.name == "database" for process in self._engines)
        self._claim.publish(
            Running(pid=os.getpid(), urls=urls, mongodb_url=self._settings.mongodb_url if ours else None)
        )

    def _urls(self) -> tuple[str, ...]:
        return tuple(base_url(self._settings.host, port) for port in self._ports)

    def _say_ready(self, notes: Sequence[str]) -> None:
        self._say("Clinic Hub is ready; Ctrl-C stops it.")
        for url in self._urls():
            self._say(f"  api       {url}   documentation {url}/docs")
        for process in self._engines:
            self._say(f"  {process.program.name:9} 127.0.0.1:{process.port}")
        for process in self._phones:
            self._say(f"  phones    {stand_in.page_url(process.port)}   every text arrives there; Twilio is not set")
        self._say(f"  logs      {logs_in(self._settings)}")
        for note in notes:
            self._say(f"  {note}")


def _numbered(name: str, how_many: int) -> list[str]:
    return [name] if how_many == 1 else [f"{name}-{number}" for number in range(1, how_many + 1)]


def _api_ports(settings: Settings, how_many: int) -> list[int]:
    """Return a port for each api process: consecutive ones from PORT, or free ones when that is 0."""
    if settings.port == 0:
        return [free_port() for _ in range(how_many)]
    ports = [settings.port + number for number in range(how_many)]
    for port in ports:
        if not is_free(port, settings.host):
            raise PortTaken(f"port {port} is taken: set PORT to another one, or to 0 for any free one")
    return ports
