"""Apache Kafka as a program of a run on one machine."""

import sys
from pathlib import Path

from hub.ops.local.ports import free_port


def command(port: int, data: Path) -> tuple[str, ...]:
    """Return what starts Apache Kafka on this loopback port, and a free one for itself, with its data in `data`."""
    return (sys.executable, "-m", "hub.ops.local.kafka", str(data.resolve()), str(port), str(free_port()))
