"""The command line that starts Apache Kafka."""

import sys
from pathlib import Path

from hub.ops.local.ports import free_port


def command(port: int, data: Path, controller_port: int | None = None, *settings: str) -> tuple[str, ...]:
    """Return the command line of Apache Kafka on this loopback port. Its controller gets a free port by default.

    `settings`, of the form NAME=VALUE, replace those of server.properties.
    """
    controller = str(controller_port or free_port())
    return (sys.executable, "-m", "hub.ops.local.kafka", str(data.resolve()), str(port), controller, *settings)
