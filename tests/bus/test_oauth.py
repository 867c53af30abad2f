"""Tokens for Kafka: fetched by client credentials, kept for most of their life, and explained when there is none."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiokafka.errors import KafkaConnectionError

from hub.bus.oauth import ClientCredentials
from hub.bus.security import client_security
from hub.settings import Settings


async def endpoint(asked: list[tuple[str, dict[str, str]]], status: int = 200, life: float = 300) -> TestServer:
    """Return a running token endpoint that numbers its tokens and notes who asks for what."""

    async def issue(request: web.Request) -> web.Response:
        asked.append(
            (request.headers["Authorization"], {key: str(value) for key, value in (await request.post()).items()})
        )
        if status != 200:
            return web.json_response({"error": "invalid_client"}, status=status)
        return web.json_response({"access_token": f"token-{len(asked)}", "expires_in": life})

    application = web.Application()
    application.router.add_post("/token", issue)
    server = TestServer(application)
    await server.start_server()
    return server


async def test_a_token_is_fetched_once_for_all_clients_and_anew_before_it_expires() -> None:
    asked: list[tuple[str, dict[str, str]]] = []
    server = await endpoint(asked)
    try:
        provider = ClientCredentials(str(server.make_url("/token")), "hub", "hunter2", "kafka")
        assert [await provider.token(), await provider.token()] == ["token-1", "token-1"]
        assert asked == [("Basic aHViOmh1bnRlcjI=", {"grant_type": "client_credentials", "scope": "kafka"})]
        provider._until = 0.0  # most of its life is over
        assert await provider.token() == "token-2"
    finally:
        await server.close()


async def test_a_refused_token_is_explained_without_the_secret() -> None:
    server = await endpoint([], status=401)
    url = str(server.make_url("/token"))
    try:
        with pytest.raises(KafkaConnectionError, match=r"KAFKA_TOKEN_URL .* gave no token: status 401 invalid_client"):
            await ClientCredentials(url, "hub", "hunter2", None).token()
    finally:
        await server.close()
    with pytest.raises(KafkaConnectionError, match="gave no token: ClientConnectorError") as refused:
        await ClientCredentials(url, "hub", "hunter2", None).token()
    assert "hunter2" not in str(refused.value)


def test_the_settings_choose_the_provider() -> None:
    settings = Settings.model_construct(
        None,
        kafka_security_protocol="SASL_SSL",
        kafka_sasl_mechanism="OAUTHBEARER",
        kafka_token_url="https://id.example",
    )
    arguments = client_security(settings)
    assert isinstance(arguments["sasl_oauth_token_provider"], ClientCredentials)
    assert arguments["ssl_context"].check_hostname
