"""The steps of the Dockerfile, in a virtual environment of their own: what they install runs."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def test_what_the_image_installs_starts_both_processes(tmp_path: Path) -> None:
    build = re.split(r"^FROM ", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)[1]
    source, venv = tmp_path / "src", tmp_path / "venv"
    source.mkdir()
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
    for process in ("api", "agents"):
        assert "KAFKA_BOOTSTRAP_SERVERS: not set" in _said_by(venv, process, tmp_path)


def _copy(what: Path, where: Path) -> None:
    if what.is_dir():
        shutil.copytree(what, where, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(what, where)


def _said_by(venv: Path, process: str, folder: Path) -> str:
    """Return what a process says that is given a database and no broker."""
    environment = {"PATH": os.environ["PATH"], "MONGODB_URL": "mongodb://127.0.0.1:1/clinic"}  # noqa: TID251
    ran = subprocess.run(
        [venv / "bin" / "python", "-m", process],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode != 0
    return ran.stdout + ran.stderr
