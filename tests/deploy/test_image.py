"""The steps of the Dockerfile, in a virtual environment of their own: what they install runs."""

import asyncio
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from hub.ops.local.data_dir_lock import find_run
from hub.settings import Settings, child_environment
from tests.deploy.locks import ENGINES, PRODUCTION, ROOT, pins
from tests.stack import Stack, until

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Image:
    """What the image holds, and an empty folder to run it in."""

    bin: Path
    folder: Path

    def environment(self, settings: Settings | None = None, **more: str) -> dict[str, str]:
        """Return the environment of a process that gets these settings, as one on this image would."""
        given = child_environment(settings) if settings else {}
        return {**given, **more, "PATH": f"{self.bin}:/usr/bin:/bin"}

    async def run(self, *command: str, environment: Mapping[str, str]) -> tuple[int, str]:
        """Return the exit code and the output of a command of the image."""
        process = await asyncio.create_subprocess_exec(
            self.bin / command[0],
            *command[1:],
            cwd=self.folder,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await asyncio.wait_for(process.communicate(), 120)
        return process.returncode or 0, out.decode()


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    folder = tmp_path_factory.mktemp("image")
    build = re.split(r"^FROM ", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)[1]
    source, venv, empty = folder / "src", folder / "venv", folder / "empty"
    source.mkdir()
    empty.mkdir()
    for step, argument in re.findall(r"^(COPY|RUN) (.+)$", build, re.MULTILINE):
        words = shlex.split(argument)
        if step == "COPY":
            for name in words[:-1]:
                _copy(ROOT / name, source / name)
            continue
        words = [word.replace("/venv", str(venv)) if word.startswith("/venv") else word for word in words]
        words[0] = sys.executable if words[0] == "python" else words[0]
        subprocess.run(words, cwd=source, check=True)
    shutil.rmtree(source)  # it has to run from what is installed
    return Image(venv / "bin", empty)


@pytest.fixture
async def engines(tmp_path: Path) -> AsyncIterator[Settings]:
    """A broker and a database beside the image; the settings that lead there."""
    async with Stack(tmp_path) as stack:
        await stack.start_engines()
        yield stack.settings.model_copy(update={"port": 0})


async def test_it_holds_what_production_needs_and_no_embedded_engine(image: Image) -> None:
    code, listed = await image.run("pip", "list", "--format=freeze", environment=image.environment())
    assert code == 0
    installed = {name.lower().replace("_", "-") for name in re.findall(r"^([\w.-]+)==", listed, re.MULTILINE)}
    assert {"clinic-hub"} <= installed <= {*pins(PRODUCTION), "clinic-hub", "pip", "setuptools"}
    assert ENGINES & installed == set()


@pytest.mark.parametrize("process", ["api", "agents"])
async def test_both_processes_start(image: Image, process: str) -> None:
    environment = image.environment(MONGODB_URL="mongodb://127.0.0.1:1/clinic")
    code, said = await image.run("python", "-m", process, environment=environment)
    assert code != 0
    assert "KAFKA_BOOTSTRAP_SERVERS: not set" in said


@pytest.mark.parametrize("command", [("run",), ("seed",), ("doctor", "list")])
async def test_what_would_start_an_engine_says_that_none_is_there(image: Image, command: tuple[str, ...]) -> None:
    code, said = await image.run("clinic-hub", *command, environment=image.environment())
    assert code == 1
    last = said.splitlines()[-1]
    assert last.startswith("clinic-hub: the embedded database is not installed: set MONGODB_URL to a database of yours")


async def test_every_command_works_with_a_database_and_a_broker_from_elsewhere(image: Image, engines: Settings) -> None:
    environment = image.environment(engines)
    hub = await asyncio.create_subprocess_exec(
        image.bin / "clinic-hub", "run", cwd=image.folder, env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        await until(lambda: (there := find_run(engines.data_dir)) is not None and bool(there.urls), "it is up", 90)
        said = {}
        for command in ("check", "seed", "doctor list", "demo"):
            code, said[command] = await image.run("clinic-hub", *command.split(), environment=environment)
            assert code == 0, said[command]
        assert "has users already" in said["seed"]
        assert "doctor1@clinic.test" in said["doctor list"]
        assert "Every acknowledged change is in the record" in said["demo"]
    finally:
        hub.terminate()
        await hub.wait()


def _copy(what: Path, where: Path) -> None:
    if what.is_dir():
        shutil.copytree(what, where, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(what, where)
