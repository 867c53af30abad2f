import pytest

from tests.api.rest_clinic import PASSWORD, RestClinic

ME = "/api/v1/users/me"
CURRENT = {"currentPassword": PASSWORD}


async def test_what_is_changed_is_kept_and_the_rest_stays(clinic: RestClinic) -> None:
    before = (await clinic.ask("GET", ME, "carl")).body
    changes = {"name": " Carla ", "email": "Carla@Clinic.TEST", "zone": "Asia/Tokyo", "language": "de"}

    answer = await clinic.ask(
        "PATCH", ME, "carl", json=changes | CURRENT | {"texts": ["cancelled", "reminder", "reminder"]}
    )

    assert answer.status == 200
    assert answer.body == before | {
        "name": "Carla",
        "email": "carla@clinic.test",
        "zone": "Asia/Tokyo",
        "language": "de",
        "texts": ["reminder", "cancelled"],
    }
    assert (await clinic.ask("GET", ME, "carl")).body == answer.body


async def test_white_space_around_what_is_typed_is_removed(clinic: RestClinic) -> None:
    typed = {"name": "Carla\n", "email": "\tcarla@clinic.test ", "phone": " +12025550198\r\n"}
    answer = await clinic.ask("PATCH", ME, "carl", json=typed | CURRENT)
    kept = {name: answer.body[name] for name in typed}
    assert kept == {"name": "Carla", "email": "carla@clinic.test", "phone": "+12025550198"}


async def test_nothing_to_change_changes_nothing(clinic: RestClinic) -> None:
    before = (await clinic.ask("GET", ME, "carl")).body
    assert (await clinic.ask("PATCH", ME, "carl", json={})).body == before


async def test_no_zone_and_no_texts_can_be_said(clinic: RestClinic) -> None:
    await clinic.ask("PATCH", ME, "carl", json={"zone": "Asia/Tokyo"})
    answer = await clinic.ask("PATCH", ME, "carl", json={"zone": None, "texts": []})
    assert (answer.body["zone"], answer.body["texts"]) == (None, [])


async def test_one_logs_in_with_the_new_address_only(clinic: RestClinic) -> None:
    await clinic.ask("PATCH", ME, "carl", json={"email": "carla@clinic.test"} | CURRENT)
    for email, status in (("carl@clinic.test", 401), ("CARLA@clinic.test", 200)):
        body = {"email": email, "password": "Correct-horse-7"}
        assert (await clinic.ask("POST", "/api/v1/auth/patient/login", json=body)).status == status


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"email": "DORA@clinic.test"}, "email_taken"),
        ({"email": "ada@clinic.test", "phone": "+12025550124"}, "email_taken"),
        ({"phone": "+12025550124"}, "phone_taken"),
    ],
)
async def test_an_address_or_number_in_use_is_refused_and_nothing_is_written(
    clinic: RestClinic, changes: dict[str, str], code: str
) -> None:
    before = (await clinic.ask("GET", ME, "carl")).body
    answer = await clinic.ask("PATCH", ME, "carl", json={"name": "Carla"} | changes | CURRENT)
    assert (answer.status, answer.code) == (409, code)
    assert (await clinic.ask("GET", ME, "carl")).body == before


async def test_ones_own_address_and_number_are_not_taken(clinic: RestClinic) -> None:
    own = {"email": "carl@clinic.test", "phone": "+12025550123"}
    assert (await clinic.ask("PATCH", ME, "carl", json=own)).status == 200


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ([], [""]),
        ({"name": None}, ["/name"]),
        ({"name": ""}, ["/name"]),
        ({"name": "Carl\u0000"}, ["/name"]),
        ({"name": {"$set": 1}}, ["/name"]),
        ({"email": None}, ["/email"]),
        ({"email": "carl"}, ["/email"]),
        ({"phone": None}, ["/phone"]),
        ({"phone": "+1555"}, ["/phone"]),
        ({"zone": "Europe"}, ["/zone"]),
        ({"zone": "../../etc/passwd"}, ["/zone"]),
        ({"zone": 1}, ["/zone"]),
        ({"language": None}, ["/language"]),
        ({"language": "tlh"}, ["/language"]),
        ({"texts": None}, ["/texts"]),
        ({"texts": "booked"}, ["/texts"]),
        ({"texts": ["booked", "spam"]}, ["/texts/1"]),
        ({"role": "doctor"}, ["/role"]),
        ({"password": "x"}, ["/password"]),
        ({"photo": "x"}, ["/photo"]),
        ({"id": "patient-dora"}, ["/id"]),
    ],
)
async def test_each_bad_field_is_named_and_nothing_is_written(
    clinic: RestClinic, changes: object, pointers: list[str]
) -> None:
    before = (await clinic.ask("GET", ME, "carl")).body
    answer = await clinic.ask("PATCH", ME, "carl", json=changes)
    assert (answer.status, answer.code) == (422, "invalid_request")
    assert [error["pointer"] for error in answer.body["errors"]] == pointers
    assert (await clinic.ask("GET", ME, "carl")).body == before


async def test_a_doctors_zone_is_not_changed_here(clinic: RestClinic) -> None:
    answer = await clinic.ask("PATCH", ME, "ada", json={"zone": "Asia/Kathmandu"})
    assert (answer.status, [error["pointer"] for error in answer.body["errors"]]) == (422, ["/zone"])
    assert (await clinic.ask("GET", ME, "ada")).body["zone"] == "Europe/Berlin"


async def test_what_is_wrong_with_a_zone_is_said_in_a_sentence(clinic: RestClinic) -> None:
    answer = await clinic.ask("PATCH", ME, "carl", json={"zone": "Mars/Base"})
    (wrong,) = answer.body["errors"]
    assert wrong["detail"] == "'Mars/Base' is not an IANA time zone, for example Europe/Berlin"
