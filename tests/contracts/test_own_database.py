"""Tests and the bench leave no data on a server that is not their own."""

from urllib.parse import urlsplit

from pymongo import MongoClient

from hub.records.mongo import connect
from tests.contracts.engine import Engine
from tests.own_database import own_database


async def test_the_database_has_the_given_options_and_is_dropped_afterwards(engine: Engine) -> None:
    server = engine.url("of_somebody")
    with own_database(server) as url, MongoClient[dict[str, object]](server) as client:
        assert url is not None
        before = set(client.list_database_names())
        assert urlsplit(url).query == urlsplit(server).query
        records = connect(url)
        await records.prepare()
        await records.close()
        assert set(client.list_database_names()) - before == {urlsplit(url).path.removeprefix("/")}
    with MongoClient[dict[str, object]](server) as client:
        assert set(client.list_database_names()) == before


def test_without_a_server_there_is_no_database() -> None:
    with own_database(None) as url:
        assert url is None
