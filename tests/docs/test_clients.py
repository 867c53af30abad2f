"""Runs the examples of docs/clients.md, with the address of the test's hub."""

import shutil
from pathlib import Path

import pytest

from tests.docs.examples import ROOT, example, install_line, node_with, python_with, run, written
from tests.shown_time import on_machines_clock
from tests.stack import Stack

PAGE = ROOT / "docs/clients.md"


pytestmark = [pytest.mark.usefixtures("people"), on_machines_clock]


async def test_the_hours_in_curl(stack: Stack, tmp_path: Path) -> None:
    said = await run(written(example(PAGE, "sh", stack), tmp_path / "example.sh"), "bash", "-eu")
    hours, time_off = said.replace("}{", "}\n{").splitlines()
    assert '"shifts":[{"weekday":0,"opens":540,"closes":720},{"weekday":2,"opens":780,"closes":1020}]' in hours
    assert '"note":"Away"' in time_off


async def test_the_python_example(stack: Stack, tmp_path: Path) -> None:
    python = await python_with(install_line(PAGE, "Python", "pip"), tmp_path)
    said = await run(written(example(PAGE, "python", stack), tmp_path / "example.py"), str(python))
    assert SURELY_TOLD <= told(said) <= TOLD
    assert "mine: 0\n" in said


async def test_the_javascript_example(stack: Stack, tmp_path: Path) -> None:
    node = await node_with(install_line(PAGE, "JavaScript", "npm"), tmp_path)
    shutil.copy(ROOT / "api/pages/hub-client.js", tmp_path / "hub-client.mjs")
    said = await run(written(example(PAGE, "js", stack), tmp_path / "example.mjs"), node)
    assert SURELY_TOLD <= told(said) <= TOLD
    assert "mine: 0 {}\n" in said


TOLD = {"mine", "free", "taken", "booked", "cancelled", "cancelled:"}
SURELY_TOLD = TOLD - {"booked", "cancelled", "free"}
"""The events of a command may come after its answer, on a busy machine when the example has ended."""


def told(said: str) -> set[str]:
    """Return the first word of each line."""
    return {
        line.split()[0].rstrip(":") if not line.startswith("cancelled:") else "cancelled:" for line in said.splitlines()
    }
