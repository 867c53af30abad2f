"""`clinic-hub run` as a process: up, watched, and gone without a trace. Agents and api are stand-ins."""

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from hub.embedded.claim import Running, running_on
from hub.embedded.leash import leashed
from hub.embedded.run import keep_previous_logs
from hub.settings import Settings, child_environment
from tests.stack import is_gone, until

STANDINS = Path(__file__).parent / "standins"
CLINIC_HUB = str(Path(sys.executable).with_name("clinic-hub"))
WHOLE_HUB = {"database", "broker", "agents", "api"}


@dataclass
class Hub:
    """A run that a test started, in a group of its own as under a terminal."""

    process: asyncio.subprocess.Process
    data: Path

    @property
    def running(self) -> Running | None:
        return running_on(self.data)

    def children(self) -> dict[str, int]:
        """Return the pids of the processes of the run, by what they are."""
        if (running := self.running) is None:
            return {}
        run = running.pid
        listed = [int(pid) for pid in Path(f"/proc/{run}/task/{run}/children").read_text().split()]
        named = {_what(pid): pid for pid in listed if not is_gone(pid)}
        return {name: pid for name, pid in named.items() if name is not None}  # without what is not yet itself

    async def end(self) -> tuple[int, str]:
        """Return the exit code and all output of the run that is about to end."""
        out, _ = await asyncio.wait_for(self.process.communicate(), 30)
        return self.process.returncode or 0, out.decode()


