"""The real hub as processes on loopback, for tests that start, kill and pause its parts.

    async with Stack(tmp_path) as stack:
        await stack.start(agents=2)
        await stack.kill(stack.agents[0])
        ...  # stack.base_url(), stack.settings.mongodb_url

Everything lives in the folder it is given and ends with this process, even when that gets kill -9.
"""

import asyncio
import os
import shutil
import signal
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from hub.ops.local.broker import Kind, broker, broker_settings
from hub.ops.local.database import database, mongodb_url
from hub.ops.local.engines import start_engine
from hub.ops.local.kafka.fetch import fetch
from hub.ops.local.ports import free_port
from hub.ops.local.process import Process, Program
from hub.ops.local.services import agents, api, base_url
from hub.ops.local.twilio_stub import program as twilio_stub
from hub.settings import Settings
from tests.shown_time import SHOWN
from tests.tools.mongo_proxy.proxy import MongoProxy
from tests.tools.mongo_proxy.rules import retryable_answers_lost
from tests.tools.secured_kafka import SecuredKafka, secured_kafka

_ROOT = Path(__file__).parents[1]

BROKER: Kind = "kafka" if os.environ.get("KAFKA") == "1" else "embedded"  # noqa: TID251  # asked of who runs the tests
"""The broker of tests that do not choose one."""

RETRYABLE = os.environ.get("RETRYABLE") == "1"  # noqa: TID251  # asked of who runs the tests
"""Whether tests run with retryable writes, of which a proxy loses every so many-th answer."""
_LOST_EVERY = 5

OPEN: list["Stack"] = []
"""The stacks of the current test and of the session. Their logs are shown when a test fails."""


