"""Which passwords nobody should have."""

import pytest

from hub.accounts.password_rules import weakness_of

KNOWN = ("Riverside Clinic", "Emma Goldman-Berg", "emma.berg@clinic.test", None)


@pytest.mark.parametrize("password", ["password1", "12345678", "QWERTY123", "sunshine"])
def test_the_passwords_of_leaked_lists_are_common(password: str) -> None:
    assert weakness_of(password, *KNOWN) == "common_password"


@pytest.mark.parametrize(
    "password",
    ["Emma Goldman-Berg", "goldman-berg", "EMMA.BERG", "emma.berg@clinic.test", "clinic.test", "Riverside-Clinic"],
)
def test_what_others_know_of_the_person_or_the_clinic_is_personal(password: str) -> None:
    assert weakness_of(password, *KNOWN) == "personal_password"


@pytest.mark.parametrize(
    "password", ["Correct-horse-7", "secret123", "Passw0rd!", "Doctor#1", "Patient#1", "Desk#1234", "emma and the sea"]
)
def test_other_passwords_are_fine(password: str) -> None:
    assert weakness_of(password, *KNOWN) is None
