from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from api.services import Services
from tests.api.rest_clinic import RestClinic, make_services, open_clinic

OpenClinic = Callable[[Services], Awaitable[RestClinic]]


@pytest.fixture
async def open_for_test() -> AsyncIterator[OpenClinic]:
    """Opens clinics that close when the test ends."""
    opened: list[RestClinic] = []

    async def opener(services: Services) -> RestClinic:
        opened.append(await open_clinic(services))
        return opened[-1]

    yield opener
    for clinic in opened:
        await clinic.client.close()


@pytest.fixture
async def clinic(open_for_test: OpenClinic) -> RestClinic:
    return await open_for_test(await make_services())


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    """The lines of the log, as they are written."""
    before = structlog.get_config()
    capture = LogCapture()
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, capture],
        wrapper_class=structlog.make_filtering_bound_logger(0),
        cache_logger_on_first_use=False,
    )
    yield capture.entries
    structlog.configure(**before)
