"""The only module that reads the environment. `.env.example` documents each variable."""

import json
import os
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import parse_qsl, urlsplit

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from hub.clock import Timekeeper, system_clock
from hub.texting.phone_numbers import without_separators
from hub.texting.segments import outside_gsm7, units

_DEVELOPMENT_KEY = "development-only-key-never-use-it-elsewhere"
TWILIO_API_URL = "https://api.twilio.com"
_LOCALHOST = frozenset({"127.0.0.1", "::1", "localhost"})
_MAX_NAME_UNITS = 40


_PHONE_CHARACTERS = frozenset("0123456789 ().-+")
_PHONE_LENGTH = range(3, 21)
_FEWEST_DIGITS = 3


def _clinic_name(written: str, others: ValidationInfo) -> str:
    """Return the name as texts show it. Characters that GSM-7 lacks are accepted with TEXTS_UNICODE."""
    name = unicodedata.normalize("NFC", " ".join(written.split()))
    if not any(map(str.isalnum, name)) or any(unicodedata.category(each) == "Cc" for each in name):
        message = "the name has no letter or digit, or has control characters"
        raise ValueError(message)
    lacking = outside_gsm7(name)
    if lacking and not others.data.get("texts_unicode"):
        message = (
            f"GSM-7, the alphabet of texts, lacks {_listed(lacking)}. Write the name without, or set "
            "TEXTS_UNICODE=true: texts then take more segments, because a segment holds 70 characters instead of 160"
        )
        raise ValueError(message)
    if units(name) > _MAX_NAME_UNITS:
        message = f"the name may take at most {_MAX_NAME_UNITS} units of a text, and takes {units(name)}"
        raise ValueError(message)
    return name


def _clinic_phone(written: str) -> str:
    """Return the number as texts show it, with plain spaces and hyphens. It may be a national number."""
    plain = "".join(_plain(each) for each in written)
    if lacking := [each for each in dict.fromkeys(plain) if each not in _PHONE_CHARACTERS]:
        message = f"a phone number has digits, spaces and ( ) . - +, and not {_listed(lacking)}"
        raise ValueError(message)
    if len(plain) not in _PHONE_LENGTH or sum(map(str.isdigit, plain)) < _FEWEST_DIGITS:
        message = "a phone number has at least 3 digits and at most 20 characters"
        raise ValueError(message)
    return plain


def _plain(character: str) -> str:
    if character.isspace():
        return " "
    return "-" if unicodedata.category(character) == "Pd" else character


def _listed(characters: Sequence[str]) -> str:
    names = [each if each.isprintable() else f"U+{ord(each):04X}" for each in characters]
    return ", ".join(names[:-1]) + (" and " if names[1:] else "") + names[-1]


OurNumber = Annotated[str, BeforeValidator(without_separators), Field(pattern=r"^\+?[0-9]{5,15}$")]
"""E.164, or a short code."""
BaseUrl = Annotated[str, Field(pattern=r"^https?://[^\s?#]+$"), AfterValidator(lambda url: url.rstrip("/"))]
"""A URL without a slash at the end, so that paths can be appended."""


def _origin(written: str) -> str:
    parts = urlsplit(written)
    if parts.scheme not in {"http", "https"} or written != f"{parts.scheme}://{parts.netloc}" or not parts.hostname:
        raise ValueError("an origin is written like https://desk.clinic.example, without a path")
    return written


def _network(written: str) -> str:
    return str(ip_network(written))


Origin = Annotated[str, AfterValidator(_origin)]
"""An origin as browsers send it: scheme://host, with :port unless it is the scheme's default."""
Network = Annotated[str, AfterValidator(_network)]
"""An address or a network, like 10.0.0.0/8."""


