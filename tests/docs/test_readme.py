"""Runs the README's example for each kind of client, with the address of the test's hub."""

import re
from pathlib import Path

import pytest

from tests.docs.examples import ROOT, example, install_line, node_with, python_with, run, written
from tests.shown_time import on_machines_clock
from tests.stack import Stack

README = ROOT / "README.md"

pytestmark = [pytest.mark.usefixtures("people"), on_machines_clock]


async def test_rest_in_curl(stack: Stack, tmp_path: Path) -> None:
    said = await run(written(example(README, "sh", stack), tmp_path / "example.sh"), "bash", "-eu")
    listed, cancelled, history = re.fullmatch(r"(\[.*\])(\{.*\})(\[.*\])", said).groups()  # type: ignore[union-attr]
    assert '"status":"scheduled"' in listed
    assert '"status":"cancelled"' in cancelled
    assert [kind in history for kind in ('"type":"booked"', '"type":"cancelled"')] == [True, True]


async def test_socket_io_in_javascript(stack: Stack, tmp_path: Path) -> None:
    node = await node_with(install_line(README, "Socket.IO, in JavaScript", "npm"), tmp_path)
    assert_told(await run(written(example(README, "js", stack), tmp_path / "example.mjs"), node), "mine: 0 {}")


async def test_socket_io_in_python(stack: Stack, tmp_path: Path) -> None:
    python = await python_with(install_line(README, "Socket.IO, in Python", "pip"), tmp_path)
    said = await run(written(example(README, "python", stack), tmp_path / "example.py"), str(python))
    assert_told(said, "mine: 0 {}")


def assert_told(said: str, first: str) -> None:
    """The output has the answer and the events."""
    lines = said.splitlines()
    assert lines[0] == first
    assert {line.split()[0] for line in lines[1:]} >= {"taken", "booked", "cancelled", "cancelled:"}
    assert any(line.lower() == "cancelled: true" for line in lines)
