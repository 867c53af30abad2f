"""Where Apache Kafka is kept on this machine: in the virtual environment, like everything else that was installed."""

import sys
from pathlib import Path

HOME = Path(sys.prefix) / "share" / "clinic-hub" / "kafka"
LIBRARIES = HOME / "libs"
NEW_LOG = HOME / "new-log"
"""The log of a broker that has just been formatted; each new broker gets a copy."""
POM = Path(__file__).with_name("pom.xml")
SERVER_PROPERTIES = Path(__file__).with_name("server.properties")


def is_fetched() -> bool:
    """Return whether what is there is what the pom asks for."""
    fetched = HOME / POM.name
    return fetched.exists() and fetched.read_bytes() == POM.read_bytes()
