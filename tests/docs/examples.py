"""Extracts the programs of a page, and runs them."""

import asyncio
import re
from pathlib import Path

from tests.stack import Stack

ROOT = Path(__file__).parents[2]
_HUB = "http://localhost:8000"


def example(page: Path, language: str, stack: Stack) -> str:
    """Return the page's only program in this language, with the address of this hub."""
    [program] = re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)
    assert program.count(_HUB) == 1
    return str(program).replace(_HUB, stack.base_url())


def written(program: str, file: Path) -> Path:
    file.write_text(program)
    return file


async def run(file: Path, *interpreter: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *interpreter, str(file), cwd=file.parent, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, said.decode()
    return said.decode()
