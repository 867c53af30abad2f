"""Every path answers with the same security headers, whatever it answers."""

import re

import pytest
from aiohttp.test_utils import TestClient, TestServer

from api.app import build
from api.http.middleware import HEADERS
from api.sockets.assembly import assemble
from api.sockets.limits import Limits
from tests.api.rest_clinic import PRODUCTION, make_services

OWN = {"Cache-Control", "Content-Security-Policy"}
"""Headers of which a page or a picture has its own."""


@pytest.mark.parametrize("settings", [{}, PRODUCTION])
async def test_every_path_and_every_refusal_has_the_security_headers(settings: dict[str, object]) -> None:
    services = await make_services(**settings)
    application = build(services)
    assemble(services, services.authenticator.identity_of, Limits()).server.attach(application)
    templates = {route.resource.canonical for route in application.router.routes() if route.resource}
    assert len(templates) > 60
    paths = sorted({re.sub(r"{[^}]+}", "x", template) for template in templates} | {"/nothing", "/pages/nothing.js"})
    wanted = dict(HEADERS) | ({"Strict-Transport-Security": "max-age=31536000"} if settings else {})
    async with TestClient(TestServer(application, access_log=None)) as client:
        lacking = []
        for path in paths:
            for method in ("GET", "HEAD", "POST", "DELETE", "OPTIONS"):
                async with client.request(method, path, allow_redirects=False) as answer:
                    for name, value in wanted.items():
                        there = answer.headers.get(name)
                        if there is None or (there != value and name not in OWN):
                            lacking.append((method, path, answer.status, name, there))
    assert lacking == []
