"""What the settings may not say: in production, and where a hub in development can be reached by others."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from ipaddress import ip_address
from itertools import pairwise
from math import log2
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit
from zlib import compress

DEVELOPMENT_KEY = "development-only-key-never-use-it-elsewhere"
"""The built-in signing key. It is public."""
_KEY_BYTES = 32
_KEY_BITS = 80
"""Of the characters of a key, and of the steps between them. 32 random bytes in any notation have more of both."""
_BCRYPT_ROUNDS = 10
_CLOCK = "CLOCK_BASE, CLOCK_SHOWS and CLOCK_RATE"
LOCALHOST = frozenset({"127.0.0.1", "::1", "localhost"})


class _Settings(Protocol):
    """The settings that are looked at here."""

    @property
    def mongodb_url(self) -> str | None: ...
    @property
    def kafka_bootstrap_servers(self) -> str | None: ...
    @property
    def kafka_security_protocol(self) -> str: ...
    @property
    def kafka_sasl_mechanism(self) -> str: ...
    @property
    def kafka_sasl_username(self) -> str | None: ...
    @property
    def kafka_sasl_password(self) -> object | None: ...
    @property
    def kafka_token_url(self) -> str | None: ...
    @property
    def kafka_ca_file(self) -> object | None: ...
    @property
    def kafka_cert_file(self) -> object | None: ...
    @property
    def kafka_key_file(self) -> object | None: ...
    @property
    def unprotected_engines(self) -> bool: ...
    @property
    def host(self) -> str: ...
    @property
    def clock_base(self) -> datetime | None: ...
    @property
    def twilio_account_sid(self) -> str | None: ...
    @property
    def twilio_base_url(self) -> str: ...
    @property
    def public_url(self) -> str | None: ...
    @property
    def sign_ups_must_be_confirmed(self) -> bool: ...
    @property
    def bcrypt_rounds(self) -> int: ...


def problems_in_production(settings: _Settings, keys: Mapping[str, Iterable[str]]) -> list[str]:
    """Return what production refuses, one sentence each. `keys`: the signing keys by the name of their variable."""
    unprotected = () if settings.unprotected_engines else _unprotected(settings)
    return [*_weak(keys), *_engines(settings), *unprotected, *_texts(settings), *_others(settings)]


def problems_of_development(settings: _Settings, *, built_in_key: bool) -> list[str]:
    """Return what a hub in development may not do where others reach it or its database, one sentence each."""
    reached = []
    if not is_loopback(settings.host):
        reached.append(f"HOST={settings.host}")
    if settings.mongodb_url and not is_local(settings.mongodb_url):
        reached.append("a MONGODB_URL on another machine")
    where, problems = " and ".join(reached), []
    if reached and built_in_key:
        problems.append(
            f"JWT_SECRET_KEY must be set with {where}: with the built-in key, which is public, anybody "
            "signs in as anybody else"
        )
    if reached and settings.clock_base is not None:
        problems.append(
            f"CLOCK_BASE, CLOCK_SHOWS and CLOCK_RATE cannot be used with {where}: patients live by the real time"
        )
    return problems


def _weak(keys: Mapping[str, Iterable[str]]) -> Iterator[str]:
    for name, values in keys.items():
        if not all(map(is_strong, values)):
            yield f"{name} needs at least {_KEY_BYTES} unpredictable bytes in production (see .env.example)"


def _engines(settings: _Settings) -> Iterator[str]:
    missing = [name for name in ("mongodb_url", "kafka_bootstrap_servers") if getattr(settings, name) is None]
    if missing:
        names = " and ".join(name.upper() for name in missing)
        yield f"{names} must be set: the embedded engines are for development only"
    if unsafe := _unsafe_writes(settings.mongodb_url or ""):
        yield (
            f"MONGODB_URL says {unsafe}: a write that only one server has is lost when another becomes primary. "
            "Leave it out; the hub has every write acknowledged by a majority, in their journals"
        )


def _unprotected(settings: _Settings) -> Iterator[str]:
    """Yield the engines on other machines whose connections are not both encrypted and by log-in."""
    leave = "Or set UNPROTECTED_ENGINES=true if the network between protects them, as a service mesh does"
    servers, protocol = settings.kafka_bootstrap_servers or "", settings.kafka_security_protocol
    logs_in = protocol.startswith("SASL") or settings.kafka_cert_file is not None
    if servers and not all(map(_is_local_server, servers.split(","))) and not (protocol.endswith("SSL") and logs_in):
        yield (
            f"KAFKA_SECURITY_PROTOCOL={protocol}: in production the hub reaches Kafka by TLS and log-in. Set it to "
            f"SASL_SSL, with KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD (see docs/engines.md). {leave}"
        )
    url = settings.mongodb_url or ""
    if not url or is_local(url):
        return
    options = mongodb_options(url)
    lacks = [] if "@" in urlsplit(url).netloc or "authmechanism" in options else ["a user and password"]
    encrypts = options.get("tls", options.get("ssl", "true" if url.startswith("mongodb+srv:") else "false"))
    if encrypts != "true":
        lacks.append("tls=true")
    if lacks:
        yield f"MONGODB_URL must have {' and '.join(lacks)} in production (see docs/engines.md). {leave}"


def check_kafka(settings: _Settings) -> None:
    """Raise ValueError if the settings for the log-in to Kafka do not fit together, with one line for each problem."""
    protocol, mechanism = settings.kafka_security_protocol, settings.kafka_sasl_mechanism
    wanted = {
        "KAFKA_SASL_USERNAME": settings.kafka_sasl_username,
        "KAFKA_SASL_PASSWORD": settings.kafka_sasl_password,
        **({"KAFKA_TOKEN_URL": settings.kafka_token_url} if mechanism == "OAUTHBEARER" else {}),
    }
    files = {
        "KAFKA_CA_FILE": settings.kafka_ca_file,
        "KAFKA_CERT_FILE": settings.kafka_cert_file,
        "KAFKA_KEY_FILE": settings.kafka_key_file,
    }
    problems = []
    if protocol.startswith("SASL"):
        if missing := [name for name, value in wanted.items() if value is None]:
            problems.append(f"{' and '.join(missing)} must be set with KAFKA_SECURITY_PROTOCOL={protocol}, {mechanism}")
    elif unused := [name for name, value in wanted.items() if value is not None]:
        problems.append(f"{' and '.join(unused)} would not be used: set KAFKA_SECURITY_PROTOCOL to SASL_SSL")
    if not protocol.endswith("SSL") and (unused := [name for name, value in files.items() if value is not None]):
        problems.append(f"{' and '.join(unused)} would not be used: set KAFKA_SECURITY_PROTOCOL to SASL_SSL or SSL")
    if settings.kafka_key_file is not None and settings.kafka_cert_file is None:
        problems.append("KAFKA_KEY_FILE needs KAFKA_CERT_FILE, the certificate of the key")
    if problems:
        raise ValueError("\n".join(problems))


def _texts(settings: _Settings) -> Iterator[str]:
    if settings.twilio_account_sid is None:
        if settings.sign_ups_must_be_confirmed:
            yield "SIGN_UP_CONFIRMATION=required needs the four TWILIO_… variables: without texts nobody could sign up"
        return
    if settings.public_url and not settings.public_url.startswith("https://"):
        yield "PUBLIC_URL must begin with https:// in production: Twilio posts patients' texts to it"
    if not settings.twilio_base_url.startswith("https://"):
        yield "TWILIO_BASE_URL must begin with https:// in production: patients' phone numbers are sent to it"


def _others(settings: _Settings) -> Iterator[str]:
    if settings.bcrypt_rounds < _BCRYPT_ROUNDS:
        yield f"BCRYPT_ROUNDS must be at least {_BCRYPT_ROUNDS} in production: fewer make stolen hashes cheap"
    if settings.clock_base is not None:
        yield f"{_CLOCK} are for development only: patients live by the real time"


def is_strong(key: str) -> bool:
    """Return whether a signing key is long and irregular enough that nobody guesses it.

    It cannot be compressed to less than the shortest key, as repeated words can. Its characters and the steps between
    them vary: "abcdef…" has many characters and only one step. Nothing can show that a key was drawn at random; this
    only finds keys that were not.
    """
    codes = key.encode()
    if key == DEVELOPMENT_KEY or len(codes) < _KEY_BYTES or len(compress(codes)) < _KEY_BYTES:
        return False
    steps = [after - before for before, after in pairwise(codes)]
    return min(_bits(codes), _bits(steps)) >= _KEY_BITS


def _bits(values: Iterable[int]) -> float:
    """Return the entropy of the values together, by how often each occurs among them."""
    seen = list(values)
    shares = [seen.count(each) / len(seen) for each in set(seen)]
    return -len(seen) * sum(share * log2(share) for share in shares)


def mongodb_options(url: str) -> dict[str, str]:
    """Return the options of a MongoDB URL, their names in lower case: MongoDB does not tell cases apart."""
    return {name.lower(): value for name, value in parse_qsl(urlsplit(url).query)}


def is_local(url: str) -> bool:
    """Return whether all servers of a MongoDB URL are loopback addresses or Unix sockets.

    A `mongodb+srv` URL and a host name other than `localhost` may resolve to any machine, so they are not local.
    """
    scheme, _, rest = url.partition("://")
    servers = rest.partition("/")[0].rpartition("@")[2]
    return scheme == "mongodb" and all(_is_local_server(server) for server in servers.split(","))


def _is_local_server(server: str) -> bool:
    if server.endswith(".sock"):  # a Unix socket: the slashes of its path are percent-encoded
        return True
    return is_loopback(server[1:].partition("]")[0] if server.startswith("[") else server.partition(":")[0])


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches a server that listens on this host."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _unsafe_writes(url: str) -> str | None:
    """Return the option of the URL by which a write would be acknowledged before it is safe."""
    options = mongodb_options(url)
    if options.get("w", "majority") != "majority":
        return f"w={options['w']}"
    return next((f"{name}=false" for name in ("journal", "j") if options.get(name) == "false"), None)
