"""Access tokens: which are accepted and which are refused."""

import base64
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from hub.accounts.identity import Identity
from hub.accounts.tokens import AccessTokens, InvalidToken
from hub.scheduling.values import Role

NOON = datetime(2020, 5, 4, 12, tzinfo=UTC)
"""Long ago: whoever looked at another clock than the test's would find every token expired."""
SECRET = "a secret of the tests, long enough for each of the algorithms that they try"
LIFETIME = timedelta(minutes=15)
KID = jwt.get_unverified_header(AccessTokens(SECRET, LIFETIME, lambda: NOON).issue("pat", Role.PATIENT, "log-in"))[
    "kid"
]
NOTHING: Mapping[str, object] = {}


class Watch:
    """A clock that the test sets."""

    now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def tokens(watch: Watch) -> AccessTokens:
    return AccessTokens(SECRET, LIFETIME, watch)


def _signed(changed: Mapping[str, object] = NOTHING, *, secret: str = SECRET, algorithm: str = "HS256") -> str:
    """Return a token like ours, with some claims changed; None leaves a claim out."""
    seconds = int(NOON.timestamp())
    claims: dict[str, object] = {
        "iss": "clinic-hub",
        "aud": "clinic-hub-api",
        "sub": "pat",
        "role": "patient",
        "sid": "log-in",
        "iat": seconds,
        "exp": seconds + 900,
    }
    claims = {name: value for name, value in {**claims, **changed}.items() if value is not None}
    return jwt.encode(claims, secret, algorithm, headers={"kid": KID})


def _code(tokens: AccessTokens, token: str) -> str:
    with pytest.raises(InvalidToken) as raised:
        tokens.verify(token)
    return raised.value.code


@pytest.mark.parametrize("role", [Role.DOCTOR, Role.PATIENT])
def test_a_token_says_who_its_bearer_is_and_until_when(tokens: AccessTokens, role: Role) -> None:
    token = tokens.issue("some-one", role, "log-in")

    assert tokens.verify(token) == Identity("some-one", role, "log-in", NOON + LIFETIME)


def test_another_process_with_the_same_secret_accepts_the_token(tokens: AccessTokens, watch: Watch) -> None:
    assert AccessTokens(SECRET, LIFETIME, watch).verify(tokens.issue("pat", Role.PATIENT, "log-in")).user_id == "pat"


def test_the_tokens_that_these_tests_make_are_good_before_they_are_changed(tokens: AccessTokens) -> None:
    assert tokens.verify(_signed()).user_id == "pat"


def test_a_token_of_another_secret_is_refused(tokens: AccessTokens) -> None:
    assert _code(tokens, _signed(secret=SECRET.upper())) == "invalid_token"


def test_a_token_with_changed_claims_is_refused(tokens: AccessTokens) -> None:
    header, claims, signature = tokens.issue("pat", Role.PATIENT, "log-in").split(".")
    said = json.loads(base64.urlsafe_b64decode(claims + "=="))
    forged = base64.urlsafe_b64encode(json.dumps(said | {"role": "doctor"}).encode()).decode().rstrip("=")

    assert _code(tokens, f"{header}.{forged}.{signature}") == "invalid_token"


@pytest.mark.parametrize("algorithm", ["none", "HS512"])
def test_a_token_of_another_algorithm_is_refused(tokens: AccessTokens, algorithm: str) -> None:
    token = _signed(secret="" if algorithm == "none" else SECRET, algorithm=algorithm)

    assert _code(tokens, token) == "invalid_token"


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE"])
def test_a_token_without_a_signature_is_refused(tokens: AccessTokens, algorithm: str) -> None:
    _, claims, signature = _signed().split(".")
    header = base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "typ": "JWT"}).encode()).decode().rstrip("=")

    assert _code(tokens, f"{header}.{claims}.") == "invalid_token"
    assert _code(tokens, f"{header}.{claims}.{signature}") == "invalid_token"


@pytest.mark.parametrize("claim", ["exp", "iat", "sub", "sid", "role"])
def test_a_token_without_a_required_claim_is_refused(tokens: AccessTokens, claim: str) -> None:
    assert _code(tokens, _signed({claim: None})) == "invalid_token"


@pytest.mark.parametrize("claim", ["iss", "aud"])
def test_a_token_of_an_older_version_is_refreshed(tokens: AccessTokens, claim: str) -> None:
    assert _code(tokens, _signed({claim: None})) == "token_expired"