StartHub = Callable[..., Awaitable[Hub]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[StartHub]:
    started: list[asyncio.subprocess.Process] = []

    async def start_hub(*options: str, environment: Mapping[str, str] | None = None, ready: bool = True) -> Hub:
        settings = Settings.model_construct(None, data_dir=tmp_path / "data", port=0)
        # The stand-ins are found first because `python -m` looks in the current folder first.
        process = await asyncio.create_subprocess_exec(
            *leashed([CLINIC_HUB, "run", "--no-seed", *options]),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=STANDINS,
            env={**child_environment(settings), **(environment or {})},
        )
        started.append(process)
        hub = Hub(process, tmp_path / "data")
        if ready:
            await until(
                lambda: process.returncode is not None or bool(hub.running and hub.running.urls), "it is up", 30
            )
            assert process.returncode is None, await hub.end()
        return hub

    yield start_hub
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def test_a_run_brings_up_everything_and_says_where_it_is(start: StartHub) -> None:
    hub = await start("--agents", "2", "--apis", "2")
    assert len(hub.running.urls) == 2
    async with aiohttp.ClientSession() as client:
        for url in hub.running.urls:
            async with client.get(f"{url}/health/ready") as answer:
                assert answer.status == 200
    urls = hub.running.urls
    hub.process.terminate()
    code, said = await hub.end()
    assert code == 0
    assert "Clinic Hub is ready" in said
    assert all(url in said for url in urls)
    logs = {path.name for path in (hub.data / "logs").iterdir()}
    assert logs == {f"{name}.log" for name in ("agents-1", "agents-2", "api-1", "api-2", "broker", "database")}


@pytest.mark.parametrize(("stop", "expected"), [(signal.SIGTERM, 0), (signal.SIGINT, 130), (signal.SIGHUP, 0)])
async def test_a_run_that_is_asked_to_stop_leaves_no_child(
    start: StartHub, stop: signal.Signals, expected: int
) -> None:
    hub = await start()
    children = hub.children()
    assert children.keys() == WHOLE_HUB
    hub.process.send_signal(stop)
    code, _ = await hub.end()
    assert code == expected
    assert all(is_gone(pid) for pid in children.values())
    assert hub.running is None


async def test_a_run_that_is_asked_to_stop_while_it_starts_leaves_no_child(start: StartHub) -> None:
    hub = await start(ready=False)
    await until(lambda: "database" in hub.children(), "the database has been started", 30)
    children = hub.children()
    hub.process.terminate()
    code, said = await hub.end()
    assert code == 0
    assert "ready" not in said
    assert all(is_gone(pid) for pid in children.values())


async def test_kill_9_of_a_run_leaves_no_child_and_its_folder_is_free_again(start: StartHub) -> None:
    hub = await start()
    children = hub.children()
    assert children.keys() == WHOLE_HUB
    hub.process.kill()
    await until(lambda: all(is_gone(pid) for pid in children.values()), "its processes are gone")
    again = await start()
    assert again.running.pid == again.process.pid


async def test_a_run_ends_with_make_when_make_is_killed(tmp_path: Path) -> None:
    settings = Settings.model_construct(None, data_dir=tmp_path / "data", port=0)
    shell = f"{CLINIC_HUB} run --no-seed --die-with-parent $$; true"  # `true`: else the shell becomes the run
    make = await asyncio.create_subprocess_exec(
        *leashed(["sh", "-c", shell]),
        cwd=STANDINS,
        env=child_environment(settings),
        stdout=asyncio.subprocess.DEVNULL,
    )
    await until(lambda: bool((running := running_on(tmp_path / "data")) and running.urls), "it is up", 30)
    hub = Hub(make, tmp_path / "data")
    run, children = hub.running.pid, hub.children()
    make.kill()
    await make.wait()
    await until(lambda: is_gone(run) and all(is_gone(pid) for pid in children.values()), "everything is gone", 30)


async def test_a_second_run_on_the_same_folder_is_refused(start: StartHub) -> None:
    first = await start()
    second = await start(ready=False)
    code, said = await second.end()
    assert code == 1
    assert re.fullmatch(rf"clinic-hub: DATA_DIR {first.data} is in use by pid {first.process.pid}.*\n", said)


@pytest.mark.parametrize("victim", sorted(WHOLE_HUB))
async def test_one_process_that_dies_is_told_and_started_again(start: StartHub, victim: str) -> None:
    hub = await start()
    pid = hub.children()[victim]
    os.kill(pid, signal.SIGKILL)
    await until(lambda: hub.children().get(victim, pid) != pid, "it was started again")
    hub.process.terminate()
    code, said = await hub.end()
    assert code == 0
    assert f"{victim} (pid {pid}) was killed by SIGKILL and was started again" in said


@pytest.mark.parametrize("victim", sorted(WHOLE_HUB))
async def test_without_healing_the_first_death_ends_the_run_and_is_named(start: StartHub, victim: str) -> None:
    hub = await start("--no-restart")
    children = hub.children()
    os.kill(children[victim], signal.SIGKILL)
    code, said = await hub.end()
    assert code == 1
    assert f"clinic-hub: {victim} (pid {children[victim]}) was killed by SIGKILL; the end of {hub.data}/logs" in said
    assert all(is_gone(pid) for pid in children.values())


async def test_a_taken_port_is_named_before_anything_is_started(start: StartHub, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        hub = await start(environment={"PORT": str(port)}, ready=False)
        assert await hub.end() == (
            1,
            f"clinic-hub: port {port} is taken: set PORT to another one, or to 0 for any free one\n",
        )
    assert not (tmp_path / "data").exists()


async def test_settings_that_make_no_sense_are_named_without_the_secret(start: StartHub) -> None:
    bad = {"PORT": "many", "CLINIC_ENV": "production", "JWT_SECRET_KEY": "hunter2"}
    code, said = await (await start(environment=bad, ready=False)).end()
    assert code == 1
    assert "PORT: " in said
    assert "hunter2" not in said
    code, said = await (await start(environment={**bad, "PORT": "8000"}, ready=False)).end()
    assert code == 1
    assert "JWT_SECRET_KEY needs at least 32 unpredictable bytes" in said
    assert "hunter2" not in said


async def test_the_processes_get_the_engines_that_were_set_and_none_are_started(start: StartHub) -> None:
    elsewhere = {"MONGODB_URL": "mongodb://db.example/clinic", "KAFKA_BOOTSTRAP_SERVERS": "kafka.example:9092"}
    hub = await start(environment=elsewhere)
    children = hub.children()
    assert children.keys() == {"agents", "api"}
    assert {f"{name}={value}" for name, value in elsewhere.items()} <= _environment(children["api"])
    assert hub.running.mongodb_url is None


def test_the_logs_of_the_run_before_are_kept(tmp_path: Path) -> None:
    (tmp_path / "api.log").write_text("first")
    keep_previous_logs(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["api.log.1"]
    (tmp_path / "api.log").write_text("second")
    keep_previous_logs(tmp_path)
    assert (tmp_path / "api.log.1").read_text() == "second"


def _environment(pid: int) -> set[str]:
    return set(Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0"))


def _what(pid: int) -> str | None:
    command = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    names = {"secantusd-py": "database", "broker": "broker", "agents": "agents", "api": "api"}
    return next((what for word, what in names.items() if any(word == Path(part).name for part in command)), None)
