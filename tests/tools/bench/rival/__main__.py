"""`python -m tests.tools.bench.rival`: one process that serves everything."""

import uvicorn

from tests.tools.bench.rival.settings import Settings


def main() -> None:
    """Serve until SIGTERM."""
    settings = Settings()
    uvicorn.run(
        "tests.tools.bench.rival.app:application",
        factory=True,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_ping_interval=None,  # Socket.IO pings its clients itself
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
