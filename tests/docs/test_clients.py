"""The examples of docs/clients.md, run as they stand there, but for the address of the hub."""

import asyncio
import re
import shutil
import sys
from pathlib import Path

import pytest

from hub.accounts.account import Account
from hub.accounts.passwords import hash_password
from hub.clock import system_clock
from hub.records.mongo import connect
from hub.scheduling.hours import Doctor, Shift
from tests.stack import Stack

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/clients.md").read_text()


@pytest.fixture(scope="module")
async def people(stack: Stack) -> None:
    """A doctor, and the patients of the examples as the seed makes them."""
    records = connect(stack.settings.mongodb_url)
    shifts = tuple(Shift(weekday=day, opens=9 * 60, closes=17 * 60) for day in range(5))
    doctor = _account("doctor-of-examples", "doctor", await hash_password("Doctor#1", 4)).model_copy(
        update={"calendar": Doctor(id="doctor-of-examples", zone="UTC", shifts=shifts)}
    )
    patients = [
        _account(f"patient{number}", "patient", await hash_password(f"Patient#{number}", 4)) for number in (1, 2)
    ]
    assert await records.users.add([doctor, *patients]) is None
    await records.close()


@pytest.mark.usefixtures("people")
async def test_the_python_example(stack: Stack, tmp_path: Path) -> None:
    said = await run(written(example("python", stack), tmp_path / "example.py"), sys.executable)
    assert told(said) == TOLD
    assert "mine: 0\n" in said


@pytest.mark.usefixtures("people")
async def test_the_javascript_example(stack: Stack, tmp_path: Path) -> None:
    shutil.copy(ROOT / "api/pages/hub-client.js", tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    said = await run(written(example("js", stack), tmp_path / "example.js"), "node")
    assert told(said) == TOLD
    assert "mine: 0 {}\n" in said


TOLD = {"mine", "free", "taken", "booked", "cancelled", "cancelled:"}


def told(said: str) -> set[str]:
    """Return what the lines begin with."""
    return {
        line.split()[0].rstrip(":") if not line.startswith("cancelled:") else "cancelled:" for line in said.splitlines()
    }


def example(language: str, stack: Stack) -> str:
    [program] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert program.count("http://localhost:8000") == 1
    return str(program).replace("http://localhost:8000", stack.base_url())


def written(program: str, file: Path) -> Path:
    file.write_text(program)
    return file


async def run(file: Path, interpreter: str) -> str:
    process = await asyncio.create_subprocess_exec(
        interpreter, str(file), cwd=file.parent, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, said.decode()
    return said.decode()


def _account(id_: str, role: str, password_hash: str) -> Account:
    return Account(
        id=id_,
        role=role,
        name=id_,
        email=f"{id_}@clinic.test",
        phone=None,
        password_hash=password_hash,
        created_at=system_clock(),
    )
