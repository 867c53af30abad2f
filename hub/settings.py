"""The only module that reads the environment. `.env.example` documents each variable."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AwareDatetime, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from hub.clock import Timekeeper, machine_time, system_clock
from hub.safety import DEVELOPMENT_KEY, LOCALHOST, check_kafka, problems_in_production, problems_of_development
from hub.scheduling.line import OfferPolicy
from hub.secret_files import with_secrets_from_files
from hub.setting_values import (
    BaseUrl,
    ClinicName,
    ClinicPhone,
    DaysKept,
    HoursOfDay,
    Network,
    Origin,
    OurNumber,
    minutes_of_hours,
)
from hub.validation import says

TWILIO_API_URL = "https://api.twilio.com"


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
    mongodb_url_file: Path | None = None
    kafka_bootstrap_servers: str | None = None
    kafka_profile: Literal["kafka", "embedded"] = "kafka"
    kafka_partitions: Annotated[int, Field(ge=1, le=1024)] = 8
    kafka_replication: Annotated[int, Field(ge=1, le=9)] = 1
    # Hours that a message is kept in the topics that the hub creates; 0: for ever.
    kafka_retention_hours: Annotated[int, Field(ge=0, le=24 * 365)] = 24
    unprotected_engines: bool = False
    kafka_session_seconds: Annotated[float, Field(ge=1, le=300)] | None = None
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN", "OAUTHBEARER"] = "SCRAM-SHA-512"
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_sasl_password_file: Path | None = None
    kafka_token_url: BaseUrl | None = None
    kafka_token_scope: str | None = None
    kafka_ca_file: Path | None = None
    kafka_cert_file: Path | None = None
    kafka_key_file: Path | None = None
    jwt_secret_key: SecretStr = SecretStr(DEVELOPMENT_KEY)
    jwt_secret_key_file: Path | None = None
    # Former keys. They sign no new tokens; their tokens stay valid until they expire. A JSON list.
    jwt_retired_secret_keys: tuple[SecretStr, ...] = ()
    jwt_retired_secret_keys_file: Path | None = None
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
    clinic_name: ClinicName = "Clinic Hub"
    clinic_phone: ClinicPhone | None = None
    # The colour of buttons and links on the pages. They use it darker or lighter where text would be hard to read.
    clinic_color: Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")] = "#0b6e6e"
    twilio_account_sid: Annotated[str, Field(pattern=r"^[A-Za-z0-9]+$")] | None = None
    twilio_auth_token: SecretStr | None = None
    twilio_auth_token_file: Path | None = None
    twilio_from_patient: OurNumber | None = None
    twilio_from_doctor: OurNumber | None = None
    twilio_base_url: BaseUrl = TWILIO_API_URL
    public_url: BaseUrl | None = None
    texts_per_second: Annotated[float, Field(gt=0, le=10_000)] = 1.0
    # Offers from the waitlist: how long one stands, how near it may be, and when texts may be sent (doctor's clock).
    waitlist_offer_minutes: Annotated[int, Field(ge=1, le=7 * 24 * 60)] = 30
    waitlist_lead_minutes: Annotated[int, Field(ge=31, le=7 * 24 * 60)] = 60
    waitlist_hours: HoursOfDay = "08:00-21:00"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    bcrypt_rounds: Annotated[int, Field(ge=4, le=16)] = 12
    # Limits per account, and per network address, which a whole waiting room may share.
    signups_per_hour: Annotated[int, Field(ge=1)] = 20
    signups_per_hour_per_address: Annotated[int, Field(ge=1)] = 200
    logins_per_minute: Annotated[int, Field(ge=1)] = 10
    logins_per_minute_per_address: Annotated[int, Field(ge=1)] = 300
    # Codes by text: of one account, and asked for from one network address. Each costs the clinic a text.
    codes_per_hour: Annotated[int, Field(ge=1)] = 6
    codes_per_hour_per_address: Annotated[int, Field(ge=1)] = 60
    # The same for commands of signed-in users. Each api process counts separately.
    writes_per_minute: Annotated[int, Field(ge=1)] = 120
    writes_per_minute_per_address: Annotated[int, Field(ge=1)] = 6000
    # A second factor of doctors and receptionists: none, for those who want one, or for all.
    staff_second_factor: Literal["off", "optional", "required"] = "optional"
    # Whether patients who sign up must prove their phone before they get texts. Unset: required in production only.
    phone_verification: Literal["optional", "required"] | None = None
    # Whether a sign-up makes an account only with the code that was texted to the phone. Unset: required in production
    # where phones must be proven and texts can be sent.
    sign_up_confirmation: Literal["optional", "required"] | None = None
    # Appointments to come of one patient, 0: any number. The people of the clinic may book more.
    active_appointments_per_patient: Annotated[int, Field(ge=0, le=1000)] = 8
    # Reads of each signed-in user. Each api process counts separately.
    reads_per_minute: Annotated[int, Field(ge=1)] = 6000
    # Per network address: reads of doctors and free times without a log-in, of calendar links, and refreshes of tokens.
    visitor_reads_per_minute_per_address: Annotated[int, Field(ge=1)] = 600
    # How long a line of the access log is kept.
    audit_days: Annotated[int, Field(ge=1, le=3650)] = 365
    # Days that texts, and texts of patients, are kept; 0: for ever.
    text_days: DaysKept = 365
    inbound_text_days: DaysKept = 365
    # The memory that each api process may take for its live views, in MiB.
    view_memory_mb: Annotated[int, Field(ge=1, le=65536)] = 256

    @property
    def phones_must_be_proven(self) -> bool:
        """Whether texts about appointments go only to phones that their owners have proven."""
        return (
            self.phone_verification or ("required" if self.clinic_env == "production" else "optional")
        ) == "required"

    @property
    def sign_ups_must_be_confirmed(self) -> bool:
        """Whether a sign-up makes an account only with the code that was texted to the phone."""
        if self.sign_up_confirmation is not None:
            return self.sign_up_confirmation == "required"
        # Without texts nobody could sign up.
        sends = self.twilio_account_sid is not None
        return self.clinic_env == "production" and self.phones_must_be_proven and sends

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, given: dict[str, object]) -> dict[str, object]:
        """Put what is in the files of the variables NAME_FILE into NAME. Afterwards NAME_FILE is not set."""
        return with_secrets_from_files(given)

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
        return self

    @model_validator(mode="after")
    def _check_kafka(self) -> Self:
        check_kafka(self)
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
        if self.public_url is None and urlsplit(self.twilio_base_url).hostname not in LOCALHOST:
            message = (
                "PUBLIC_URL must be set with TWILIO_…: the https URL at which Twilio reaches the api, to deliver "
                "inbound texts and delivery reports"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_sign_up(self) -> Self:
        if self.sign_ups_must_be_confirmed and not self.phones_must_be_proven:
            message = (
                "SIGN_UP_CONFIRMATION=required needs PHONE_VERIFICATION=required: the code that confirms a sign-up "
                "proves the phone"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_safety(self) -> Self:
        keys = {
            "JWT_SECRET_KEY": (self.jwt_secret_key.get_secret_value(),),
            "JWT_RETIRED_SECRET_KEYS": tuple(each.get_secret_value() for each in self.jwt_retired_secret_keys),
        }
        if self.clinic_env == "production":
            problems = problems_in_production(self, keys)
        else:
            problems = problems_of_development(self, built_in_key=DEVELOPMENT_KEY in keys["JWT_SECRET_KEY"])
        if problems:
            raise ValueError("\n".join(problems))
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


class BadSettings(Exception):
    """The settings are not valid. The message names each variable and its problem."""


def load(**overrides: object) -> Settings:
    """Read the environment and `.env`. `overrides` take precedence. Raises `BadSettings` with one line per problem."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # pydantic validates them and reports per field
    except ValidationError as error:
        lines = [
            f"{'.'.join(map(str, problem['loc'])).upper() or 'SETTINGS'}: {line}"
            for problem in error.errors(include_input=False, include_url=False, include_context=False)
            for line in says(problem).splitlines()
        ]
        raise BadSettings("\n".join(lines)) from None
    except SettingsError as error:
        raise BadSettings(str(error)) from None


