"""Runs the whole hub on one machine: the engines that the settings do not name, agents and api, under supervision."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hub.bus.reply_sockets import sockets_in
from hub.ops.local.broker import Kind, broker, broker_settings
from hub.ops.local.data_dir_lock import DataDirLock, RunInfo, locked_data_dir
from hub.ops.local.database import database, mongodb_url
from hub.ops.local.engines import start_engine
from hub.ops.local.kafka.fetch import fetch
from hub.ops.local.ports import PortTaken, free_port, is_free
from hub.ops.local.process import Process, Program
from hub.ops.local.services import agents, api, base_url
from hub.ops.local.stopping import first_stop_signal, until_stopped
from hub.ops.local.supervision import supervise
from hub.ops.local.twilio_stub import program as twilio_stub
from hub.settings import Settings, as_text

Say = Callable[[str], None]
Prepare = Callable[[Settings], Awaitable[Sequence[str]]]

_STOP_TIMEOUT = 28.0
"""Seconds that a process has to finish its work before it is killed; the api takes up to 25."""


@dataclass(frozen=True)
class Plan:
    """How many processes of each kind, which engines on which ports (None: a free one), and whether to restart."""

    agents: int = 1
    apis: int = 1
    broker: Kind = "embedded"
    broker_port: int | None = None
    database_port: int | None = None
    restart: bool = True


async def run(settings: Settings, plan: Plan, prepare: Prepare, say: Say) -> int:
    """Run the hub until a signal stops it; return the exit code: 130 after Ctrl-C, else 0.

    `prepare` is awaited when the engines are ready and before agents and api start. It gets the settings of these
    processes, and the lines it returns are shown with the addresses. `say` is called with each line for the operator.
    Raises `DataDirTaken`, `PortTaken`, `EngineMissing`, `KafkaMissing`, `StartFailed`, or `GaveUp` when a process keeps
    dying. No process is left running then.
    """
    ports = _api_ports(settings, plan.apis)
    async with locked_data_dir(settings.data_dir) as lock:
        keep_previous_logs(logs_in(settings))
        for left in sockets_in(settings.data_dir).glob("*.sock"):  # by processes that were killed
            left.unlink()
        hub = _Hub(settings, plan, ports, lock, say)
        stop = first_stop_signal(on_repeat=hub.kill)
        try:
            return await until_stopped(hub.work(prepare), stop)
        finally:
            await hub.stop()


def logs_in(settings: Settings) -> Path:
    """Return the folder for the logs of a run's processes."""
    return settings.data_dir / "logs"


def keep_previous_logs(logs: Path) -> None:
    """Rename the logs of the previous run to `.log.1`, which replaces the logs of the run before it."""
    for log in logs.glob("*.log"):
        log.replace(log.with_suffix(".log.1"))


