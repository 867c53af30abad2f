"""Runs the JavaScript client's own tests, and checks what is published with it."""

import asyncio
import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


async def test_the_javascript_client() -> None:
    node = await asyncio.create_subprocess_exec(
        "node",
        "--test",
        *map(str, sorted((ROOT / "tests/js").glob("*.test.js"))),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await node.communicate()
    assert node.returncode == 0, f"(without node_modules: `make test`)\n{said.decode()}"
    assert int(re.findall(rb"# pass (\d+)", said)[0]) >= 13


def test_the_lock_file_contains_no_download_address() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    for package in packages.values():
        package.pop("funding", None)  # where its makers take donations
    assert not re.findall(r"https?://", json.dumps(packages))
    assert all("integrity" in package for path, package in packages.items() if path)
