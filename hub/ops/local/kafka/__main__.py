"""Runs Apache Kafka: `python -m hub.ops.local.kafka FOLDER PORT CONTROLLER_PORT`. Formats a new folder first.

Further arguments of the form NAME=VALUE replace settings of server.properties, also the listeners.
"""

import os
import shutil
import sys
from pathlib import Path

from hub.ops.local.kafka.home import LIBRARIES, NEW_LOG, SERVER_PROPERTIES

_LOGGING = Path(__file__).with_name("log4j2.properties")
_JAVA = (
    "java",
    "-Xmx512m",
    # The fastest start on two cores: ready after 2.0 s instead of 3.5 s, with half the CPU time.
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",  # without this, a killed JVM leaves a file in /tmp
    "-XX:+ExitOnOutOfMemoryError",
    f"-Dlog4j2.configurationFile={_LOGGING}",
)


def main() -> None:
    """Format the folder if it is new, then replace this process with the broker."""
    folder, port, controller_port = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    log = folder / "log"
    if not log.exists():
        unfinished = folder / "log.new"
        shutil.copytree(NEW_LOG, unfinished, dirs_exist_ok=True)
        unfinished.rename(log)
    overrides = {
        "log.dirs": log,
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        **dict(each.split("=", 1) for each in sys.argv[4:]),
    }
    options = [part for name, value in overrides.items() for part in ("--override", f"{name}={value}")]
    os.execvp(  # noqa: S606  # no shell is the point; the command is our own
        "java",  # noqa: S607  # the Java that the operator has installed
        [*_JAVA, "-cp", str(LIBRARIES / "*"), "kafka.Kafka", str(SERVER_PROPERTIES), *options],
    )


if __name__ == "__main__":
    main()
