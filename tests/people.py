"""The people of the tests: accounts of doctors and patients, their working hours, and their tokens.

Nobody logs in with a password unless a test gives a hash of one: the tokens are issued here.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hub.accounts.account import Account
from hub.accounts.tokens import AccessTokens
from hub.bus.topics import partition_of
from hub.client.wire import Profile, SignedIn
from hub.clock import Clock
from hub.scheduling.schedule import Schedule, Shift
from hub.scheduling.values import Role
from hub.settings import Settings

EVERY_DAY, WORKING_DAYS = range(7), range(5)
CREATED_AT = datetime(2026, 1, 1, tzinfo=UTC)


def weekly(opens: int, closes: int, days: Iterable[int] = EVERY_DAY) -> tuple[Shift, ...]:
    """Return one shift for each of these weekdays (0 is Monday), from one full hour of local time to another."""
    return tuple(Shift(weekday=day, opens=opens * 60, closes=closes * 60) for day in days)


ROUND_THE_CLOCK = weekly(0, 24)
OFFICE_HOURS = weekly(9, 17, WORKING_DAYS)


def patient(id_: str, **fields: object) -> Account:
    """Return the account of a patient. `fields` replace what it has otherwise: no phone, and no usable password."""
    return Account(
        **{
            "id": id_,
            "role": "patient",
            "name": id_,
            "email": f"{id_}@clinic.test",
            "phone": None,
            "password_hash": "-",
            "created_at": CREATED_AT,
            **fields,
        }
    )


def receptionist(id_: str, **fields: object) -> Account:
    """Return the account of a receptionist. `fields` replace what it has otherwise, as for a patient."""
    return patient(id_, **{"role": "receptionist", **fields})


def doctor(id_: str, zone: str = "UTC", shifts: tuple[Shift, ...] = ROUND_THE_CLOCK, **fields: object) -> Account:
    """Return the account of a doctor, who works round the clock unless a test gives other shifts."""
    schedule = Schedule(id=id_, zone=zone, shifts=shifts)
    return patient(id_, **{"role": "doctor", "calendar": schedule, **fields})


def doctor_id_in(partition: int, partitions: int, prefix: str) -> str:
    """Return an id, beginning with the prefix, of a doctor whose commands go to this partition."""
    ids = (f"{prefix}-{attempt}" for attempt in range(1000))
    return next(id_ for id_ in ids if partition_of(id_, partitions) == partition % partitions)


def doctors_and_patients(
    doctors: int, patients: int, partitions: int, name: str
) -> tuple[list[Account], list[Account]]:
    """Return new accounts; the doctors are spread evenly over the partitions. `name` makes their ids unique."""
    return (
        [doctor(doctor_id_in(number, partitions, f"doctor-{name}-{number}")) for number in range(doctors)],
        [patient(f"patient-{name}-{number}") for number in range(patients)],
    )


def tokens_of(settings: Settings, clock: Clock, lifetime: timedelta = timedelta(days=1000)) -> AccessTokens:
    """Return an issuer of tokens that a hub with these settings accepts, for as long as its ACCESS_TOKEN_MINUTES."""
    return AccessTokens(settings.jwt_secret_key.get_secret_value(), lifetime, clock)


def token(account: Account, tokens: AccessTokens) -> str:
    """Return an access token for this account."""
    return tokens.issue(account.id, Role(account.role), f"session-of-{account.id}")


def signed_in(account: Account, tokens: AccessTokens) -> SignedIn:
    """Return what the hub answers to a log-in, for the Python client. The refresh token is not valid."""
    return SignedIn(
        access_token=token(account, tokens),
        refresh_token="-",
        user=Profile(id=account.id, role=account.role, name=account.name),
    )
