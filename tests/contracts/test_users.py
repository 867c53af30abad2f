"""Accounts in the record."""

import asyncio
from datetime import timedelta

from hub.accounts.account import Account, Erasure, JoinedInto, erased
from hub.accounts.person import person_of
from hub.clock import system_clock
from hub.records.ports import Records
from hub.records.users import BATCH
from hub.scheduling.schedule import Schedule, Shift, TimeOff
from hub.scheduling.values import Role
from tests.contracts.histories import HALF_HOUR, NINE
from tests.people import patient


def _patient(name: str, *, email: str | None = None, phone: str | None = None) -> Account:
    return patient(name, name=name.title(), email=email or f"{name}@clinic.test", phone=phone)


def _doctor(name: str) -> Account:
    calendar = Schedule(
        id=name,
        zone="Asia/Kathmandu",
        shifts=(Shift(weekday=0, opens=9 * 60, closes=12 * 60),),
        time_off=(TimeOff(start=NINE, end=NINE + timedelta(days=1) + HALF_HOUR),),
    )
    return _patient(name).model_copy(update={"role": "doctor", "specialty": "Cardiology", "calendar": calendar})


async def test_accounts_are_read_back_as_they_were(records: Records) -> None:
    dora, pat, paul = _doctor("dora"), _patient("pat", phone="+12025550123"), _patient("paul")

    assert await records.users.add([dora, pat, paul]) is None

    assert await records.users.by_id("dora") == dora
    assert await records.users.by_id("paul") == paul
    assert await records.users.by_id("nobody") is None
    assert await records.users.by_email("pat@clinic.test") == pat
    assert await records.users.by_email("nobody@clinic.test") is None
    assert await records.users.by_ids({"dora", "pat", "nobody"}) == {"dora": dora, "pat": pat}


async def test_more_accounts_than_one_read_asks_for_are_found(records: Records) -> None:
    patients = [_patient(f"p{number}") for number in range(120)]
    await records.users.add(patients)

    assert await records.users.by_ids([patient.id for patient in patients]) == {each.id: each for each in patients}


async def test_adding_no_accounts_succeeds(records: Records) -> None:
    assert await records.users.add([]) is None


async def test_an_email_address_belongs_to_one_account(records: Records) -> None:
    await records.users.add([_patient("pat")])

    assert await records.users.add([_patient("paul", email="pat@clinic.test")]) == "email"

    assert await records.users.by_id("paul") is None


async def test_a_phone_number_belongs_to_one_account(records: Records) -> None:
    await records.users.add([_patient("pat", phone="+12025550123")])

    assert await records.users.add([_patient("paul", phone="+12025550123")]) == "phone"

    assert await records.users.by_id("paul") is None


async def test_if_email_and_phone_are_taken_the_email_is_reported(records: Records) -> None:
    await records.users.add([_patient("pat", phone="+12025550123")])

    assert await records.users.add([_patient("paul", email="pat@clinic.test", phone="+12025550123")]) == "email"


async def test_any_number_of_accounts_may_have_no_phone(records: Records) -> None:
    assert await records.users.add([_patient("pat"), _patient("paul"), _patient("pia")]) is None


async def test_accounts_are_added_in_order_up_to_the_first_that_is_refused(records: Records) -> None:
    accounts = [_patient("pat"), _patient("paul", email="pat@clinic.test"), _patient("pia")]

    assert await records.users.add(accounts) == "email"

    assert list(await records.users.by_ids(["pat", "paul", "pia"])) == ["pat"]


async def test_doctors_are_listed_by_name_and_both_roles_counted(records: Records) -> None:
    await records.users.add([_doctor("zoe"), _patient("pat"), _doctor("amal"), _doctor("mia")])

    assert [doctor.id for doctor in await records.users.doctors()] == ["amal", "mia", "zoe"]
    assert sorted(await records.users.doctor_ids()) == ["amal", "mia", "zoe"]
    assert await records.users.count() == 4
    assert await records.users.count(Role.DOCTOR) == 3
    assert await records.users.count(Role.PATIENT) == 1


