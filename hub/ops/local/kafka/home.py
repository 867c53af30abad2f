"""The folders of Apache Kafka on this machine. It is installed in the virtual environment."""

import sys
from pathlib import Path

HOME = Path(sys.prefix) / "share" / "clinic-hub" / "kafka"
LIBRARIES = HOME / "libs"
NEW_LOG = HOME / "new-log"
"""The log folder of a freshly formatted broker; each new broker gets a copy."""
POM = Path(__file__).with_name("pom.xml")
SERVER_PROPERTIES = Path(__file__).with_name("server.properties")


def is_fetched(folder: Path = HOME) -> bool:
    """Return whether the downloaded version in this folder is the one in the pom."""
    fetched = folder / POM.name
    return fetched.exists() and fetched.read_bytes() == POM.read_bytes()
