import pytest

from agents.actor.actors import Doctors
from tests.agents.actor_fixtures import Surgery


@pytest.fixture
async def surgery() -> Surgery:
    surgery = Surgery()
    await surgery.open()
    return surgery


@pytest.fixture
def worker(surgery: Surgery) -> Doctors:
    """The actors of the worker that the doctors belong to."""
    return surgery.worker()
