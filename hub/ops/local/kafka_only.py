"""Runs only Apache Kafka on this machine, for hub processes that are started by hand."""

import signal
from collections.abc import Callable

from hub.ops.local.broker import bootstrap_servers, broker, session_timeout
from hub.ops.local.data_dir_lock import locked_data_dir
from hub.ops.local.kafka.fetch import fetch
from hub.ops.local.process import Process
from hub.ops.local.stopping import first_stop_signal, until_stopped
from hub.ops.local.supervision import supervise
from hub.settings import Settings

_STOP_TIMEOUT = 10.0
"""Seconds that the broker has to stop before it is killed."""


async def run_kafka(settings: Settings, port: int, say: Callable[[str], None]) -> int:
    """Run Apache Kafka until a signal stops it; return the exit code: 130 after Ctrl-C, else 0.

    Raises `KafkaMissing`, `DataDirTaken`, `PortTaken`, `StartFailed` or `GaveUp`; no process is left running then.
    """
    folder = settings.data_dir / "kafka"
    await fetch(say)
    async with locked_data_dir(folder) as lock:
        process = Process(broker("kafka", port, folder), folder, inherited=(lock.descriptor,))

        async def work() -> None:
            await process.start_and_wait()
            use = (
                f"KAFKA_BOOTSTRAP_SERVERS={bootstrap_servers(port)} KAFKA_SESSION_SECONDS={session_timeout('kafka'):g}"
            )
            say(f"Apache Kafka is ready; Ctrl-C stops it. {use}")
            await supervise(process, say, restart=True)

        stop = first_stop_signal(on_repeat=lambda: process.signal(signal.SIGKILL))
        try:
            return await until_stopped(work(), stop)
        finally:
            await process.stop(_STOP_TIMEOUT)
