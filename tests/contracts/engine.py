"""A database process that tests may pause, kill and start again."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

from pymongo import MongoClient

from hub.ops.local.database import ENGINE

_STARTS_WITHIN_MS = 60_000


class Engine:
    """The embedded database on a free loopback port. Its data folder is kept after a kill."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str) -> str:
        return f"mongodb://127.0.0.1:{self.port}/{database}?directConnection=true&retryWrites=false"

    def start(self) -> None:
        """Start the process and return when the database answers."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    *ENGINE,
                    "--host",
                    "127.0.0.1",
                    "--port",
                    str(self.port),
                    "--storage-path",
                    self._folder / "data",
                ],
                stdout=log,
                stderr=log,
            )
        with MongoClient[dict[str, object]](self.url("admin"), serverSelectionTimeoutMS=_STARTS_WITHIN_MS) as client:
            client.admin.command("ping")

    def kill(self) -> None:
        """Kill the process with SIGKILL, and return when it has ended."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def pause(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
