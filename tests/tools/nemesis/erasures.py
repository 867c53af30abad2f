"""What the database says of patients who have erased themselves."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from hub.ops.judge.history import History
from hub.records.mongo import MongoRecords
from hub.records.ports import Records
from tests.tools.nemesis.people import People, family_name, phone_of


async def unfinished(records: Records) -> list[str]:
    """Return the patients whose erasure has begun and is not finished."""
    return [each.id for each in await records.users.erasures() if each.erased and each.erased.finished_at is None]


async def finished_erasures(records: Records, people: People) -> dict[str, datetime]:
    """Return when each erasure was finished, by patient."""
    found = await records.users.by_ids(people.history.erasures.keys())
    ends = ((id_, account.erased.finished_at if account.erased else None) for id_, account in found.items())
    return {id_: at for id_, at in ends if at is not None}


async def words_left(records: MongoRecords, people: People) -> Mapping[str, Sequence[str]]:
    """Look through every collection for words of erased patients; return what was found, by collection."""
    words = _words(people.history)
    database = records.texts._collection.database
    found: dict[str, Sequence[str]] = {}
    for collection in await database.list_collection_names():
        content = "\n".join(str(document) for document in await database[collection].find({}).to_list(None)).lower()
        if left := sorted(word for word in words if word in content):
            found[collection] = left
    return found


def _words(history: History) -> list[str]:
    erased = history.erasures
    return [*map(family_name, erased), *(phone_of(patient_id).removeprefix("+") for patient_id in erased)]
