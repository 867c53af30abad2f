"""Fixtures of the contract tests: the in-memory record, and MongoDB through Motor with a separate database per test."""

import os
from collections.abc import AsyncIterator, Iterator
from itertools import count

import pytest
from pymongo import common

from hub.records.memory import MemoryRecords
from hub.records.mongo import MongoRecords, connect
from hub.records.ports import Records
from tests.contracts.engine import Engine
from tests.contracts.histories import Histories
from tests.own_database import own_database
from tests.tools.mongo_proxy.proxy import MongoProxy
from tests.tools.mongo_proxy.rules import hello_says, retryable_answers_lost, without_key_pattern

MONGODB = os.environ.get("MONGODB")  # noqa: TID251  # set by the person who runs the tests
"""The URL of a server that replaces the embedded database in the tests that do not kill or pause it."""

_names = (f"clinic_{number}" for number in count())


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The database process of all tests that do not kill or pause it."""
    engine = Engine(tmp_path_factory.mktemp("database"))
    engine.start()
    yield engine
    engine.kill()


@pytest.fixture
def proxy(engine: Engine) -> Iterator[MongoProxy]:
    """A proxy in front of the embedded database, without rules."""
    with MongoProxy("127.0.0.1", engine.port) as proxy:
        yield proxy


@pytest.fixture
async def proxied(proxy: MongoProxy) -> AsyncIterator[MongoRecords]:
    """The store on an empty database behind the proxy."""
    records = connect(proxy.url(next(_names)))
    await records.prepare()
    yield records
    await records.close()


@pytest.fixture
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database."""
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
    """A server as MongoDB 7.0 is. Its duplicate key errors have no `keyPattern`."""
    with proxy.rule(hello_says(maxWireVersion=21)), proxy.rule(without_key_pattern()):
        yield proxy


@pytest.fixture
def losing_answers(proxy: MongoProxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[MongoProxy]:
    """A server that executes every third write without an answer. The driver repeats it (`retryWrites` is on)."""
    # After each lost answer the driver asks for the server's state, at most once in this interval. It has no option for
    # it. With its 0.5 s, concurrent writes that lose several answers take as long as a call may take.
    monkeypatch.setitem(vars(common), "MIN_HEARTBEAT_INTERVAL", 0.02)
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