class Stack:
    """A broker, a database, a Twilio stub unless Twilio is set, agents processes and api processes.

    `settings` are those that the processes get, once `start` has returned. With a `database_proxy` the processes reach
    the database through it. `secured`: the broker is Apache Kafka with TLS, log-in and rights. The api and the agents
    have users of their own there, and `settings` are those of the api. Replies go to the sockets of the api processes
    (`hub.bus.reply_sockets`), or over the broker only: on Apache Kafka, unless `reply_sockets` says otherwise.
    """

    def __init__(
        self,
        directory: Path,
        broker: Kind = BROKER,
        *,
        with_database_proxy: bool = RETRYABLE,
        secured: bool = False,
        reply_sockets: bool | None = None,
        **settings: object,
    ) -> None:
        defaults: dict[str, object] = {
            **SHOWN,
            "data_dir": directory,
            "bcrypt_rounds": 4,
            "access_token_minutes": 24 * 60,  # by the hub's clock: where it is fast, a quarter of an hour is soon over
            "signups_per_hour": 1_000_000,
            "signups_per_hour_per_address": 1_000_000,  # all clients of a test come from one
            "writes_per_minute": 1_000_000,
            "writes_per_minute_per_address": 1_000_000,
            "logins_per_minute": 1_000_000,
            "logins_per_minute_per_address": 1_000_000,
            "reads_per_minute": 1_000_000,
            "visitor_reads_per_minute_per_address": 1_000_000,
            "active_appointments_per_patient": 0,  # few patients book much, except where the limit is tested
        }
        # Made without looking at the environment or a `.env`: what a developer has set there is not for tests.
        self.settings = Settings.model_construct(None, **{**defaults, **settings})
        self.agents: list[Process] = []
        self.apis: list[Process] = []
        self.engines: dict[str, Process] = {}
        self.closed = False
        self._directory = directory
        self.broker_kind = broker
        assert broker == "kafka" or not secured
        self._phones: list[Process] = []
        self._first_api_port = free_port()  # known before the first api runs: the others tell Twilio where it is
        self._everything: list[Process] = []
        self._ended: set[Process] = set()
        self.database_proxy: MongoProxy | None = None
        self._with_database_proxy = with_database_proxy
        self._is_secured = secured
        self._reply_sockets = broker == "embedded" if reply_sockets is None else reply_sockets
        self.secured: SecuredKafka | None = None
        self._opened = ExitStack()
        OPEN.append(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def database(self) -> Process:
        return self.engines["database"]

    @property
    def broker(self) -> Process:
        return self.engines["broker"]

    @property
    def phones(self) -> Process:
        """The Twilio stub."""
        return self._phones[0]

    async def start(self, agents: int = 1, apis: int = 1) -> None:
        """Start the engines and these numbers of processes. Returns when all are ready."""
        await self.start_engines()
        await self.start_phones()
        for _ in range(agents):
            await self.add_agents()
        for _ in range(apis):
            await self.add_api()

    async def start_engines(self) -> None:
        """Start a broker, and a database unless the settings name one."""
        if self.settings.mongodb_url is None:
            folder = self._directory / "mongo"
            store = await start_engine(lambda port: database(port, folder), None, self._process)
            self.engines["database"] = store
            url = self._through_proxy(store.port) if self._with_database_proxy else mongodb_url(store.port)
            self.settings = self.settings.model_copy(update={"mongodb_url": url})
        kind, kept = self.broker_kind, self._directory / "kafka"
        if kind == "kafka":
            await fetch(print)
        if self._is_secured:
            await self._start_secured_broker()
            return
        bus = await start_engine(lambda port: broker(kind, port, kept), None, self._process)
        self.engines["broker"] = bus
        self.settings = self.settings.model_copy(update=broker_settings(kind, bus.port))

    async def _start_secured_broker(self) -> None:
        """Start Apache Kafka with TLS, log-in and rights, and create the users of the hub."""
        secured = self.secured = secured_kafka(self._directory)
        bus = self.engines["broker"] = await start_engine(secured.program, None, self._process)
        await secured.create_users()
        # What `empty_broker` leaves: a broker that lost its topics, and whose users were set up again.
        shutil.copytree(self._directory / "kafka", self._directory / "kafka-with-users")
        self.settings = self.settings.model_copy(update=secured.settings_of("clinic-api", bus.port))

    def _through_proxy(self, port: int) -> str:
        proxy = self.database_proxy = self._opened.enter_context(MongoProxy("127.0.0.1", port))
        if RETRYABLE:
            self._opened.enter_context(proxy.rule(retryable_answers_lost(_LOST_EVERY)))
        return proxy.url("clinic", f"retryWrites={'true' if RETRYABLE else 'false'}&serverMonitoringMode=poll")

    async def start_phones(self) -> None:
        public = self.settings.public_url or base_url(self.settings.host, self._first_api_port)
        self.settings = self.settings.model_copy(update={"public_url": public})
        if twilio_stub.is_needed(self.settings):
            port = free_port()
            self.settings = self.settings.model_copy(update=twilio_stub.account(port))
            await self._add(twilio_stub.twilio_stub(self.settings, port), None, self._phones)

    async def add_agents(self, module: str = "agents", environment: Mapping[str, str] | None = None) -> Process:
        """Start an agents process, or `python -m module` instead. Returns it when it has its partitions."""
        settings = self.settings
        if self.secured:
            settings = settings.model_copy(update=self.secured.settings_of("clinic-agents", self.broker.port))
        if not self._reply_sockets:
            settings = settings.model_copy(update={"data_dir": self._directory / "of-agents"})
        program = agents(settings, f"agents-{len(self.agents) + 1}", module)
        return await self._add(program, environment, self.agents)

    async def add_api(self, module: str = "api", environment: Mapping[str, str] | None = None) -> Process:
        """Start an api process, or `python -m module` instead. Returns it when it is ready."""
        port = free_port() if self.apis else self._first_api_port
        program = api(self.settings, port, f"api-{len(self.apis) + 1}", module)
        return await self._add(program, environment, self.apis)

    def base_url(self, number: int = 0) -> str:
        """Return the address of an api process, http://127.0.0.1:PORT."""
        return base_url(self.settings.host, self.apis[number].port)

    async def kill(self, process: Process) -> None:
        """Kill a process with SIGKILL, and wait until it is gone."""
        self._ended.add(process)
        await process.kill()

    async def end(self, process: Process, patience: float = 20.0) -> None:
        """End a process with SIGTERM, as an operator does."""
        self._ended.add(process)
        await process.stop(patience)

    async def restart(self, process: Process) -> None:
        """Restart a process on the same port and with the same data. Kills it first if it runs.

        The embedded broker has no data.
        """
        if process.alive:
            await self.kill(process)
        await process.start_and_wait()
        self._ended.discard(process)

    def empty_broker(self) -> None:
        """Delete the data of the broker, which must not be running."""
        assert not self.broker.alive
        shutil.rmtree(self._directory / "kafka", ignore_errors=True)
        if self.secured:
            shutil.copytree(self._directory / "kafka-with-users", self._directory / "kafka")

    async def pause(self, process: Process) -> None:
        """Stop a process with SIGSTOP, with its sockets open. It is stopped on return."""
        process.signal(signal.SIGSTOP)
        await until(lambda: _state(process.pid) == "T", "the process is paused")

    async def resume(self, process: Process) -> None:
        """Resume a stopped process."""
        process.signal(signal.SIGCONT)
        await until(lambda: _state(process.pid) != "T", "the process goes on")

    async def close(self) -> None:
        """End everything. Fails if a process had ended by itself, which no test intends."""
        self.closed = True
        wanted = (*self.engines.values(), *self._phones, *self.agents, *self.apis)
        died = [process.death_report() for process in wanted if not process.alive and process not in self._ended]
        for process in self._everything:
            process.signal(signal.SIGCONT)
        await asyncio.gather(*(process.stop(grace=5.0) for process in (*self.apis, *self.agents)))
        await asyncio.gather(*(process.kill() for process in self._everything if process.alive))
        self._opened.close()
        assert not died, "\n".join(died)

    def logs(self, lines: int = 60) -> dict[str, str]:
        """Return the last lines of each process's log, by its name."""
        files = sorted((self._directory / "logs").glob("*.log"))
        return {file.stem: "\n".join(file.read_text(errors="replace").splitlines()[-lines:]) for file in files}

    async def _add(self, program: Program, environment: Mapping[str, str] | None, group: list[Process]) -> Process:
        of_tests = {"PYTHONPATH": str(_ROOT)}  # for modules of tests; the current folder is another one
        process = self._process(
            replace(program, environment={**(program.environment or {}), **of_tests, **(environment or {})})
        )
        await process.start_and_wait()
        group.append(process)
        return process

    def _process(self, program: Program) -> Process:
        process = Process(program, self._directory / "logs", directory=self._directory)
        self._everything.append(process)
        return process


async def until(condition: Callable[[], bool], what: str, within: float = 10.0) -> None:
    """Wait until the condition holds. Fails with `what` after `within` seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while not condition():
        assert loop.time() < deadline, f"not within {within:g} s: {what}"
        await asyncio.sleep(0.02)


def is_gone(pid: int) -> bool:
    """Whether the process has ended, even if it is not reaped yet."""
    state = _state(pid)
    # The first thread may have ended while other threads still hold files open.
    return not state or (state in {"Z", "X"} and len(_listed(f"/proc/{pid}/task")) <= 1)


def _state(pid: int) -> str:
    """Return the kernel's state letter of the process, or an empty string if there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return stat.rpartition(")")[2].split()[0]


def _listed(folder: str) -> list[Path]:
    try:
        return list(Path(folder).iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return []
