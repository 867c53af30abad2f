"""Phone numbers as people type them: normalized, or refused with the reason."""

import pytest
from pydantic import TypeAdapter, ValidationError

from hub.accounts.fields import Phone
from hub.ops.doctor_accounts import NewDoctor
from tests.unit.test_doctor_accounts import ADA

PHONE: TypeAdapter[str] = TypeAdapter(Phone)


@pytest.mark.parametrize(
    "written",
    [
        "+447911123456",
        "+44 7911 123456",
        "+44-7911-123456",
        "tel:+447911123456",
        "TEL: +44-7911-123456",
        "00447911123456",
        "0044 7911 123456",
        "+44 (0)7911 123456",
        "+4407911123456",
        "(+44) 7911 123456",
        "+44 (7911) 123.456",
        "+44\N{NO-BREAK SPACE}7911\N{NARROW NO-BREAK SPACE}123456",
        "+44 7911\N{NON-BREAKING HYPHEN}123\N{EN DASH}456",
        "\N{LEFT-TO-RIGHT EMBEDDING}+44 7911 123456\N{POP DIRECTIONAL FORMATTING}",
        "+44/7911/123456\n",
    ],
)
def test_a_number_with_its_country_is_kept_as_e164(written: str) -> None:
    assert PHONE.validate_python(written) == "+447911123456"
    assert NewDoctor.model_validate(ADA | {"phone": written}).phone == "+447911123456"


def test_the_zero_of_an_italian_area_stays() -> None:
    assert PHONE.validate_python("+39 06 1234 5678") == "+390612345678"


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("+44 9098 790000", "cost extra"),
        ("+49 900 1234567", "cost extra"),
        ("+49 1805 123456", "cost extra"),
        ("+1 900 555 1234", "cost extra"),
        ("07911 123456", "country is missing"),
        ("7911123456", "country is missing"),
        ("(202) 555-0123", "country is missing"),
        ("011 44 7911 123456", "country is missing"),
        ("tel:07911123456", "country is missing"),
        ("+44 7700 900123", "not a phone number in use"),
        ("0044 7700 900123", "not a phone number in use"),
        ("+1 555 123 4567", "not a phone number in use"),
        ("+33 6 39 98 00 01", "not a phone number in use"),
        ("+1 202 555 CALL", "no letters"),
        ("+44 seven", "no letters"),
        ("+44 7911 123456 ext. 5", "no extension"),
        ("+44 7911 123456 x5", "no extension"),
        ("tel:+447911123456;ext=5", "no extension"),
        ("+999 123456", "No country has the code"),
        ("+4479", "too short"),
        ("+4912", "too short"),
        ("+1 555 0100", "too short"),
        ("+44", "too short"),
        ("+44 7911 123456 7890", "too long"),
        ("+4479111234567890123", "too long"),
        ("+44+7911123456", r"a \+ at its beginning"),
        ("+44 7911 123456 & 123457", r"a \+ at its beginning"),
        ("+٤٤٧٩١١١٢٣٤٥٦", "digits 0 to 9"),
        ("+", "has digits"),
        ("", "has digits"),
    ],
)
def test_any_other_number_is_refused_with_the_reason(written: str, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        PHONE.validate_python(written)
