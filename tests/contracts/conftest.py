"""Fixtures of the contract tests: the in-memory record, and MongoDB through Motor with a separate database per test."""

import os
from collections.abc import AsyncIterator, Iterator
from itertools import count

import pytest

from hub.records.memory import MemoryRecords
from hub.records.mongo import MongoRecords, connect
from hub.records.ports import Records
from tests.contracts.engine import Engine
from tests.contracts.histories import Histories
from tests.own_database import own_database
from tests.tools.mongo_proxy.proxy import MongoProxy
from tests.tools.mongo_proxy.rules import hello_says, retryable_answers_lost, without_key_pattern

MONGODB = os.environ.get("MONGODB")  # noqa: TID251  # asked of who runs the tests
"""A server for the tests that do it no harm, in the place of the embedded one."""

_names = (f"clinic_{number}" for number in count())


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A database for all tests that do it no harm."""
    engine = Engine(tmp_path_factory.mktemp("database"))
    engine.start()
    yield engine
    engine.kill()


@pytest.fixture
def proxy(engine: Engine) -> Iterator[MongoProxy]:
    """A proxy before the embedded database, without rules yet."""
    with MongoProxy("127.0.0.1", engine.port) as proxy:
        yield proxy


@pytest.fixture
async def proxied(proxy: MongoProxy) -> AsyncIterator[MongoRecords]:
    """The store on a database that nobody has used yet, behind the proxy."""
    records = connect(proxy.url(next(_names)))
    await records.prepare()
    yield records
    await records.close()


@pytest.fixture
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database that nobody has used yet."""
    with own_database(MONGODB) as there:
        yield there or request.getfixturevalue("engine").url(next(_names))


@pytest.fixture
async def mongo(url: str) -> AsyncIterator[MongoRecords]:
    records = connect(url)
    await records.prepare()
    yield records
    await records.close()


@pytest.fixture
def older_server(proxy: MongoProxy) -> Iterator[MongoProxy]:
    """A server without `bulkWrite`, which does not say what a duplicate key is of."""
    with proxy.rule(hello_says(maxWireVersion=21)), proxy.rule(without_key_pattern()):
        yield proxy


@pytest.fixture
def losing_answers(proxy: MongoProxy) -> Iterator[MongoProxy]:
    """A server of which every third write is done, not answered and, because `retryWrites` is on, sent again."""
    with proxy.rule(retryable_answers_lost(every=3)):
        yield proxy


@pytest.fixture(params=["memory", "mongo", "older_server", "losing_answers"])
async def records(request: pytest.FixtureRequest) -> AsyncIterator[Records]:
    """Each store in turn, empty."""
    match request.param:
        case "memory":
            yield MemoryRecords()
            return
        case "mongo":
            url = request.getfixturevalue("url")
        case behind_proxy:
            url = request.getfixturevalue(behind_proxy).url(next(_names), "retryWrites=true")
    mongo = connect(url)
    await mongo.prepare()
    yield mongo
    await mongo.close()


@pytest.fixture
def histories() -> Histories:
    return Histories()
