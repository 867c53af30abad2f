"""New doctors' accounts, and weekly hours as they are written on the command line."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from hub.accounts.passwords import verify_password
from hub.ops.doctor_accounts import NewDoctor, create_doctor
from hub.ops.weekly_hours import shifts_of
from hub.records.memory import MemoryRecords
from hub.scheduling.schedule import Shift

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ADA = {
    "name": "Dr. Ada",
    "email": "Ada@Clinic.test",
    "phone": "+12025550123",
    "zone": "Europe/Berlin",
    "specialty": None,
    "shifts": shifts_of(["sat 09:00-12:00"]),
}


async def test_a_new_doctor_can_log_in_and_has_the_given_hours() -> None:
    users = MemoryRecords().users
    made = await create_doctor(users, NewDoctor.model_validate(ADA), NOW, 4)
    assert isinstance(made, tuple)
    account, password = made
    assert await users.by_email("ada@clinic.test") == account
    assert account.role == "doctor"
    assert account.schedule
    assert account.schedule.id == account.id
    assert account.schedule.shifts == (Shift(weekday=5, opens=9 * 60, closes=12 * 60),)
    assert await verify_password(password, account.password_hash)


async def test_no_two_doctors_get_one_password_and_no_two_accounts_one_address() -> None:
    users = MemoryRecords().users
    first = await create_doctor(users, NewDoctor.model_validate(ADA), NOW, 4)
    assert await create_doctor(users, NewDoctor.model_validate(ADA), NOW, 4) == "email"
    other = {"email": "ben@clinic.test"}
    assert await create_doctor(users, NewDoctor.model_validate(ADA | other), NOW, 4) == "phone"
    second = await create_doctor(users, NewDoctor.model_validate(ADA | other | {"phone": None}), NOW, 4)
    assert isinstance(first, tuple)
    assert isinstance(second, tuple)
    assert first[1] != second[1]
    assert await users.count() == 2


def test_white_space_around_what_is_typed_is_removed() -> None:
    typed = {"name": " Dr. Ada", "email": "ada@clinic.test\n", "phone": "+12025550123 ", "specialty": "\tsurgery "}
    doctor = NewDoctor.model_validate(ADA | typed)
    assert (doctor.name, doctor.email, doctor.phone) == ("Dr. Ada", "ada@clinic.test", "+12025550123")
    assert doctor.specialty == "surgery"


@pytest.mark.parametrize(
    "bad", [{"name": " "}, {"email": "ada"}, {"phone": "555"}, {"zone": "Berlin"}, {"specialty": ""}]
)
def test_the_data_of_a_new_doctor_is_validated(bad: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        NewDoctor.model_validate(ADA | bad)


def test_hours_are_written_as_days_and_times() -> None:
    assert shifts_of(["mon-tue 09:00-12:30 13:00-24:00", "Sun 00:00-00:30"]) == (
        Shift(weekday=0, opens=540, closes=750),
        Shift(weekday=0, opens=780, closes=1440),
        Shift(weekday=1, opens=540, closes=750),
        Shift(weekday=1, opens=780, closes=1440),
        Shift(weekday=6, opens=0, closes=30),
    )
    assert shifts_of([]) == ()


@pytest.mark.parametrize(
    "line",
    [
        "",
        "mon",
        "monday 09:00-12:00",
        "fri-mon 09:00-12:00",
        "mon 09:15-12:00",
        "mon 12:00-09:00",
        "mon 09:00-24:30",
        "mon 08:90-12:00",
        "mon 09:00-12:00,13:00-17:00",
    ],
)
def test_invalid_hours_are_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"hour|shift|week"):
        shifts_of([line])


def test_a_shift_that_passes_midnight_is_refused_with_the_shifts_to_write() -> None:
    with pytest.raises(ValueError, match=r"Friday 22:00-24:00 .* and Saturday 00:00-06:00") as refused:
        shifts_of(["fri 22:00-06:00"])
    assert "Hours that pass midnight are written as a shift for each day" in str(refused.value)
    with pytest.raises(ValueError, match=r"Sunday 22:00-24:00 .* and Monday 00:00-06:00"):
        shifts_of(["sun 22:00-30:00"])
    assert shifts_of(["fri 22:00-24:00", "sat 00:00-06:00"]) == (
        Shift(weekday=4, opens=1320, closes=1440),
        Shift(weekday=5, opens=0, closes=360),
    )


@pytest.mark.parametrize(
    "lines",
    [
        ["mon-fri 09:00-12:00 11:00-13:00"],
        ["mon-fri 09:00-12:00", "wed 11:30-13:00"],
        ["mon 09:00-12:00 09:00-12:00"],
        ["mon 00:00-24:00 23:30-24:00"],
    ],
)
def test_overlapping_shifts_are_refused(lines: list[str]) -> None:
    with pytest.raises(ValidationError, match="overlap"):
        NewDoctor.model_validate(ADA | {"shifts": shifts_of(lines)})


def test_shifts_that_touch_are_accepted_in_the_order_of_the_week() -> None:
    doctor = NewDoctor.model_validate(ADA | {"shifts": shifts_of(["tue 12:00-13:30 9:00-12:00", "mon 00:00-24:00"])})
    assert [(each.weekday, each.opens, each.closes) for each in doctor.shifts] == [
        (0, 0, 1440),
        (1, 540, 720),
        (1, 720, 810),
    ]
