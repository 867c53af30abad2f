"""Downloads Apache Kafka with Maven, once for each virtual environment."""

import asyncio
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from hub.ops.local.kafka import home

Say = Callable[[str], None]

_TOOLS = {"java": "Java 17 or newer", "mvn": "Maven"}
_DOWNLOADED = re.compile(r"Downloaded from \S+ \S*/(\S+\.jar \(.+?)(?: at .*)?\)?$")
_CLUSTER = "Y2xpbmljLWh1Yi1rYWZrYQ"
"""A cluster id is 16 bytes in base64; these spell clinic-hub-kafka."""


class KafkaMissing(Exception):
    """Apache Kafka is not installed and cannot be downloaded; the message says what to do."""


async def fetch(say: Say, folder: Path = home.HOME) -> None:
    """Download Apache Kafka into a folder if it is not there, and report progress to `say`. Raises `KafkaMissing`."""
    if home.is_fetched(folder):
        _need("java")
        return
    _need("java", "mvn")
    say("Downloading Apache Kafka with Maven, about 45 MB, once.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Built in a folder beside its final place and then renamed, so that an interrupted download leaves nothing there.
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="kafka-") as scratch:
        new = Path(scratch) / "new"
        await _copy_libraries(new / home.LIBRARIES.name, say)
        await _format(new / home.LIBRARIES.name, new / home.NEW_LOG.name, new)
        shutil.copy(home.POM, new)
        _install(new, folder, Path(scratch) / "old")


def _install(new: Path, folder: Path, old: Path) -> None:
    if folder.exists():  # an older version, or another process finished first
        folder.rename(old)
    new.rename(folder)


def _need(*tools: str) -> None:
    if missing := [_TOOLS[tool] for tool in tools if shutil.which(tool) is None]:
        raise KafkaMissing(
            f"Apache Kafka needs {' and '.join(missing)}. On Debian: apt-get install default-jre-headless maven"
        )


async def _copy_libraries(libraries: Path, say: Say) -> None:
    def tell(line: str) -> None:
        if downloaded := _DOWNLOADED.search(line):
            say(f"  {downloaded[1]})")

    goal = ("dependency:copy-dependencies", f"-DoutputDirectory={libraries}")
    await _done(["mvn", "--batch-mode", "--strict-checksums", "--file", str(home.POM), *goal], tell)


async def _format(libraries: Path, log: Path, scratch: Path) -> None:
    properties = scratch / "format.properties"
    listener = "listeners=PLAINTEXT://127.0.0.1:1,CONTROLLER://127.0.0.1:2\ncontroller.quorum.voters=1@127.0.0.1:2"
    properties.write_text(f"{home.SERVER_PROPERTIES.read_text()}\n{listener}\nlog.dirs={log}\n")
    tool = ("kafka.tools.StorageTool", "format", "--cluster-id", _CLUSTER, "--config", str(properties))
    await _done(["java", "-cp", str(libraries / "*"), *tool], lambda _: None)
    properties.unlink()


async def _done(command: Sequence[str], tell: Say) -> None:
    """Run a command and pass each line of its output to `tell`. Raises `KafkaMissing` if the command fails."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output: list[str] = []
    try:
        if process.stdout is None:
            raise RuntimeError("a process that was started with PIPE has a stdout")
        async for line in process.stdout:
            output.append(line.decode(errors="replace").rstrip())
            tell(output[-1])
        failed = await process.wait() != 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if failed:
        raise KafkaMissing(
            f"Apache Kafka could not be downloaded: {' '.join(command)} printed:\n" + "\n".join(output[-20:])
        )
