"""The hub's own two processes, agents and api, as programs of a run on one machine."""

import sys
from http import HTTPStatus

import aiohttp

from hub.ops.local.process import Program
from hub.settings import Settings, child_environment

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # compared with, not listened on


def agents(settings: Settings, name: str = "agents", module: str = "agents") -> Program:
    """Return the program of an agents process with these settings. It works when it has its share of the doctors."""
    return Program(
        name=name,
        command=_python(module),
        environment=child_environment(settings),
        # It serves nobody who could ask it, so its log has to tell, and that it does at INFO.
        ready_line='"event":"doctors_taken_over"' if settings.log_level in {"DEBUG", "INFO"} else None,
        works_within=60.0,
    )


def api(settings: Settings, port: int, name: str = "api", module: str = "api") -> Program:
    """Return the program of an api process with these settings, on this port of their host."""
    own = settings.model_copy(update={"port": port})
    url = base_url(settings.host, port)
    return Program(
        name=name,
        command=_python(module),
        environment=child_environment(own),
        host=settings.host,
        port=port,
        answers=lambda: _is_ready(f"{url}/health/ready"),
        works_within=60.0,
    )


def base_url(host: str, port: int) -> str:
    """Return the address under which this machine reaches a server that listens there."""
    reachable = _EVERYWHERE.get(host, host)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def _python(module: str) -> tuple[str, ...]:
    return (sys.executable, "-u", "-m", module)


async def _is_ready(url: str) -> bool:
    try:
        timeout = aiohttp.ClientTimeout(total=5)
        async with aiohttp.ClientSession(timeout=timeout) as client, client.get(url) as answer:
            return answer.status == HTTPStatus.OK
    except (aiohttp.ClientError, TimeoutError):
        return False
