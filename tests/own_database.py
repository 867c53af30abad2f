"""A new database on an existing MongoDB server."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from pymongo import MongoClient

from hub.ids import new_id


@contextmanager
def own_database(server: str | None) -> Iterator[str | None]:
    """Yield the URL of a new database on this server, and drop it afterwards. Yields None without a server."""
    if server is None:
        yield None
        return
    name = f"clinic_{new_id()}"
    try:
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
    finally:
        with MongoClient[dict[str, object]](server) as client:
            client.drop_database(name)