class _Hub:
    """The processes of a run, in groups in the order of their start: Twilio stub, engines, agents, apis."""

    def __init__(self, settings: Settings, plan: Plan, ports: Sequence[int], lock: DataDirLock, say: Say) -> None:
        self._settings = settings
        self._plan = plan
        self._ports = ports
        self._lock = lock
        self._say = say
        self._started: dict[str, str] = {}
        self._engines: list[Process] = []
        self._twilio_stubs: list[Process] = []
        self._agents: list[Process] = []
        self._apis: list[Process] = []

    async def work(self, prepare: Prepare) -> None:
        """Start all processes, then supervise them. Ends only with an exception."""
        try:
            async with asyncio.TaskGroup() as watch:
                await self._start_twilio_stub()
                await self._start_engines(watch)
                notes = await prepare(self._settings)
                await self._start_services(watch)
                self._say_ready(notes)
        except ExceptionGroup as group:
            raise _first(group) from None  # the first failure ends the run; the others follow from it

    async def stop(self) -> None:
        """Stop all processes, each group before the groups it depends on."""
        for group in (self._apis, self._agents, self._twilio_stubs, self._engines):
            await asyncio.gather(*(process.stop(_STOP_TIMEOUT) for process in group))

    def kill(self) -> None:
        """Kill all processes at once."""
        for process in (*self._apis, *self._agents, *self._twilio_stubs, *self._engines):
            process.signal(signal.SIGKILL)

    async def _start_twilio_stub(self) -> None:
        """Set PUBLIC_URL if it is missing, and start the Twilio stub if no Twilio account is set.

        Does not wait until the stub is ready: it needs no engine, and starts while the engines do.
        """
        public = self._settings.public_url or self._urls()[0]
        self._settings = self._settings.model_copy(update={"public_url": public})
        if twilio_stub.is_needed(self._settings):
            port = free_port()
            self._set(twilio_stub.account(port))
            await self._enlist_in(self._twilio_stubs)(twilio_stub.twilio_stub(self._settings, port)).start()

    async def _start_engines(self, watch: asyncio.TaskGroup) -> None:
        """Start the engines that the settings do not name, both at once; return when they are ready."""
        plan, settings, enlist = self._plan, self._settings, self._enlist_in(self._engines)
        mongo, kafka = settings.data_dir / "mongo", settings.data_dir / "kafka"
        if settings.kafka_bootstrap_servers is None and plan.broker == "kafka":
            await fetch(self._say)
        store = bus = None
        async with asyncio.TaskGroup() as starting:
            if settings.mongodb_url is None:
                store = starting.create_task(
                    start_engine(lambda port: database(port, mongo), plan.database_port, enlist)
                )
            if settings.kafka_bootstrap_servers is None:
                bus = starting.create_task(
                    start_engine(lambda port: broker(plan.broker, port, kafka), plan.broker_port, enlist)
                )
        if store:
            self._watch(store.result(), watch)
            self._settings = self._settings.model_copy(update={"mongodb_url": mongodb_url(store.result().port)})
        if bus:
            self._watch(bus.result(), watch)
            self._set(broker_settings(plan.broker, bus.result().port))
        self._publish()

    async def _start_services(self, watch: asyncio.TaskGroup) -> None:
        """Start agents and api; return when they and the Twilio stub are ready."""
        settings, plan = self._settings, self._plan
        for number, name in enumerate(_numbered("agents", plan.agents)):
            metrics = None if settings.metrics_port is None else settings.metrics_port + number
            self._enlist_in(self._agents)(agents(settings.model_copy(update={"metrics_port": metrics}), name))
        for name, port in zip(_numbered("api", plan.apis), self._ports, strict=True):
            self._enlist_in(self._apis)(api(settings, port, name))
        for process in (*self._agents, *self._apis):
            await process.start()
        for process in (*self._twilio_stubs, *self._agents, *self._apis):
            await process.wait_until_ready()
            self._watch(process, watch)
        self._publish(self._urls())

    def _set(self, started: Mapping[str, object]) -> None:
        """Use the settings of a service that this run starts, and publish them with the next `_publish`."""
        self._settings = self._settings.model_copy(update=dict(started))
        self._started |= {name: as_text(value) for name, value in started.items()}

    def _enlist_in(self, group: list[Process]) -> Callable[[Program], Process]:
        def process_of(program: Program) -> Process:
            process = Process(program, logs_in(self._settings), inherited=(self._lock.descriptor,))
            group.append(process)
            where = f" on 127.0.0.1:{program.port}" if program.port else ""
            self._say(f"Starting {program.name}{where}, log {process.log}")
            return process

        return process_of

    def _watch(self, process: Process, watch: asyncio.TaskGroup) -> None:
        watch.create_task(supervise(process, self._say, restart=self._plan.restart))

    def _publish(self, urls: tuple[str, ...] = ()) -> None:
        embedded = any(process.program.name == "database" for process in self._engines)
        self._lock.publish(
            RunInfo(
                pid=os.getpid(),
                urls=urls,
                mongodb_url=self._settings.mongodb_url if embedded else None,
                settings=self._started,
            )
        )

    def _urls(self) -> tuple[str, ...]:
        return tuple(base_url(self._settings.host, port) for port in self._ports)

    def _say_ready(self, notes: Sequence[str]) -> None:
        self._say("Clinic Hub is ready; Ctrl-C stops it.")
        for url in self._urls():
            self._say(f"  pages     {url}   for patients and staff: book, sign in")
            self._say(f"  api       {url}   documentation {url}/docs")
        for process in self._engines:
            self._say(f"  {process.program.name:9} 127.0.0.1:{process.port}")
        for process in self._twilio_stubs:
            self._say(f"  texts     {twilio_stub.page_url(process.port)}   simulated Twilio: shows every text message")
        self._say(f"  logs      {logs_in(self._settings)}")
        for note in notes:
            self._say(f"  {note}")


def _first(group: ExceptionGroup[Exception]) -> Exception:
    """Return the first exception, also when it is in a group in the group."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first


def _numbered(name: str, how_many: int) -> list[str]:
    return [name] if how_many == 1 else [f"{name}-{number}" for number in range(1, how_many + 1)]


def _api_ports(settings: Settings, how_many: int) -> list[int]:
    """Return a port for each api process: consecutive ports from PORT, or free ports when PORT is 0."""
    if settings.port == 0:
        return [free_port() for _ in range(how_many)]
    ports = [settings.port + number for number in range(how_many)]
    for port in ports:
        if not is_free(port, settings.host):
            raise PortTaken(f"port {port} is taken: set PORT to another one, or to 0 for any free one")
    return ports
