"""The programs of the hub's own two processes, agents and api."""

import sys
from http import HTTPStatus

import aiohttp

from hub.ops.local.process import Program
from hub.settings import Settings, child_environment

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # only compared with


def agents(settings: Settings, name: str = "agents", module: str = "agents") -> Program:
    """Return the program of an agents process with these settings. It is ready when it has taken over its doctors."""
    return Program(
        name=name,
        command=_python(module),
        environment=child_environment(settings),
        # The process has no port to probe, so readiness comes from its log. It logs this event at INFO.
        ready_line='"event":"doctors_taken_over"' if settings.log_level in {"DEBUG", "INFO"} else None,
        ready_timeout=60.0,
    )


def api(settings: Settings, port: int, name: str = "api", module: str = "api") -> Program:
    """Return the program of an api process with these settings, on this port of HOST."""
    own = settings.model_copy(update={"port": port})
    url = base_url(settings.host, port)
    return Program(
        name=name,
        command=_python(module),
        environment=child_environment(own),
        host=settings.host,
        port=port,
        probe=lambda: _is_ready(f"{url}/health/ready"),
        ready_timeout=60.0,
    )


def base_url(host: str, port: int) -> str:
    """Return the URL under which this machine reaches a server that listens on this host and port."""
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