async def test_only_the_changed_fields_are_written(records: Records) -> None:
    dora = _doctor("dora").model_copy(update={"phone": "+12025550123", "photo": "first"})
    await records.users.add([dora])
    renamed = dora.model_copy(update={"name": "Dora the Explorer"})

    assert await records.users.change(dora, renamed) is None
    # the change is based on the older account, and the new name stays
    without = dora.model_copy(update={"phone": None, "photo": None, "texts": ("reminder",), "zone": "Asia/Tokyo"})
    assert await records.users.change(dora, without) is None

    assert await records.users.by_id("dora") == without.model_copy(update={"name": "Dora the Explorer"})
    assert await records.users.change(dora, dora) is None


async def test_a_change_to_a_taken_value_is_refused_with_the_field(records: Records) -> None:
    pat, paul = _patient("pat", phone="+12025550123"), _patient("paul")
    await records.users.add([pat, paul])

    to_email = paul.model_copy(update={"name": "P", "email": "pat@clinic.test"})
    to_phone = paul.model_copy(update={"name": "P", "phone": "+12025550123"})

    assert await records.users.change(paul, to_email) == "email"
    assert await records.users.change(paul, to_phone) == "phone"
    assert await records.users.by_id("paul") == paul


async def test_a_missing_account_is_not_changed(records: Records) -> None:
    pat = _patient("pat")
    assert await records.users.change(pat, pat.model_copy(update={"name": "P"})) == "stale"
    assert await records.users.by_id("pat") is None


async def test_one_of_two_concurrent_password_changes_is_stale(records: Records) -> None:
    pat = _patient("pat")
    await records.users.add([pat])
    changes = [pat.model_copy(update={"password_hash": f"$2b$04$other{number}"}) for number in range(4)]

    told = await asyncio.gather(*(records.users.change(pat, change) for change in changes))

    assert sorted(told, key=str) == [None, "stale", "stale", "stale"]
    assert await records.users.by_id("pat") == changes[told.index(None)]


def _registered(name: str, **fields: object) -> Account:
    """Return a patient whom the clinic registered, without a log-in."""
    return patient(name, **{"name": name.title(), "email": None, "password_hash": None, **fields})


async def test_people_without_a_log_in_share_addresses_and_are_read_back_as_they_were(records: Records) -> None:
    phone = "+12025550123"
    pat = _patient("pat", phone=phone)
    family = [
        _registered("ann", phone=phone, email=pat.email),
        _registered("bob", phone=phone, email=pat.email),
        _registered("cem"),
    ]
    assert await records.users.add([family[0], pat, *family[1:]]) is None

    assert await records.users.by_ids(["ann", "bob", "cem", "pat"]) == {each.id: each for each in [*family, pat]}
    # A log-in never finds an account that cannot log in.
    assert await records.users.by_email(pat.email) == await records.users.by_phone(phone) == pat
    assert await records.users.patients_with_phone(phone) == [pat, *family[:2]]
    assert await records.users.patients_with_phone("+12025550199") == []
    assert await records.users.count(Role.PATIENT) == 4


async def test_a_person_without_a_log_in_is_changed_and_may_sign_up_with_the_same_phone(records: Records) -> None:
    ann = _registered("ann", phone="+12025550123")
    await records.users.add([ann])
    moved = ann.model_copy(update={"name": "Anna", "phone": "+12025550124", "email": "ann@clinic.test"})

    assert await records.users.change(ann, moved) is None

    assert await records.users.by_id("ann") == moved
    assert await records.users.patients_with_phone("+12025550123") == []
    own = _patient("anna", email="ann@clinic.test", phone="+12025550124")
    assert await records.users.add([own]) is None
    assert await records.users.patients_with_phone("+12025550124") == [own, moved]


async def test_a_patient_is_joined_once_and_found_by_the_time(records: Records) -> None:
    await records.users.add([_registered("ann"), _registered("bob"), _patient("pat")])
    first, second = (JoinedInto(account_id=into, by="robin", key=into, at=NINE) for into in ("pat", "paul"))

    assert await asyncio.gather(*(records.users.join("ann", first) for _ in range(3))) == [first] * 3

    assert await records.users.join("ann", second) == first
    assert await records.users.join("pat", first) is None, "who can log in is not joined"
    assert await records.users.join("nobody", first) is None
    ann = await records.users.by_id("ann")
    assert ann == _registered("ann", joined_into=first)
    assert person_of(ann) in await records.users.people_changed(system_clock() - timedelta(seconds=5))
    assert [each.id for each in await records.users.joined_since(NINE)] == ["ann"]
    assert await records.users.joined_since(NINE + HALF_HOUR) == []


