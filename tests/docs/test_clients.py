"""Runs the examples of docs/clients.md, with the address of the test's hub."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.docs.examples import ROOT, example, run, written
from tests.stack import Stack

PAGE = ROOT / "docs/clients.md"


@pytest.mark.usefixtures("people")
async def test_the_python_example(stack: Stack, tmp_path: Path) -> None:
    said = await run(written(example(PAGE, "python", stack), tmp_path / "example.py"), sys.executable)
    assert SURELY_TOLD <= told(said) <= TOLD
    assert "mine: 0\n" in said


@pytest.mark.usefixtures("people")
async def test_the_javascript_example(stack: Stack, tmp_path: Path) -> None:
    shutil.copy(ROOT / "api/pages/hub-client.js", tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    said = await run(written(example(PAGE, "js", stack), tmp_path / "example.js"), "node")
    assert SURELY_TOLD <= told(said) <= TOLD
    assert "mine: 0 {}\n" in said


TOLD = {"mine", "free", "taken", "booked", "cancelled", "cancelled:"}
SURELY_TOLD = TOLD - {"cancelled", "free"}
"""The events of the last command may come after its answer, upon which the example ends."""


def told(said: str) -> set[str]:
    """Return the first word of each line."""
    return {
        line.split()[0].rstrip(":") if not line.startswith("cancelled:") else "cancelled:" for line in said.splitlines()
    }
