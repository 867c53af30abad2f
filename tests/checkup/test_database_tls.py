"""MongoDB by TLS: what MONGODB_URL says about it is used, and what is wrong with it is said."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from hub.ops.checkup.database import check_database
from hub.records.mongo import connect

CERTIFICATES = Path(__file__).parents[2] / "docs" / "compose" / "certificates.sh"


def made_certificates(folder: Path) -> Path:
    subprocess.run(["sh", CERTIFICATES, folder, "mongo:127.0.0.1"], check=True, capture_output=True)
    return folder


@asynccontextmanager
async def behind_tls(url: str, certificate: Path) -> AsyncIterator[int]:
    """Speak TLS on a port, in front of the database. Yields the port."""

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server = urlsplit(url)
        to = await asyncio.open_connection(server.hostname, server.port)
        await asyncio.gather(pipe(reader, to[1]), pipe(to[0], writer))

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]
        server.close()


@pytest.mark.parametrize("authority", ["right", "another", "none"])
async def test_the_database_is_reached_by_tls_with_the_right_authority_only(
    url: str, tmp_path: Path, authority: str
) -> None:
    right, another = made_certificates(tmp_path / "right"), made_certificates(tmp_path / "another")
    options = {
        "right": f"tls=true&tlsCAFile={right / 'ca' / 'ca.pem'}",
        "another": f"tls=true&tlsCAFile={another / 'ca' / 'ca.pem'}",
        "none": "tls=false",
    }[authority]
    async with behind_tls(url, right / "mongo" / "mongo.pem") as port:
        by_tls = f"mongodb://127.0.0.1:{port}/clinic?directConnection=true&retryWrites=false&serverMonitoringMode=poll&{options}"
        if authority == "right":
            records = connect(by_tls)
            await records.ping()
            await records.close()
            return
        (finding,) = await check_database(by_tls)
    assert finding.grade == "wrong"
    assert f"127.0.0.1:{port}" in finding.says
    if authority == "another":
        assert "certificate verify failed" in finding.says
