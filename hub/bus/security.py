"""How Kafka clients log in and encrypt: from the settings KAFKA_… to the arguments that every client takes."""

import ssl
from typing import Any

from hub.bus.oauth import ClientCredentials
from hub.settings import BadSettings, Settings

PLAIN = {"security_protocol": "PLAINTEXT"}
"""Neither log-in nor encryption."""


def client_security(settings: Settings) -> dict[str, Any]:
    """Return the arguments of an aiokafka client. Raises `BadSettings` if a file cannot be used."""
    protocol = settings.kafka_security_protocol
    arguments: dict[str, Any] = {"security_protocol": protocol}
    if protocol.endswith("SSL"):
        arguments["ssl_context"] = _tls(settings)
    if protocol.startswith("SASL"):
        arguments |= _login(settings)
    return arguments


def _login(settings: Settings) -> dict[str, Any]:
    user, password, mechanism = (
        settings.kafka_sasl_username or "",
        settings.kafka_sasl_password.get_secret_value() if settings.kafka_sasl_password else "",
        settings.kafka_sasl_mechanism,
    )
    if mechanism != "OAUTHBEARER":
        return {"sasl_mechanism": mechanism, "sasl_plain_username": user, "sasl_plain_password": password}
    provider = ClientCredentials(settings.kafka_token_url or "", user, password, settings.kafka_token_scope)
    return {"sasl_mechanism": mechanism, "sasl_oauth_token_provider": provider}


def _tls(settings: Settings) -> ssl.SSLContext:
    """Return a context that checks the certificates of brokers, by default with the authorities of the system."""
    try:
        context = ssl.create_default_context(cafile=settings.kafka_ca_file)
    except OSError as error:  # ssl.SSLError is one
        raise BadSettings(f"KAFKA_CA_FILE: {settings.kafka_ca_file} has no certificates to read ({error})") from None
    if settings.kafka_cert_file:
        try:
            context.load_cert_chain(settings.kafka_cert_file, settings.kafka_key_file)
        except OSError as error:
            files = f"{settings.kafka_cert_file}, {settings.kafka_key_file or 'its key in the same file'}"
            raise BadSettings(f"KAFKA_CERT_FILE: no certificate with its key in {files} ({error})") from None
    return context
