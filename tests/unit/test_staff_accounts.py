"""The accounts of receptionists, as the command line makes them."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from hub.accounts.passwords import verify_password
from hub.ops.staff_accounts import NewReceptionist, create_receptionist
from hub.records.memory import MemoryRecords

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ROBIN = {"name": "Robin", "email": "Robin@Clinic.test", "phone": None}


async def test_a_new_receptionist_gets_a_first_password_that_has_to_be_changed() -> None:
    users = MemoryRecords().users
    made = await create_receptionist(users, NewReceptionist.model_validate(ROBIN), NOW, 4)
    assert isinstance(made, tuple)
    account, password = made
    assert await users.receptionists() == [account]
    assert (account.role, account.email, account.must_change_password) == ("receptionist", "robin@clinic.test", True)
    assert await verify_password(password, account.password_hash)
    assert await create_receptionist(users, NewReceptionist.model_validate(ROBIN), NOW, 4) == "email"


@pytest.mark.parametrize("bad", [{"name": " "}, {"email": "robin"}, {"phone": "555"}])
def test_what_is_no_receptionist_is_refused(bad: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        NewReceptionist.model_validate(ROBIN | bad)
