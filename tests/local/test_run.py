"""`clinic-hub run` as a process: it starts, supervises and stops everything. Agents and api are stand-ins."""

import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from hub.ops.checkup.check import check
from hub.ops.local.data_dir_lock import RunInfo
from hub.ops.local.run import keep_previous_logs
from hub.settings import Settings
from tests.local.conftest import CLINIC_HUB, StartHub, environment_of
from tests.stack import is_gone, until

WHOLE_HUB = {"database", "broker", "twilio_stub", "agents", "api"}


async def test_a_run_starts_everything_and_prints_the_addresses(up: StartHub) -> None:
    hub = await up("--agents", "2", "--apis", "2")
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
    assert re.search(r"^Starting database on 127\.0\.0\.1:\d+, log .*database\.log$", said, re.MULTILINE)
    assert all(url in said for url in urls)
    logs = {path.name for path in (hub.data / "logs").iterdir()}
    assert logs == {
        f"{name}.log" for name in ("agents-1", "agents-2", "api-1", "api-2", "broker", "database", "twilio_stub")
    }


async def test_a_check_beside_a_run_checks_what_the_run_has_started(
    up: StartHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hub = await up()
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DATA_DIR", str(hub.data))
    monkeypatch.chdir(tmp_path)
    findings = await check()
    assert {finding.part for finding in findings if finding.grade == "fine"} >= {"database", "broker", "twilio"}
    wrong = [finding for finding in findings if finding.part in {"broker", "twilio"} and finding.grade == "wrong"]
    assert wrong == []
    hub.process.terminate()
    assert (await hub.end())[0] == 0


@pytest.fixture
def hears_hangups() -> Iterator[None]:
    """Reset SIGHUP: a test run under `nohup` ignores it, and the processes it starts would inherit that."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hears_hangups")
@pytest.mark.parametrize(("stop", "expected"), [(signal.SIGTERM, 0), (signal.SIGINT, 130), (signal.SIGHUP, 0)])
async def test_a_run_that_is_asked_to_stop_leaves_no_child(up: StartHub, stop: signal.Signals, expected: int) -> None:
    hub = await up()
    children = hub.children()
    assert children.keys() == WHOLE_HUB
    hub.process.send_signal(stop)
    code, _ = await hub.end()
    assert code == expected
    assert all(is_gone(pid) for pid in children.values())
    assert hub.running == RunInfo(pid=0)


async def test_a_run_that_is_asked_to_stop_while_it_starts_leaves_no_child(start: StartHub) -> None:
    hub = await start()
    await until(lambda: "database" in hub.children(), "the database has been started", 120)
    children = hub.children()
    hub.process.terminate()
    code, said = await hub.end()
    assert code == 0
    assert "ready" not in said
    assert all(is_gone(pid) for pid in children.values())


async def test_kill_9_of_a_run_leaves_no_child_and_its_folder_is_free_again(up: StartHub) -> None:
    hub = await up()
    children = hub.children()
    assert children.keys() == WHOLE_HUB
    hub.process.kill()
    await hub.process.wait()  # until it is reaped, its lock file counts as that of a live run
    await until(lambda: all(is_gone(pid) for pid in children.values()), "its processes are gone", 60)
    again = await up()
    assert again.running.pid == again.process.pid


async def test_a_run_ends_with_make_when_make_is_killed(up: StartHub) -> None:
    shell = f"{CLINIC_HUB} run --no-seed --die-with-parent $$; true"  # `true`: else the shell becomes the run
    hub = await up(command=("sh", "-c", shell))
    run, children = hub.running.pid, hub.children()
    assert run != hub.process.pid
    hub.process.kill()
    await until(lambda: is_gone(run) and all(is_gone(pid) for pid in children.values()), "everything is gone", 60)


async def test_a_second_run_on_the_same_data_dir_is_refused(start: StartHub, up: StartHub) -> None:
    first = await up()
    second = await start()
    code, said = await second.end()
    assert code == 1
    assert re.fullmatch(rf"clinic-hub: DATA_DIR {first.data} is in use by pid {first.process.pid}.*\n", said)


async def test_each_process_that_dies_is_restarted_and_reported(up: StartHub) -> None:
    hub = await up()
    before = hub.children()
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    await until(
        lambda: (now := hub.children()).keys() == WHOLE_HUB and not {*now.values()} & {*before.values()},
        "all were started again",
    )
    hub.process.terminate()
    code, said = await hub.end()
    assert code == 0
    for name, pid in before.items():
        assert f"{name} (pid {pid}) was killed by SIGKILL and was started again" in said


@pytest.mark.parametrize("victim", ["broker", "database", "agents"])
async def test_with_restart_off_the_first_death_ends_the_run_and_is_named(up: StartHub, victim: str) -> None:
    hub = await up("--no-restart")
    children = hub.children()
    os.kill(children[victim], signal.SIGKILL)
    code, said = await hub.end()
    assert code == 1
    assert f"clinic-hub: {victim} (pid {children[victim]}) was killed by SIGKILL; the end of {hub.data}/logs" in said
    assert all(is_gone(pid) for pid in children.values())


async def test_a_taken_port_is_named_before_anything_is_started(start: StartHub, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        hub = await start(environment={"PORT": str(port)})
        assert await hub.end() == (
            1,
            f"clinic-hub: port {port} is taken: set PORT to another one, or to 0 for any free one\n",
        )
    assert not (tmp_path / "data").exists()


async def test_settings_that_make_no_sense_are_named_without_the_secret(start: StartHub) -> None:
    bad = {"PORT": "many", "CLINIC_ENV": "production", "JWT_SECRET_KEY": "hunter2"}
    code, said = await (await start(environment=bad)).end()
    assert code == 1
    assert "PORT: " in said
    assert "hunter2" not in said
    code, said = await (await start(environment={**bad, "PORT": "8000"})).end()
    assert code == 1
    assert "JWT_SECRET_KEY needs at least 32 unpredictable bytes" in said
    assert "hunter2" not in said


async def test_the_processes_get_the_engines_that_were_set_and_none_are_started(up: StartHub) -> None:
    elsewhere = {"MONGODB_URL": "mongodb://db.example/clinic", "KAFKA_BOOTSTRAP_SERVERS": "kafka.example:9092"}
    hub = await up(environment={**elsewhere, "JWT_SECRET_KEY": "a key of its own"})
    children = hub.children()
    assert children.keys() == {"twilio_stub", "agents", "api"}
    assert {f"{name}={value}" for name, value in elsewhere.items()} <= environment_of(children["api"])
    assert hub.running.mongodb_url is None


def test_the_logs_of_the_run_before_are_kept(tmp_path: Path) -> None:
    (tmp_path / "api.log").write_text("first")
    keep_previous_logs(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["api.log.1"]
    (tmp_path / "api.log").write_text("second")
    keep_previous_logs(tmp_path)
    assert (tmp_path / "api.log.1").read_text() == "second"
