"""The command line that starts Apache Kafka."""

import sys
from pathlib import Path

from hub.ops.local.ports import free_port


def command(port: int, data: Path) -> tuple[str, ...]:
    """Return the command line of Apache Kafka on this loopback port, with a free port for its controller."""
    return (sys.executable, "-m", "hub.ops.local.kafka", str(data.resolve()), str(port), str(free_port()))
