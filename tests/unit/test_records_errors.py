"""What the hub says of a database that does not answer."""

import pytest
from pymongo.errors import NetworkTimeout, PyMongoError, ServerSelectionTimeoutError

from hub.records.errors import StoreUnavailable, translated

TIMEOUTS = "(configured timeouts: socketTimeoutMS: 2000.0ms, connectTimeoutMS: 2000.0ms)"
REFUSED = "127.0.0.1:9: [Errno 111] Connection refused"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            ServerSelectionTimeoutError(f"{REFUSED} {TIMEOUTS}, Timeout: 2.0s, Topology Description: <Unknown>"),
            f"MongoDB does not answer: {REFUSED}. Is it running, and does MONGODB_URL name it?",
        ),
        (
            NetworkTimeout(f"127.0.0.1:9: timed out {TIMEOUTS}"),
            "the database call failed: NetworkTimeout, 127.0.0.1:9: timed out",
        ),
    ],
)
def test_a_database_that_does_not_answer_is_named_without_the_drivers_settings(error: PyMongoError, says: str) -> None:
    with pytest.raises(StoreUnavailable) as raised, translated():
        raise error
    assert str(raised.value) == says