def _erasure(**more: object) -> Erasure:
    fields = {"by": "cli", "by_role": Role.SYSTEM, "key": "k", "at": NINE, "look_until": NINE + HALF_HOUR}
    return Erasure.model_validate({**fields, **more})


async def test_nothing_of_an_erased_account_stays_and_nothing_comes_back(records: Records) -> None:
    pat, ann = _patient("pat", phone="+12025550123"), _registered("ann", phone="+12025550124")
    await records.users.add([pat, ann])
    await records.users.change(pat, photographed := pat.model_copy(update={"photo": "picture"}))

    for account in (photographed, ann):
        left = erased(account, _erasure())
        assert sorted(await asyncio.gather(*(records.users.erase(account, left) for _ in range(3)))) == [
            False,
            False,
            True,
        ]
        assert await records.users.by_id(account.id) == left
        assert person_of(left) in await records.users.people_changed(system_clock() - timedelta(seconds=5))
    assert [each.id for each in await records.users.erasures()] == ["pat", "ann"]
    assert await records.users.by_email("pat@clinic.test") is None
    assert await records.users.patients_with_phone("+12025550124") == []
    assert await records.users.change(pat, pat.model_copy(update={"name": "Pat again"})) == "stale"
    joined = JoinedInto(account_id="paul", by="robin", key="k", at=NINE)
    assert await records.users.join("ann", joined) is None
    assert await records.users.add([_patient("new", email="pat@clinic.test", phone="+12025550123")]) is None

    await records.users.put_erasure("pat", finished := _erasure(finished_at=NINE, look_until=None))

    stored = await records.users.by_id("pat")
    assert stored
    assert stored.erased == finished
    assert [each.id for each in await records.users.erasures()] == ["ann"]
    people = [person async for batch in records.users.people() for person in batch]
    assert {person.id for person in people if person.erased} == {"pat", "ann"}


async def test_an_account_whose_password_has_changed_is_not_erased(records: Records) -> None:
    pat = _patient("pat")
    await records.users.add([pat])
    await records.users.change(pat, changed := pat.model_copy(update={"password_hash": "another"}))
    assert not await records.users.erase(pat, erased(pat, _erasure()))
    assert await records.users.by_id("pat") == changed


async def test_the_patients_who_were_joined_with_an_account_are_found(records: Records) -> None:
    await records.users.add([_registered("ann"), _registered("bob"), _patient("pat")])
    await records.users.join("ann", JoinedInto(account_id="pat", by="robin", key="k", at=NINE))
    await records.users.join("bob", JoinedInto(account_id="paul", by="robin", key="k", at=NINE))
    assert [each.id for each in await records.users.joined_with("pat")] == ["ann"]


async def test_receptionists_are_listed_by_name(records: Records) -> None:
    staff = [patient(name, name=name.title(), role="receptionist") for name in ("sam", "kim")]
    await records.users.add([*staff, _patient("pat")])

    assert [account.id for account in await records.users.receptionists()] == ["kim", "sam"]


async def test_all_people_are_read_and_then_those_who_changed(records: Records) -> None:
    ann, pat = _registered("ann", phone="+12025550123"), _patient("pat", phone="+12025550124")
    await records.users.add([ann, pat, _doctor("dora")])
    people = [person async for batch in records.users.people() for person in batch]
    assert sorted(people, key=lambda person: person.id) == [person_of(each) for each in (ann, _doctor("dora"), pat)]

    later = system_clock() + timedelta(milliseconds=1)
    await asyncio.sleep(0.003)
    assert await records.users.people_changed(later) == []
    renamed = ann.model_copy(update={"name": "Anna", "phone": None})
    assert await records.users.change(ann, renamed) is None
    await records.users.add([_patient("zoe")])
    changed = await records.users.people_changed(later)
    assert sorted(changed, key=lambda person: person.id) == [person_of(renamed), person_of(_patient("zoe"))]
    assert await records.users.by_id("ann") == renamed


async def test_more_people_than_one_batch_are_read(records: Records) -> None:
    ids = [f"p{number}" for number in range(BATCH + 20)]
    for some in (
        ids[first : first + 100] for first in range(0, len(ids), 100)
    ):  # a busy machine takes more than a call's time for all at once
        await records.users.add([_registered(id_) for id_ in some])
    people = [person async for batch in records.users.people() for person in batch]
    assert sorted(person.id for person in people) == sorted(ids)