class Settings(BaseSettings):
    """All settings. If `mongodb_url` or `kafka_bootstrap_servers` is unset, `make run` starts an embedded engine."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,  # `MONGODB_URL=` means "not set"
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,  # otherwise an invalid secret is printed, in spite of SecretStr
    )

    clinic_env: Literal["development", "production"] = "development"
    mongodb_url: str | None = None
    kafka_bootstrap_servers: str | None = None
    kafka_profile: Literal["kafka", "embedded"] = "kafka"
    kafka_partitions: Annotated[int, Field(ge=1, le=1024)] = 8
    kafka_replication: Annotated[int, Field(ge=1, le=9)] = 1
    kafka_session_seconds: Annotated[float, Field(ge=1, le=300)] | None = None
    jwt_secret_key: SecretStr = SecretStr(_DEVELOPMENT_KEY)
    # Former keys. They sign no new tokens; their tokens stay valid until they expire. A JSON list.
    jwt_retired_secret_keys: tuple[SecretStr, ...] = ()
    access_token_minutes: Annotated[int, Field(ge=1, le=24 * 60)] = 15
    refresh_token_days: Annotated[int, Field(ge=1, le=365)] = 30
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    data_dir: Path = Path(".data")
    photo_store: (
        Annotated[str, Field(pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._-]+)*/?$")] | None
    ) = None
    cors_origins: tuple[Origin, ...] = ()
    trusted_proxies: tuple[Network, ...] = ()
    metrics_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    # A clock other than the system clock, for tests and the demo. Set all three or none.
    clock_base: AwareDatetime | None = None
    clock_shows: AwareDatetime | None = None
    clock_rate: Annotated[float, Field(gt=0, le=10_000)] | None = None
    # Before the name, whose validation depends on it.
    texts_unicode: bool = False
    # The clinic's name and phone number in texts. The name may take 40 of the 160 units of a text.
    clinic_name: Annotated[str, AfterValidator(_clinic_name)] = "Clinic Hub"
    clinic_phone: Annotated[str, AfterValidator(_clinic_phone)] | None = None
    # The colour of buttons and links on the pages. They use it darker or lighter where text would be hard to read.
    clinic_color: Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")] = "#0b6e6e"
    twilio_account_sid: Annotated[str, Field(pattern=r"^[A-Za-z0-9]+$")] | None = None
    twilio_auth_token: SecretStr | None = None
    twilio_from_patient: OurNumber | None = None
    twilio_from_doctor: OurNumber | None = None
    twilio_base_url: BaseUrl = TWILIO_API_URL
    public_url: BaseUrl | None = None
    texts_per_second: Annotated[float, Field(gt=0, le=10_000)] = 1.0
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    bcrypt_rounds: Annotated[int, Field(ge=4, le=16)] = 12
    # Limits per account, and per network address, which a whole waiting room may share.
    signups_per_hour: Annotated[int, Field(ge=1)] = 20
    signups_per_hour_per_address: Annotated[int, Field(ge=1)] = 200
    logins_per_minute: Annotated[int, Field(ge=1)] = 10
    logins_per_minute_per_address: Annotated[int, Field(ge=1)] = 300
    # The same for commands of signed-in users. Each api process counts separately.
    writes_per_minute: Annotated[int, Field(ge=1)] = 120
    writes_per_minute_per_address: Annotated[int, Field(ge=1)] = 6000
    # Reads of doctors and free times without a log-in, per network address. Each api process counts separately.
    visitor_reads_per_minute_per_address: Annotated[int, Field(ge=1)] = 600
    # The memory that each api process may take for its live views, in MiB.
    view_memory_mb: Annotated[int, Field(ge=1, le=65536)] = 256

    @field_validator("*", mode="before")
    @classmethod
    def _trim(cls, given: object) -> object:
        """Remove white space around a text, and refuse a text that is nothing else."""
        return _trimmed(given)

    @model_validator(mode="after")
    def _check_clock(self) -> Self:
        given = [value is not None for value in (self.clock_base, self.clock_shows, self.clock_rate)]
        if any(given) and not all(given):
            message = "CLOCK_BASE, CLOCK_SHOWS and CLOCK_RATE are set together or not at all"
            raise ValueError(message)
        if any(given) and self.clinic_env != "development":
            message = "CLOCK_BASE, CLOCK_SHOWS and CLOCK_RATE are for development only: patients live by the real time"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_twilio(self) -> Self:
        names = ("twilio_account_sid", "twilio_auth_token", "twilio_from_patient", "twilio_from_doctor")
        missing = [name.upper() for name in names if getattr(self, name) is None]
        if 0 < len(missing) < len(names):
            message = f"{' and '.join(missing)} must be set too: set all four TWILIO_… variables or none"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_public_url(self) -> Self:
        if self.twilio_account_sid is None:
            return self
        # The Twilio stub on this machine does not need it.
        if self.public_url is None and urlsplit(self.twilio_base_url).hostname not in _LOCALHOST:
            message = (
                "PUBLIC_URL must be set with TWILIO_…: the https URL at which Twilio reaches the api, to deliver "
                "inbound texts and delivery reports"
            )
            raise ValueError(message)
        if self.public_url and self.clinic_env == "production" and not self.public_url.startswith("https://"):
            message = "PUBLIC_URL must begin with https:// in production: Twilio posts patients' texts to it"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_production(self) -> Self:
        if self.clinic_env == "development":
            return self
        for name in ("jwt_secret_key", "jwt_retired_secret_keys"):
            keys: SecretStr | tuple[SecretStr, ...] = getattr(self, name)
            if not all(map(_is_strong, keys if isinstance(keys, tuple) else (keys,))):
                message = f"{name.upper()} needs at least 32 unpredictable bytes outside development"
                raise ValueError(message)
        missing = [n for n in ("mongodb_url", "kafka_bootstrap_servers") if getattr(self, n) is None]
        if missing:
            names = " and ".join(name.upper() for name in missing)
            message = f"{names} must be set: the embedded engines are for development only"
            raise ValueError(message)
        if unsafe := _unsafe_writes(self.mongodb_url or ""):
            message = (
                f"MONGODB_URL says {unsafe}: a write that only one server has is lost when another becomes primary. "
                "Leave it out; the hub has every write acknowledged by a majority, in their journals"
            )
            raise ValueError(message)
        return self


def _trimmed(given: object) -> object:
    match given:
        case str():
            if not given.strip():
                message = "is blank: give it a value, or leave the variable out"
                raise ValueError(message)
            return given.strip()
        case list() | tuple():
            return tuple(map(_trimmed, given))
        case _:
            return given


def mongodb_options(url: str) -> dict[str, str]:
    """Return the options of a MongoDB URL, their names in lower case: MongoDB does not tell cases apart."""
    return {name.lower(): value for name, value in parse_qsl(urlsplit(url).query)}


def _unsafe_writes(url: str) -> str | None:
    """Return the option of the URL by which a write would be acknowledged before it is safe."""
    options = mongodb_options(url)
    if options.get("w", "majority") != "majority":
        return f"w={options['w']}"
    return next((f"{name}=false" for name in ("journal", "j") if options.get(name) == "false"), None)


def _is_strong(key: SecretStr) -> bool:
    secret, minimum = key.get_secret_value(), 32
    return secret != _DEVELOPMENT_KEY and len(secret.encode()) >= minimum and len(set(secret)) >= minimum // 4


_PREFIX = "Value error, "
"""What pydantic writes before the message of a ValueError."""


class BadSettings(Exception):
    """The settings are not valid. The message names each variable and its problem."""


def load(**overrides: object) -> Settings:
    """Read the environment and `.env`. `overrides` take precedence. Raises `BadSettings` with one line per problem."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # pydantic validates them and reports per field
    except ValidationError as error:
        lines = [
            f"{'.'.join(map(str, problem['loc'])).upper() or 'SETTINGS'}: {problem['msg'].removeprefix(_PREFIX)}"
            for problem in error.errors(include_input=False, include_url=False, include_context=False)
        ]
        raise BadSettings("\n".join(lines)) from None
    except SettingsError as error:
        raise BadSettings(str(error)) from None


