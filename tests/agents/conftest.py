import pytest

from agents.actor.actors import DoctorActors
from tests.agents.actor_fixtures import SharedStore


@pytest.fixture
async def store() -> SharedStore:
    store = SharedStore()
    await store.open()
    return store


@pytest.fixture
def worker(store: SharedStore) -> DoctorActors:
    """The actors of the worker that owns the doctors."""
    return store.worker()
