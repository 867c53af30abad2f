"""The fixtures of the socket tests: the clinic with open sockets, and the hardened server by itself."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest

from tests.api.sockets.clinic import LIMITS, SocketClinic, open_sockets
from tests.api.sockets.raw import Served, serving

OpenWith = Callable[..., Awaitable[SocketClinic]]


@pytest.fixture
async def clinic() -> AsyncIterator[SocketClinic]:
    async with open_sockets() as clinic:
        yield clinic


@pytest.fixture
async def open_with() -> AsyncIterator[OpenWith]:
    """Opens the clinic with changed limits; it closes when the test ends."""
    async with AsyncExitStack() as opened:

        async def opener(**limits: Any) -> SocketClinic:
            return await opened.enter_async_context(open_sockets(replace(LIMITS, **limits)))

        yield opener


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """The server without a clinic behind it."""
    async with serving() as served:
        yield served