def clock_settings(shows: datetime | None, rate: float) -> dict[str, object]:
    """Return the CLOCK_… settings of a clock that shows `shows` now and runs `rate` times as fast as real time.

    A naive `shows` is UTC. None means the current time.
    """
    now = system_clock()
    if shows is None and rate == 1:
        return {}
    shown = shows.replace(tzinfo=shows.tzinfo or UTC) if shows else now
    return {"clock_base": now, "clock_shows": shown, "clock_rate": rate}


def timekeeper(settings: Settings) -> Timekeeper:
    """Return the clock of these settings: the system clock unless CLOCK_… are set."""
    base, shows, rate = settings.clock_base, settings.clock_shows, settings.clock_rate
    if base is None or shows is None or rate is None:
        return system_clock
    return Timekeeper(base=base, shows=shows, rate=rate)


def address(settings: Settings, field: Literal["mongodb_url", "kafka_bootstrap_servers"]) -> str:
    """Return the address of a service. Raises `BadSettings` if it is not set: only `clinic-hub run` starts its own."""
    value: str | None = getattr(settings, field)
    if value is None:
        raise BadSettings(f"{field.upper()}: not set. `clinic-hub run` starts an embedded service and sets it.")
    return value


def public_url(settings: Settings) -> str:
    """Return the public base URL of the api, without a slash at the end."""
    return settings.public_url or f"http://{settings.host}:{settings.port}"


def address_elsewhere(settings: Settings) -> str | None:
    """Return PUBLIC_URL, or None if it is missing or names this machine itself.

    `make run` sets it to the address on which it listens, for the Twilio stub. Clients may use another address.
    """
    public = settings.public_url
    return None if public is None or urlsplit(public).hostname in {*_LOCALHOST, settings.host} else public


def child_environment(settings: Settings) -> dict[str, str]:
    """Return an environment in which a child process loads exactly these settings."""
    inherited = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    given = {name.upper(): as_text(value) for name, value in settings if value is not None}
    return inherited | given


def as_text(value: object) -> str:
    """Format a setting for the environment: plain text, or JSON for a list."""
    match value:
        case SecretStr():
            return value.get_secret_value()
        case tuple():
            return json.dumps([as_text(each) for each in value])
        case _:
            return str(value)
