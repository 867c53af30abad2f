"""Apache Kafka alone on this machine, for hub processes that are started by hand."""

import signal
from collections.abc import Callable

from hub.ops.local.broker import bootstrap_servers, broker
from hub.ops.local.data_dir_lock import claimed
from hub.ops.local.kafka.fetch import fetch
from hub.ops.local.process import Process
from hub.ops.local.stopping import first_signal, until_stopped
from hub.ops.local.supervision import kept_alive
from hub.settings import Settings

_PATIENCE = 10.0
"""Seconds that the broker gets to stop."""


async def run_kafka(settings: Settings, port: int, say: Callable[[str], None]) -> int:
    """Run Apache Kafka until a signal stops it; return the exit code: 130 after Ctrl-C, else 0.

    Raises `KafkaMissing`, `DataDirTaken`, `PortTaken`, `StartFailed`, `GaveUp`; nothing is left running then.
    """
    folder = settings.data_dir / "kafka"
    await fetch(say)
    async with claimed(folder) as claim:
        process = Process(broker("kafka", port, folder), folder, held=(claim.held,))

        async def work() -> None:
            await process.bring_up()
            say(f"Apache Kafka is ready; Ctrl-C stops it. KAFKA_BOOTSTRAP_SERVERS={bootstrap_servers(port)}")
            await kept_alive(process, say, heal=True)

        asked = first_signal(then=lambda: process.signal(signal.SIGKILL))
        try:
            return await until_stopped(work(), asked)
        finally:
            await process.stop(_PATIENCE)
