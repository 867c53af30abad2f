"""Dumps a database and restores it, with the files that `mongodump` writes: one of BSON documents for each collection.

MongoDB's own tools are in no registry that the tests use: neither Debian nor PyPI has them. This does what
`mongodump --db=clinic` and `mongorestore --drop --noIndexRestore` do, without anything that the hub could notice.
"""

from pathlib import Path

from bson import decode_file_iter
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

_AT_ONCE = 500


def dump(url: str, folder: Path) -> None:
    """Write every collection of the database to `<folder>/<collection>.bson`."""
    folder.mkdir(parents=True)
    with MongoClient(url, document_class=RawBSONDocument) as client:
        database = client.get_default_database("clinic")
        for name in database.list_collection_names():
            with (folder / f"{name}.bson").open("wb") as file:
                for document in database[name].find():
                    file.write(document.raw)


def restore(url: str, folder: Path) -> None:
    """Replace the documents of every collection of the database by those of the files. The indexes stay."""
    with MongoClient(url, document_class=RawBSONDocument) as client:
        database = client.get_default_database("clinic")
        for name in {*database.list_collection_names(), *(file.stem for file in folder.glob("*.bson"))}:
            database[name].delete_many({})
        for file in folder.glob("*.bson"):
            with file.open("rb") as content:
                documents = list(decode_file_iter(content, CodecOptions(document_class=RawBSONDocument)))
            for first in range(0, len(documents), _AT_ONCE):
                database[file.stem].insert_many(documents[first : first + _AT_ONCE])
