from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from api.services import Services
from tests.api.clinic import Clinic, make_services, open_clinic

OpenClinic = Callable[[Services], Awaitable[Clinic]]


@pytest.fixture
async def open_for_test() -> AsyncIterator[OpenClinic]:
    """Opens clinics that close when the test ends."""
    opened: list[Clinic] = []

    async def opener(services: Services) -> Clinic:
        opened.append(await open_clinic(services))
        return opened[-1]

    yield opener
    for clinic in opened:
        await clinic.client.close()


@pytest.fixture
async def clinic(open_for_test: OpenClinic) -> Clinic:
    return await open_for_test(await make_services())
