"""Runs all checks: first of the settings, then of the services they name."""

from collections.abc import Iterable, Iterator

from hub.bus.broker_config import broker_config
from hub.ops.checkup.broker import check_broker
from hub.ops.checkup.database import check_database
from hub.ops.checkup.finding import Finding
from hub.ops.checkup.texts import check_texts
from hub.ops.checkup.twilio import Account, check_twilio
from hub.ops.local.data_dir_lock import find_run
from hub.settings import BadSettings, Settings, load
from hub.texting.segments import outside_gsm7
from hub.texting.wording import Clinic, most_segments

_NO_RUN = "no hub that runs on DATA_DIR has started its own: see `make run`"
_MARKS = {"fine": "✓", "note": "·", "wrong": "✗"}


async def check() -> list[Finding]:
    """Return all findings for this environment; changes nothing."""
    try:
        settings = _of_run(load())
    except BadSettings as error:
        return [Finding("settings", "wrong", line) for line in str(error).splitlines()]
    return [
        *_settings(settings),
        *await _database(settings),
        *await _broker(settings),
        *await _photos(settings),
        *await _twilio(settings),
    ]


def lines(findings: Iterable[Finding]) -> Iterator[str]:
    """Return one line for each finding."""
    for finding in findings:
        yield f"{_MARKS[finding.grade]}  {finding.part:9} {finding.says}"


def _settings(settings: Settings) -> list[Finding]:
    findings = [Finding("settings", "fine", f"Valid, for {settings.clinic_env}.")]
    if settings.clinic_env == "development":
        says = (
            "CLINIC_ENV is development: its built-in key is public. Set it to production before patients use the hub."
        )
        findings.append(Finding("settings", "note", says))
    elif not settings.trusted_proxies:
        says = "TRUSTED_PROXIES is empty: behind a proxy, all clients share one address in the rate limits."
        findings.append(Finding("settings", "note", says))
    if lacking := outside_gsm7(settings.clinic_name):
        longest = most_segments(Clinic(settings.clinic_name, settings.clinic_phone))
        says = (
            f"CLINIC_NAME has {' '.join(lacking)}, which GSM-7 lacks: every text is sent as Unicode and takes up to "
            f"{longest} segments, which carriers charge one by one."
        )
        findings.append(Finding("settings", "note", says))
    return findings


def _of_run(settings: Settings) -> Settings:
    """Return the settings with those of the services that a run on the DATA_DIR has started, where none are set."""
    running = find_run(settings.data_dir)
    if running is None:
        return settings
    found = dict(running.settings)
    if running.mongodb_url:
        found["mongodb_url"] = running.mongodb_url
    named = {
        "mongodb_": settings.mongodb_url,
        "kafka_": settings.kafka_bootstrap_servers,
        "twilio_": settings.twilio_account_sid,
    }
    missing = tuple(prefix for prefix, value in named.items() if value is None)
    return load(**{name: value for name, value in found.items() if name.startswith(missing)})


async def _database(settings: Settings) -> list[Finding]:
    if settings.mongodb_url is None:
        return [Finding("database", "note", f"MONGODB_URL is not set, and {_NO_RUN}.")]
    return await check_database(settings.mongodb_url)


async def _broker(settings: Settings) -> list[Finding]:
    if settings.kafka_bootstrap_servers is None:
        return [Finding("broker", "note", f"KAFKA_BOOTSTRAP_SERVERS is not set, and {_NO_RUN}.")]
    return await check_broker(broker_config(settings))


async def _photos(settings: Settings) -> list[Finding]:
    if settings.photo_store is None:
        return []
    from hub.ops.checkup.photos import check_photos  # noqa: PLC0415  # its library is slow to import and rarely needed

    return [await check_photos(settings.photo_store)]


async def _twilio(settings: Settings) -> list[Finding]:
    sid, token = settings.twilio_account_sid, settings.twilio_auth_token
    if sid is None or token is None:
        says = "TWILIO_ACCOUNT_SID and the other three are not set: no text is sent."
        if settings.clinic_env == "production":
            says += " So no code confirms a sign-up, and its answer tells whether there is an account."
        return [Finding("twilio", "note", says)]
    named = {"TWILIO_FROM_PATIENT": settings.twilio_from_patient, "TWILIO_FROM_DOCTOR": settings.twilio_from_doctor}
    numbers = {name: number for name, number in named.items() if number}
    account = Account(sid, token, frozenset(numbers.values()), settings.twilio_base_url)
    url = settings.mongodb_url
    return [*await check_twilio(account), *(await check_texts(url, numbers) if url else [])]
