"""The accounts that the examples use, as the seed creates them."""

import pytest

from hub.accounts.passwords import hash_password
from hub.records.mongo import connect
from tests.people import OFFICE_HOURS, doctor, patient
from tests.stack import Stack


@pytest.fixture(scope="session")
async def people(stack: Stack) -> None:
    """The patients of the examples, the doctor with whom they book, and the doctor who changes the hours."""
    records = connect(stack.settings.mongodb_url)
    doctors = [
        doctor("doctor-of-examples", shifts=OFFICE_HOURS, name="Dr. Ada"),  # the first of the list
        doctor("doctor1", shifts=OFFICE_HOURS, name="Dr. Zoe", password_hash=await hash_password("Doctor#1", 4)),
    ]
    patients = [
        patient(f"patient{number}", password_hash=await hash_password(f"Patient#{number}", 4)) for number in range(1, 6)
    ]
    assert await records.users.add([*doctors, *patients]) is None
    await records.close()