def test_a_token_lives_no_longer_than_the_setting_allows_whatever_it_claims(tokens: AccessTokens, watch: Watch) -> None:
    token = _signed({"exp": int(NOON.timestamp()) + 10 * 365 * 86_400})
    assert tokens.verify(token).expires_at == NOON + LIFETIME
    watch.now = NOON + LIFETIME + timedelta(seconds=6)
    assert _code(tokens, token) == "token_expired"


@pytest.mark.parametrize(
    "claims",
    [
        {"role": "system"},
        {"role": "nurse"},
        {"role": ["doctor"]},
        {"sub": ""},
        {"sub": "pat' || 1"},
        {"sub": 7},
        {"sid": {"$gt": ""}},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": 1e300},
        {"exp": 10**30},
        {"iat": -1},
        {"aud": "another service"},
        {"iss": "another-hub"},
    ],
    ids=str,
)
def test_a_token_with_an_invalid_claim_is_refused(tokens: AccessTokens, claims: dict[str, object]) -> None:
    assert _code(tokens, _signed(claims)) == "invalid_token"


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "Bearer x", "x" * 10_000, "ü.ü.ü", "\udcff", "\0"])
def test_a_malformed_token_is_refused(tokens: AccessTokens, token: str) -> None:
    assert _code(tokens, token) == "invalid_token"


def test_a_token_expires_by_the_given_clock(tokens: AccessTokens, watch: Watch) -> None:
    token = tokens.issue("pat", Role.PATIENT, "log-in")

    watch.now = NOON + LIFETIME + timedelta(seconds=5)
    assert tokens.verify(token).user_id == "pat"  # the clocks of two processes may differ a little

    watch.now += timedelta(milliseconds=1)
    assert _code(tokens, token) == "token_expired"


def test_a_token_issued_in_the_future_is_refused(tokens: AccessTokens, watch: Watch) -> None:
    token = tokens.issue("pat", Role.PATIENT, "log-in")

    watch.now = NOON - timedelta(seconds=5)
    assert tokens.verify(token).user_id == "pat"

    watch.now -= timedelta(milliseconds=1)
    assert _code(tokens, token) == "invalid_token"


def test_a_wrong_token_that_has_also_expired_is_not_told_to_be_refreshed(tokens: AccessTokens, watch: Watch) -> None:
    watch.now = NOON + timedelta(days=1)

    assert _code(tokens, _signed(secret=SECRET.upper())) == "invalid_token"


def test_a_refusal_does_not_repeat_the_token(tokens: AccessTokens) -> None:
    token = _signed(secret=SECRET.upper())

    with pytest.raises(InvalidToken) as raised:
        tokens.verify(token)

    assert token not in repr(raised.value)


def test_a_token_of_a_retired_key_holds_until_it_expires_and_new_ones_are_signed_with_the_new_key(
    watch: Watch,
) -> None:
    old = AccessTokens(SECRET, LIFETIME, watch)
    both = AccessTokens(SECRET[::-1], LIFETIME, watch, retired=[SECRET])
    new = AccessTokens(SECRET[::-1], LIFETIME, watch)
    of_before, of_after = (keys.issue("pat", Role.PATIENT, "log-in") for keys in (old, both))

    assert both.verify(of_before) == both.verify(of_after) == new.verify(of_after)
    assert _code(new, of_before) == "invalid_token"
    assert _code(old, of_after) == "invalid_token"
    watch.now = NOON + LIFETIME + timedelta(minutes=1)
    assert _code(both, of_before) == "token_expired"


@pytest.mark.parametrize(
    "kid",
    [
        "",
        "../../dev/null",
        "0" * 12,
        7,
        None,  # None: the token names no key
        ["a"],
        {"a": 1},
    ],
)
def test_a_token_of_an_unknown_key_is_refused(tokens: AccessTokens, kid: object) -> None:
    payload = _signed().split(".")[1].encode()
    named = {} if kid is None else {"kid": kid}
    header = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "typ": "JWT", **named}).encode()).rstrip(b"=")
    signature = hmac.digest(SECRET.encode(), header + b"." + payload, "sha256")
    token = b".".join([header, payload, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()
    assert _code(tokens, token) == "invalid_token"


def test_the_name_of_a_key_is_the_same_everywhere_and_does_not_show_the_key(watch: Watch) -> None:
    tokens = [AccessTokens(SECRET, LIFETIME, watch).issue("pat", Role.PATIENT, "log-in") for _ in range(2)]
    names = {jwt.get_unverified_header(token)["kid"] for token in tokens}
    assert len(names) == 1
    assert not [name for name in names if name in SECRET or SECRET in name]
