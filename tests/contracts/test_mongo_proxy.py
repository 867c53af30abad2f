"""The proxy between driver and database applies its rules and changes nothing else."""

import time
from collections.abc import Iterator

import pytest
from pymongo import InsertOne, MongoClient, ReplaceOne, WriteConcern
from pymongo.errors import AutoReconnect, DuplicateKeyError, NotPrimaryError, OperationFailure

from tests.contracts.engine import Engine
from tests.tools.mongo_proxy.former_primary import remembering
from tests.tools.mongo_proxy.proxy import Command, MongoProxy
from tests.tools.mongo_proxy.rules import (
    answer_lost,
    delayed,
    hello_says,
    no_primary,
    refused,
    retryable_answers_lost,
    watched,
    without_key_pattern,
)
from tests.tools.mongo_proxy.wire import Document

Client = MongoClient[Document]


@pytest.fixture
def client(proxy: MongoProxy) -> Iterator[Client]:
    with Client(proxy.url("proxied"), serverSelectionTimeoutMS=2000) as client:
        client.drop_database("proxied")
        yield client


def test_without_rules_everything_goes_through(client: Client) -> None:
    things = client["proxied"]["things"]
    things.insert_many([{"_id": number, "big": "x" * 10_000} for number in range(300)])
    things.bulk_write([InsertOne({"_id": 300}), ReplaceOne({"_id": 1}, {"small": True})])
    assert len(list(things.find(batch_size=50))) == 301
    assert things.find_one({"_id": 1}) == {"_id": 1, "small": True}


def test_a_delay_holds_answers_back(client: Client, proxy: MongoProxy) -> None:
    with proxy.rule(delayed(0.2)):
        began = time.monotonic()
        client["proxied"]["things"].insert_one({})
    assert time.monotonic() - began >= 0.2


def test_an_error_is_answered_as_often_as_wanted(client: Client, proxy: MongoProxy) -> None:
    things = client["proxied"]["things"]
    with proxy.rule(refused(13, "not authorized", {"insert"}, times=1)):
        with pytest.raises(OperationFailure, match="not authorized"):
            things.insert_one({"_id": 1})
        things.insert_one({"_id": 1})
    assert things.count_documents({}) == 1


def test_an_answer_that_is_lost_has_been_written(client: Client, proxy: MongoProxy) -> None:
    things = client["proxied"]["things"]
    with proxy.rule(answer_lost()):
        with pytest.raises(AutoReconnect):
            things.insert_one({"_id": 1})
        with pytest.raises(DuplicateKeyError):
            things.insert_one({"_id": 1})


def test_a_retryable_write_whose_answer_is_lost_is_repeated_and_done_once(proxy: MongoProxy) -> None:
    sent: list[Command] = []
    with (
        Client(proxy.url("proxied", "retryWrites=true")) as client,
        proxy.rule(retryable_answers_lost(every=2)),
        proxy.rule(watched(sent.append)),
    ):
        client.drop_database("proxied")
        counts = client["proxied"]["counts"]
        counts.insert_one({"_id": 1, "count": 0})
        for _ in range(5):
            counts.update_one({"_id": 1}, {"$inc": {"count": 1}})
        assert counts.find_one() == {"_id": 1, "count": 5}
    # Three of the six writes were sent twice, and no write was applied twice.
    assert [command.name for command in sent].count("update") + 1 == 6 + 3
    assert proxy.names().count("update") == 5


def test_a_member_that_is_not_primary_takes_nothing(client: Client, proxy: MongoProxy) -> None:
    things = client["proxied"]["things"]
    with proxy.rule(no_primary()):
        with pytest.raises(NotPrimaryError):
            things.insert_one({"_id": 1})
        assert client.admin.command("hello")["isWritablePrimary"] is False
    assert things.count_documents({}) == 0


def test_hello_commands_and_details_can_be_other_ones(client: Client, proxy: MongoProxy) -> None:
    things = client["proxied"]["things"]
    things.insert_one({"_id": 1})
    with proxy.rule(hello_says(maxWireVersion=21, setName=None)):
        told = client.admin.command("hello")
    assert (told["maxWireVersion"], "setName" in told) == (21, False)
    with proxy.rule(without_key_pattern()), pytest.raises(DuplicateKeyError) as raised:
        things.insert_one({"_id": 1})
    assert raised.value.details
    assert "keyPattern" not in raised.value.details


def test_a_former_primary_shows_what_was_before_and_loses_what_one_server_acknowledged(
    client: Client, proxy: MongoProxy, engine: Engine
) -> None:
    things = client["proxied"]["things"]
    things.insert_one({"_id": 1})
    with remembering(engine.url("proxied"), "proxied") as former:
        things.insert_one({"_id": 2})
        with proxy.rule(former):
            assert things.count_documents({}) == 1
            things.with_options(write_concern=WriteConcern(w=1)).insert_one({"_id": 3})
        assert things.count_documents({}) == 2
