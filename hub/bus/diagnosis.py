"""Says in plain words why the broker cannot be used, and what to do. aiokafka only says that it cannot bootstrap."""

import asyncio
import socket
import ssl

from aiokafka.conn import create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from hub.bus.broker_config import BrokerConfig

_NOT_ALLOWED = (ClusterAuthorizationFailedError, GroupAuthorizationFailedError, TopicAuthorizationFailedError)
_TIMEOUT = 3.0
"""Seconds for one server."""


async def diagnosis(broker: BrokerConfig, error: BaseException | None = None) -> str:
    """Return a sentence that says where the broker was looked for, what went wrong and what to do.

    `error`: what a client met. If that does not say it, each server is connected to until one fails.
    """
    if isinstance(error, _NOT_ALLOWED):
        return f"{_where(broker)} lacks a right ({error}). docs/engines.md lists those that each process needs."
    for server in broker.servers.split(","):
        if found := await _try(broker, server.strip()):
            return found
    what = f" ({type(error).__name__}: {error})" if error else ""
    return f"{_where(broker)} can connect, and could not go on{what}."


def _where(broker: BrokerConfig) -> str:
    protocol = broker.security["security_protocol"]
    user = broker.security.get("sasl_plain_username")
    return f"{f'The user {user}' if user else 'The hub'} at the broker {broker.servers} ({protocol})"


async def _try(broker: BrokerConfig, server: str) -> str | None:
    host, _, port = server.rpartition(":")
    try:
        async with asyncio.timeout(_TIMEOUT):
            connection = await create_conn(
                host.strip("[]"), int(port), request_timeout_ms=int(_TIMEOUT * 1000), **broker.security
            )
            try:
                await connection.send(MetadataRequest([]))
            finally:
                connection.close()
    except (KafkaError, OSError, TimeoutError, ValueError) as error:
        root = _root(error)
        if silent := _silent(root):
            return f"No broker answers at {server} ({type(root).__name__}): {silent}"
        return f"The broker at {server} cannot be used: {_reason(root, broker)}"
    return None


def _silent(error: BaseException) -> str | None:
    """Return what to look at if nothing was heard from the server."""
    match error:
        case ConnectionRefusedError():
            return "nothing listens there. Is it running, and is the port right?"
        case socket.gaierror():
            return "there is no machine of this name."
        case TimeoutError():
            return "is it running and reachable from this machine?"
        case _:
            return None


def _reason(error: BaseException, broker: BrokerConfig) -> str:
    protocol = broker.security["security_protocol"]
    match error:
        case ssl.SSLCertVerificationError(verify_message=words):
            return (
                f"its certificate is not trusted ({words}). KAFKA_CA_FILE must have the certificate authority that "
                "signed it, and KAFKA_BOOTSTRAP_SERVERS the name that it is for."
            )
        case ssl.SSLError() as failed:
            return (
                f"it does not speak TLS as KAFKA_SECURITY_PROTOCOL={protocol} expects ({failed.reason}). Name the port "
                "of its TLS listener; a listener that asks for a client certificate needs KAFKA_CERT_FILE."
            )
        case AuthenticationFailedError() | SaslAuthenticationFailed():
            return (
                "it refuses the log-in: KAFKA_SASL_USERNAME is not known there, KAFKA_SASL_PASSWORD is wrong, or the "
                f"user has no password for {broker.security.get('sasl_mechanism')}."
            )
        case UnsupportedSaslMechanismError() | AuthenticationMethodNotSupported() as failed:
            return f"{failed}. Set KAFKA_SASL_MECHANISM to one that it offers."
        case IllegalSaslStateError():
            return f"its port expects no log-in, and KAFKA_SECURITY_PROTOCOL is {protocol}. Name the port that does."
        case KafkaConnectionError() as failed if "KAFKA_TOKEN_URL" in str(failed):
            return f"{failed}."
        case KafkaConnectionError() | ConnectionResetError() | EOFError() | asyncio.IncompleteReadError():
            return (
                "it ends the connection. Perhaps its port expects something else than KAFKA_SECURITY_PROTOCOL="
                f"{protocol}: TLS or a log-in, or none."
            )
        case other:
            return f"{type(other).__name__}: {other}."


def _root(error: BaseException) -> BaseException:
    """Return the cause that says most: aiokafka wraps errors of the connection."""
    while isinstance(error, KafkaConnectionError) and isinstance(error.__cause__, OSError):
        error = error.__cause__
    return error
