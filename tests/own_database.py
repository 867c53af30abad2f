"""A database of one's own on a MongoDB server that somebody else runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from pymongo import MongoClient

from hub.ids import new_id


@contextmanager
def own_database(server: str | None) -> Iterator[str | None]:
    """Give the URL of a database on this server that nobody has used yet, and drop it afterwards; None without one."""
    if server is None:
        yield None
        return
    name = f"clinic_{new_id()}"
    try:
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
    finally:
        with MongoClient[dict[str, object]](server) as client:
            client.drop_database(name)
