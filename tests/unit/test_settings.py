"""The settings: validation, the environment of a child process, and the accuracy of `.env.example`."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from hub.secret_files import SECRETS, with_secrets_from_files
from hub.settings import BadSettings, Settings, child_environment, clock_settings, load, public_url
from hub.texting.segments import outside_gsm7

STRONG_KEY = "q0Zr7_vTn2kLx9WbYc4Dh8JsPe6MuA1fGi3RtXo5VwK"
EXAMPLE = Path(__file__).parents[2] / ".env.example"
_PRODUCTION = {
    "CLINIC_ENV": "production",
    "JWT_SECRET_KEY": STRONG_KEY,
    "MONGODB_URL": "mongodb://clinic:hunter2@db.example/clinic?tls=true",
    "KAFKA_BOOTSTRAP_SERVERS": "kafka.example:9093",
    "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "KAFKA_SASL_USERNAME": "clinic-api",
    "KAFKA_SASL_PASSWORD": "hunter2",
}
_LINE = re.compile(r"^#? ?([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)  # away from a developer's own `.env`


def test_the_example_explains_every_setting_and_no_other() -> None:
    named = [name for name, _ in _LINE.findall(EXAMPLE.read_text())]
    assert sorted(named) == sorted(name.upper() for name in Settings.model_fields)


def test_the_values_in_the_example_are_those_that_hold_when_nothing_is_set(tmp_path: Path) -> None:
    given = dict(_LINE.findall(EXAMPLE.read_text()))
    (tmp_path / ".env").write_text("\n".join(f"{name}={value}" for name, value in given.items()))
    assert load() == Settings.model_construct(None)


def test_each_bad_value_is_named_and_none_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "hunter2")
    monkeypatch.setenv("BCRYPT_ROUNDS", "99")
    with pytest.raises(BadSettings) as refused:
        load()
    lines = str(refused.value).splitlines()
    assert [line.split(":")[0] for line in lines] == ["PORT", "BCRYPT_ROUNDS"]
    assert "hunter2" not in str(refused.value)


def test_a_list_that_is_no_json_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ORIGINS", "https://desk.clinic.example")
    with pytest.raises(BadSettings, match="cors_origins"):
        load()


@pytest.mark.parametrize(
    "key",
    [
        "",  # the built-in key
        "hunter2",
        "a" * 64,
        "correct horse " * 4,
        "abcdefghijklmnopqrstuvwxyz0123456789",
        "0123456789" * 6 + "01234",
        "abababababababababababababababababababababcd",
    ],
)
def test_production_refuses_a_weak_key_without_showing_it(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("CLINIC_ENV", "production")
    monkeypatch.setenv("JWT_SECRET_KEY", key)
    with pytest.raises(BadSettings, match="JWT_SECRET_KEY needs at least 32 unpredictable bytes") as refused:
        load()
    assert not key or key not in str(refused.value)


def test_production_refuses_a_weak_retired_key_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLINIC_ENV", "production")
    monkeypatch.setenv("JWT_SECRET_KEY", STRONG_KEY)
    monkeypatch.setenv("JWT_RETIRED_SECRET_KEYS", '["hunter2"]')
    with pytest.raises(BadSettings, match="JWT_RETIRED_SECRET_KEYS needs at least 32") as refused:
        load()
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "key",
    [
        STRONG_KEY,
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "b7e23ec29af22b0b4e41da31e868d572",
    ],
)
def test_a_random_key_is_taken_in_any_notation(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    for name, value in {**_PRODUCTION, "JWT_SECRET_KEY": key}.items():
        monkeypatch.setenv(name, value)
    assert load().jwt_secret_key.get_secret_value() == key


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"MONGODB_URL": "mongodb://db.example/clinic"}, "MONGODB_URL must have a user and password and tls=true"),
        ({"MONGODB_URL": "mongodb://u:hunter2@db.example/clinic"}, "MONGODB_URL must have tls=true"),
        ({"MONGODB_URL": "mongodb://127.0.0.1,db.example/clinic?tls=true"}, "MONGODB_URL must have a user"),
        ({"MONGODB_URL": "mongodb+srv://u:hunter2@db.example/clinic?tls=false"}, "MONGODB_URL must have tls=true"),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"}, "KAFKA_SECURITY_PROTOCOL=SASL_PLAINTEXT: in production"),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SASL_USERNAME": "", "KAFKA_SASL_PASSWORD": ""},
            "KAFKA_SECURITY_PROTOCOL=SSL: in production the hub reaches Kafka by TLS and log-in",
        ),
    ],
)
def test_production_reaches_engines_on_other_machines_by_tls_and_log_in(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], says: str
) -> None:
    for name, value in {**_PRODUCTION, **changed}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings) as refused:
        load()
    assert says in str(refused.value)
    assert "hunter2" not in str(refused.value)
    monkeypatch.setenv("UNPROTECTED_ENGINES", "true")
    assert load().unprotected_engines


@pytest.mark.parametrize(
    "changed",
    [
        {"MONGODB_URL": "mongodb+srv://u:hunter2@db.example/clinic"},
        {"MONGODB_URL": "mongodb://db.example/clinic?tls=true&authMechanism=MONGODB-X509"},
        {"MONGODB_URL": "mongodb://localhost/clinic"},
        {
            "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092",
            "KAFKA_SECURITY_PROTOCOL": "PLAINTEXT",
            "KAFKA_SASL_USERNAME": "",
            "KAFKA_SASL_PASSWORD": "",
        },
        {
            "KAFKA_SECURITY_PROTOCOL": "SSL",
            "KAFKA_CERT_FILE": "hub.pem",
            "KAFKA_SASL_USERNAME": "",
            "KAFKA_SASL_PASSWORD": "",
        },
    ],
)
def test_production_takes_engines_that_are_protected_or_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, str]
) -> None:
    for name, value in {**_PRODUCTION, **changed}.items():
        monkeypatch.setenv(name, value)
    assert load().clinic_env == "production"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD must be set"),
        (
            {
                "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
                "KAFKA_SASL_MECHANISM": "OAUTHBEARER",
                "KAFKA_SASL_USERNAME": "hub",
                "KAFKA_SASL_PASSWORD": "hunter2",
            },
            "KAFKA_TOKEN_URL must be set",
        ),
        ({"KAFKA_SASL_PASSWORD": "hunter2"}, "KAFKA_SASL_PASSWORD would not be used"),
        ({"KAFKA_CA_FILE": "ca.pem"}, "KAFKA_CA_FILE would not be used"),
        ({"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_KEY_FILE": "key.pem"}, "KAFKA_KEY_FILE needs KAFKA_CERT_FILE"),
    ],
)
def test_settings_for_kafka_that_do_not_fit_together_are_named(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], says: str
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings) as refused:
        load()
    assert says in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_every_secret_can_be_in_a_file(tmp_path: Path) -> None:
    of_secrets = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    assert {*of_secrets, "mongodb_url"} == set(SECRETS)
    file = tmp_path / "secret"
    file.write_text(f"{STRONG_KEY}\n")
    for name in SECRETS:
        assert f"{name}_file" in Settings.model_fields
        given = with_secrets_from_files({f"{name}_file": str(file)})[name]
        assert given == ((STRONG_KEY,) if name == "jwt_retired_secret_keys" else STRONG_KEY)


def test_a_key_from_a_file_is_the_key_of_this_process_and_of_those_it_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.write_text(f"{STRONG_KEY}\n")
    (tmp_path / "former").write_text("first\nsecond\n")
    monkeypatch.setenv("JWT_SECRET_KEY_FILE", str(file))
    monkeypatch.setenv("JWT_RETIRED_SECRET_KEYS_FILE", str(tmp_path / "former"))
    settings = load()
    assert settings.jwt_secret_key == SecretStr(STRONG_KEY)
    assert settings.jwt_retired_secret_keys == (SecretStr("first"), SecretStr("second"))
    for name in ("JWT_SECRET_KEY_FILE", "JWT_RETIRED_SECRET_KEYS_FILE"):
        monkeypatch.delenv(name)
    for name, value in child_environment(settings).items():
        monkeypatch.setenv(name, value)
    assert load() == settings


@pytest.mark.parametrize(
    ("content", "also", "says"),
    [
        (None, "", "JWT_SECRET_KEY_FILE: .*nothing cannot be read .No such file"),
        ("", "", "JWT_SECRET_KEY_FILE: .* has 0 lines"),
        ("one\ntwo\n", "", "JWT_SECRET_KEY_FILE: .* has 2 lines"),
        ("one", "hunter2", "JWT_SECRET_KEY and JWT_SECRET_KEY_FILE are both set"),
    ],
)
def test_a_secret_file_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None, also: str, says: str
) -> None:
    file = tmp_path / "nothing"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("JWT_SECRET_KEY_FILE", str(file))
    monkeypatch.setenv("JWT_SECRET_KEY", also)
    with pytest.raises(BadSettings, match=says) as refused:
        load()
    assert "hunter2" not in str(refused.value)


def test_production_names_everything_that_it_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {
        "JWT_SECRET_KEY": "hunter2",
        "JWT_RETIRED_SECRET_KEYS": '["hunter3"]',
        "MONGODB_URL": "mongodb://db/clinic?w=1",
        "BCRYPT_ROUNDS": "4",
        "TWILIO_BASE_URL": "http://twilio.example",
        "PUBLIC_URL": "http://hub.example",
        "CLOCK_BASE": "2026-01-01T00:00:00Z",
        "CLOCK_SHOWS": "2027-01-01T00:00:00Z",
        "CLOCK_RATE": "2",
    }
    for name, value in {**_PRODUCTION, **_TWILIO, **wrong}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS")
    with pytest.raises(BadSettings) as refused:
        load()
    lines = str(refused.value).splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["SETTINGS:", name]
        for name in (
            "JWT_SECRET_KEY",
            "JWT_RETIRED_SECRET_KEYS",
            "KAFKA_BOOTSTRAP_SERVERS",
            "MONGODB_URL",
            "MONGODB_URL",
            "PUBLIC_URL",
            "TWILIO_BASE_URL",
            "BCRYPT_ROUNDS",
            "CLOCK_BASE,",
        )
    ]
    assert "hunter" not in str(refused.value)


@pytest.mark.parametrize(
    ("reached", "where"),
    [
        ({"HOST": "0.0.0.0"}, "HOST=0.0.0.0"),
        ({"MONGODB_URL": "mongodb://db.example/clinic"}, "MONGODB_URL on another machine"),
    ],
)
def test_the_built_in_key_and_another_clock_stay_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, reached: dict[str, str], where: str
) -> None:
    for name, value in reached.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings, match=f"JWT_SECRET_KEY must be set with .*{where}"):
        load()
    monkeypatch.setenv("JWT_SECRET_KEY", "any key of one's own")
    assert load().clinic_env == "development"
    with pytest.raises(BadSettings, match=f"CLOCK_BASE.*cannot be used with .*{where}"):
        load(**clock_settings(None, 2.0))


def test_retired_keys_reach_a_child_process_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_RETIRED_SECRET_KEYS", '["first", "second"]')
    settings = load()
    for name, value in child_environment(settings).items():
        monkeypatch.setenv(name, value)
    assert load().jwt_retired_secret_keys == (SecretStr("first"), SecretStr("second"))


def test_production_refuses_the_embedded_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLINIC_ENV", "production")
    monkeypatch.setenv("JWT_SECRET_KEY", STRONG_KEY)
    with pytest.raises(BadSettings, match="MONGODB_URL and KAFKA_BOOTSTRAP_SERVERS must be set"):
        load()


@pytest.mark.parametrize("option", ["w=1", "W=0", "journal=false", "j=false"])
def test_production_refuses_writes_that_an_election_could_undo(monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    monkeypatch.setenv("CLINIC_ENV", "production")
    monkeypatch.setenv("JWT_SECRET_KEY", STRONG_KEY)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092")
    monkeypatch.setenv("MONGODB_URL", f"mongodb://clinic:hunter2@db/clinic?replicaSet=rs0&tls=true&{option}")
    with pytest.raises(BadSettings, match="MONGODB_URL says") as raised:
        load()
    assert option.lower() in str(raised.value)
    assert "hunter2" not in str(raised.value)
    monkeypatch.setenv(
        "MONGODB_URL", "mongodb://clinic:hunter2@db/clinic?replicaSet=rs0&tls=true&w=majority&journal=true"
    )
    assert load().clinic_env == "production"


def test_a_child_loads_exactly_the_settings_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = Settings.model_construct(
        None,
        mongodb_url="mongodb://db.example/clinic",
        jwt_secret_key=SecretStr(STRONG_KEY),
        cors_origins=("https://desk.clinic.example", "https://door.clinic.example"),
        data_dir=Path("/somewhere/else"),
        port=8123,
    )
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "not for the child")
    for name, value in child_environment(wanted).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS")
    assert "KAFKA_BOOTSTRAP_SERVERS" not in child_environment(wanted)
    assert load() == wanted


def test_a_child_keeps_the_rest_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "de_AT.UTF-8")
    assert child_environment(load())["LANG"] == "de_AT.UTF-8"


_TWILIO = {
    "TWILIO_ACCOUNT_SID": "AC1",
    "TWILIO_AUTH_TOKEN": "hunter2",
    "TWILIO_FROM_PATIENT": "+12025550100",
    "TWILIO_FROM_DOCTOR": "12345",
}
_PUBLIC = "https://hub.example"


@pytest.mark.parametrize("missing", _TWILIO)
def test_the_twilio_settings_are_all_set_or_none(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    for name, value in _TWILIO.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PUBLIC_URL", _PUBLIC)
    assert load().twilio_account_sid == "AC1"

    monkeypatch.delenv(missing)

    with pytest.raises(BadSettings, match=missing) as refused:
        load()
    assert "hunter2" not in str(refused.value)


def test_twilio_needs_a_public_url_unless_it_is_a_stub_on_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in _TWILIO.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings, match="PUBLIC_URL must be set") as refused:
        load()
    assert "hunter2" not in str(refused.value)
    with pytest.raises(BadSettings, match="PUBLIC_URL must be set"):
        load(twilio_base_url="https://api.dublin.ie1.twilio.com")
    assert load(public_url="http://hub.example").public_url == "http://hub.example"  # a tunnel of a developer's
    assert load(twilio_base_url="http://127.0.0.1:9000").public_url is None


def test_in_production_texts_come_in_over_https_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in _TWILIO.items():
        monkeypatch.setenv(name, value)
    production = {
        "clinic_env": "production",
        "jwt_secret_key": STRONG_KEY,
        "mongodb_url": "mongodb://db.example/clinic",
        "kafka_bootstrap_servers": "kafka.example:9092",
        "unprotected_engines": True,
    }
    with pytest.raises(BadSettings, match="PUBLIC_URL must begin with https"):
        load(**production, public_url="http://hub.example")
    assert load(**production, public_url=_PUBLIC).public_url == _PUBLIC


@pytest.mark.parametrize("name", ["", "  ", "\t", "\N{NO-BREAK SPACE}", "--", "N" * 41, "N" + "[" * 20, "A\x00B"])
@pytest.mark.parametrize("unicode", [False, True])
def test_a_clinic_name_that_is_blank_or_too_long_is_refused(name: str, *, unicode: bool) -> None:
    if unicode and "[" in name:
        name = "ã" * 41
    with pytest.raises(BadSettings, match="CLINIC_NAME"):
        load(clinic_name=name, texts_unicode=unicode)


@pytest.mark.parametrize("name", ["N" * 40, "N" + "[" * 19, "Clinique d'été & fils"])
def test_a_clinic_name_of_plain_characters_is_taken(name: str) -> None:
    assert load(clinic_name=name).clinic_name == name
    assert load(clinic_name=name, texts_unicode=True).clinic_name == name


@pytest.mark.parametrize(
    ("name", "lacking"),
    [
        ("Clínica São José", "í and ã"),
        ("Ιατρείο Αθηνών", "Ι, α, τ, ρ, ε, ί, ο, Α, θ, η, ν and ώ"),  # noqa: RUF001  # letters of other scripts are the point
        ("Клиника", "К, л, и, н, к and а"),  # noqa: RUF001  # letters of other scripts are the point
        ("Anna\N{RIGHT SINGLE QUOTATION MARK}s", "\N{RIGHT SINGLE QUOTATION MARK}"),
        ("Riverside\N{ZERO WIDTH SPACE}Clinic", r"U\+200B"),
    ],
)
def test_characters_of_the_name_that_gsm7_lacks_are_named_and_taken_if_texts_may_be_unicode(
    monkeypatch: pytest.MonkeyPatch, name: str, lacking: str
) -> None:
    monkeypatch.setenv("CLINIC_NAME", name)
    with pytest.raises(BadSettings, match=rf"^CLINIC_NAME: GSM-7.* lacks {lacking}\. .*TEXTS_UNICODE=true"):
        load()
    monkeypatch.setenv("TEXTS_UNICODE", "true")
    assert load().clinic_name == name


def test_white_space_and_composition_of_the_name_are_normalized() -> None:
    assert load(clinic_name=" Riverside \n\N{NO-BREAK SPACE}Clinic ").clinic_name == "Riverside Clinic"
    assert load(clinic_name="Cafe\N{COMBINING ACUTE ACCENT} Clinic").clinic_name == "Café Clinic"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("030 1234", "030 1234"),
        (" +44 20 7946 0000 ", "+44 20 7946 0000"),
        ("+55\N{NO-BREAK SPACE}11\N{EN DASH}5555", "+55 11-5555"),
    ],
)
def test_the_clinics_phone_is_shown_in_plain_characters(written: str, shown: str) -> None:
    assert load(clinic_phone=written).clinic_phone == shown
    assert outside_gsm7(shown) == []


def test_the_numbers_of_texts_may_be_written_with_spaces() -> None:
    assert (
        load(
            **{name.lower(): value for name, value in _TWILIO.items()}
            | {"twilio_from_patient": "+1 (202) 555-0100", "public_url": _PUBLIC}
        ).twilio_from_patient
        == "+12025550100"
    )


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_a_setting_of_white_space_is_refused_and_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name.upper(), "  ")
    with pytest.raises(BadSettings, match=f"(?i){name}"):
        load()


def test_white_space_around_a_setting_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PORT": " 8123 ", "HOST": "localhost\n", "PUBLIC_URL": " https://hub.example/ "}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("JWT_SECRET_KEY", "a key\n")
    monkeypatch.setenv("JWT_RETIRED_SECRET_KEYS", '[" another\\n"]')
    settings = load()
    assert (settings.port, settings.host, settings.public_url) == (8123, "localhost", "https://hub.example")
    assert settings.jwt_secret_key.get_secret_value() == "a key"
    assert settings.jwt_retired_secret_keys[0].get_secret_value() == "another"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("clinic_phone", "call us"),
        ("clinic_phone", "  "),
        ("clinic_phone", "()("),
        ("clinic_phone", "0" * 21),
        ("twilio_from_patient", "clinic"),
        ("twilio_base_url", "api.resources.twilio.com"),
        ("public_url", "https://hub.example/?a=1"),
        ("texts_per_second", 0),
    ],
)
def test_a_setting_of_texts_that_cannot_work_is_refused(field: str, value: object) -> None:
    with pytest.raises(BadSettings, match=field.upper()):
        load(**{field: value})


def test_the_public_address_has_no_slash_at_its_end_and_is_where_the_api_listens_unless_it_is_set() -> None:
    assert public_url(load(port=8123)) == "http://127.0.0.1:8123"
    assert public_url(load(public_url="https://hub.example/")) == "https://hub.example"


_SENDS = {**_TWILIO, "PUBLIC_URL": _PUBLIC}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, "optional"),
        ({"PHONE_VERIFICATION": "required"}, "optional"),
        ({**_SENDS, "PHONE_VERIFICATION": "required"}, "optional"),
        ({"PHONE_VERIFICATION": "required", "SIGN_UP_CONFIRMATION": "required"}, "required"),
        ({**_PRODUCTION}, "optional"),
        ({**_PRODUCTION, **_SENDS}, "required"),
        ({**_PRODUCTION, **_SENDS, "PHONE_VERIFICATION": "optional"}, "optional"),
        ({**_PRODUCTION, **_SENDS, "SIGN_UP_CONFIRMATION": "optional"}, "optional"),
    ],
)
def test_sign_ups_must_be_confirmed_in_production_that_sends_texts(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], wanted: str
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert load().sign_ups_must_be_confirmed is (wanted == "required")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "SIGN_UP_CONFIRMATION=required needs PHONE_VERIFICATION=required"),
        (
            {**_PRODUCTION, **_SENDS, "PHONE_VERIFICATION": "optional"},
            "SIGN_UP_CONFIRMATION=required needs PHONE_VERIFICATION=required",
        ),
        (_PRODUCTION, "SIGN_UP_CONFIRMATION=required needs the four TWILIO_… variables"),
    ],
)
def test_a_confirmation_by_a_code_that_cannot_be_is_refused(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], says: str
) -> None:
    for name, value in {**given, "SIGN_UP_CONFIRMATION": "required"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings, match=re.escape(says)):
        load()
