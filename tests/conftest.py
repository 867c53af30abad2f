"""The stack that tests share, and the logs of its processes when a test fails."""

from collections.abc import AsyncIterator, Generator

import pytest
from hypothesis import settings

from tests import shown_time
from tests.stack import OPEN, Stack

shown_time.take_effect()
settings.register_profile("any_machine", deadline=None)  # how long an example takes depends on what else runs
settings.load_profile("any_machine")


@pytest.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """The whole hub: a broker, a database, two agents processes, an api process. Tests must not end any of them."""
    async with Stack(tmp_path_factory.mktemp("stack")) as stack:
        await stack.start(agents=2)
        yield stack


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "stack" in getattr(item, "fixturenames", ()):
            item.add_marker("stack")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        for stack in OPEN:
            report.sections += [(f"{name} (end of its log)", text) for name, text in stack.logs().items()]
    if report.when == "teardown":
        OPEN[:] = [stack for stack in OPEN if not stack.closed]
    return report
