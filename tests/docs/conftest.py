"""The people whom the examples name, as the seed makes them."""

import pytest

from hub.accounts.account import Account
from hub.accounts.passwords import hash_password
from hub.clock import system_clock
from hub.records.mongo import connect
from hub.scheduling.schedule import Schedule, Shift
from tests.stack import Stack


@pytest.fixture(scope="session")
async def people(stack: Stack) -> None:
    """A doctor, and the patients of the examples as the seed makes them."""
    records = connect(stack.settings.mongodb_url)
    shifts = tuple(Shift(weekday=day, opens=9 * 60, closes=17 * 60) for day in range(5))
    doctor = _account("doctor-of-examples", "doctor", await hash_password("Doctor#1", 4)).model_copy(
        update={"calendar": Schedule(id="doctor-of-examples", zone="UTC", shifts=shifts)}
    )
    patients = [
        _account(f"patient{number}", "patient", await hash_password(f"Patient#{number}", 4)) for number in range(1, 6)
    ]
    assert await records.users.add([doctor, *patients]) is None
    await records.close()


def _account(id_: str, role: str, password_hash: str) -> Account:
    return Account(
        id=id_,
        role=role,
        name=id_,
        email=f"{id_}@clinic.test",
        phone=None,
        password_hash=password_hash,
        created_at=system_clock(),
    )