def clock_settings(shows: datetime | None, rate: float) -> dict[str, object]:
    """Return the CLOCK_… settings of a clock that shows `shows` now and runs `rate` times as fast as real time.

    A naive `shows` is UTC. None means the current time.
    """
    if shows is None and rate == 1:
        return {}
    shown = shows.replace(tzinfo=shows.tzinfo or UTC) if shows else system_clock()
    return {"clock_base": machine_time(), "clock_shows": shown, "clock_rate": rate}


def timekeeper(settings: Settings) -> Timekeeper:
    """Return the clock of these settings: the system clock unless CLOCK_… are set."""
    base, shows, rate = settings.clock_base, settings.clock_shows, settings.clock_rate
    if base is None or shows is None or rate is None:
        return system_clock
    return Timekeeper(base=base, shows=shows, rate=rate)


def offer_policy(settings: Settings) -> OfferPolicy:
    """Return how offers from the waitlist are made."""
    opens, closes = minutes_of_hours(settings.waitlist_hours)
    return OfferPolicy(
        offer_for=timedelta(minutes=settings.waitlist_offer_minutes),
        lead=timedelta(minutes=settings.waitlist_lead_minutes),
        opens=opens,
        closes=closes,
    )


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
    return None if public is None or urlsplit(public).hostname in {*LOCALHOST, settings.host} else public


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
