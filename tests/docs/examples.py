"""Extracts the programs and the install lines of a page, and runs them in a new folder with an empty environment."""

import asyncio
import os
import re
import shlex
import shutil
import sys
from pathlib import Path

from tests.stack import Stack

ROOT = Path(__file__).parents[2]
_HUB = "http://localhost:8000"


def example(page: Path, language: str, stack: Stack) -> str:
    """Return the page's only program in this language, with the address of this hub."""
    [program] = re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)
    assert program.count(_HUB) == 1
    return str(program).replace(_HUB, stack.base_url())


def install_line(page: Path, heading: str, tool: str) -> list[str]:
    """Return the arguments of the only `pip install …` or `npm install …` in the section with this heading."""
    [section] = re.findall(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", page.read_text(), re.DOTALL | re.MULTILINE)
    [line] = re.findall(rf"`{tool} install ([^`]+)`", section)
    return shlex.split(line)


async def python_with(arguments: list[str], folder: Path) -> Path:
    """Return the interpreter of a new virtual environment in which `pip install` with these arguments has run.

    The pip is that of the Python release: older ones do not take an extra under another spelling. Only the checkout,
    which has no extra in its line, is installed by uv: with pip that takes over a minute.
    """
    await _call([sys.executable, "-m", "venv", str(folder / "venv")], folder)
    interpreter = folder / "venv" / "bin" / "python"
    if arguments == ["."]:
        installer = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--python", str(interpreter)]
    else:
        installer = [str(interpreter), "-m", "pip", "--disable-pip-version-check", "install"]
    await _call([*installer, "-q", *arguments], ROOT)
    return interpreter


async def node_with(arguments: list[str], folder: Path) -> str:
    """Run `npm install` with these arguments in the folder, and return the path of Node."""
    npm, node = shutil.which("npm"), shutil.which("node")
    assert npm
    assert node
    await _call([npm, "install", "--no-fund", "--no-audit", *arguments], folder)
    return node


def written(program: str, file: Path) -> Path:
    file.write_text(program)
    return file


async def run(file: Path, *interpreter: str) -> str:
    """Run the program in its folder, with an environment that only names the folders of the machine's programs."""
    environment = {"PATH": os.defpath, "HOME": str(file.parent)}
    return await _call([*interpreter, str(file)], file.parent, environment)


async def _call(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await asyncio.wait_for(process.communicate(), 300)
    assert process.returncode == 0, said.decode()
    return said.decode()
