"""Checks whether the database answers, and whether it has the indexes that prevent double bookings."""

from datetime import timedelta
from urllib.parse import urlsplit

from hub.ops.checkup.finding import Finding, Grade
from hub.records.errors import BrokenRecord, StoreUnavailable
from hub.records.mongo import MongoRecords, connect
from hub.records.server import OLDEST_VERSION, Server
from hub.safety import mongodb_options
from hub.scheduling.values import Role

_CLOCKS_MAY_DIFFER = timedelta(seconds=1)
_MEMBERS_THAT_SURVIVE_ONE = 3
"""Data-bearing members of which a majority is left when one is lost."""


async def check_database(url: str) -> list[Finding]:
    """Return the findings; changes nothing."""
    where = urlsplit(url).netloc.rpartition("@")[2]  # without the password
    try:
        records = connect(url)
    except ValueError as error:
        return [_finding("wrong", f"MONGODB_URL: {error}.")]
    try:
        return await _look(records, where, url)
    except BrokenRecord as error:
        return [_finding("wrong", f"The database at {where} cannot be used: {error}.")]
    except StoreUnavailable as error:
        return [
            _finding(
                "wrong", f"No database answers at {where} ({error}). Is it running and reachable from this machine?"
            )
        ]
    finally:
        await records.close()


async def _look(records: MongoRecords, where: str, url: str) -> list[Finding]:
    await records.ping()
    server = await records.server()
    doctors = await records.users.count(Role.DOCTOR)
    findings = [
        _finding("fine", f"Answers at {where}; it has {doctors} doctors."),
        _version(server),
        _majority(server),
        _read_preference(url),
        _clock(server),
    ]
    if not doctors:
        findings.append(_finding("note", "There are no doctors: `clinic-hub seed` creates an example clinic."))
    for collection, name in await records.missing_indexes():
        says = f"The index {name!r} of {collection!r} is missing. The api and the agents create it when they start."
        findings.append(_finding("wrong", says))
    return findings


def _version(server: Server) -> Finding:
    if server.too_old:
        says = f"{server.product} {server.version} is too old: the hub needs MongoDB {OLDEST_VERSION} or newer."
        return _finding("wrong", says)
    as_mongodb = "" if server.product == "MongoDB" else f", which works as MongoDB {server.version}"
    named = f"MongoDB {server.version}" if not as_mongodb else server.product
    return _finding("fine", f"The server is {named}{as_mongodb}; its kind is {server.kind}.")


def _majority(server: Server) -> Finding:
    if server.kind == "mongos":
        return _finding(
            "fine", "A write is acknowledged when a majority of its shard's members has it in their journal."
        )
    if server.kind == "single server":
        says = "It is no replica set: nothing takes over when it is lost, and its URL needs retryWrites=false."
        return _finding("note", says)
    voters = server.members + server.arbiters
    says = f"A write is acknowledged when {voters // 2 + 1} of {voters} members have it in their journal"
    if server.arbiters:
        return _finding("note", f"{says}; an arbiter has no data, so that a lost member can stop all writes.")
    if server.members < _MEMBERS_THAT_SURVIVE_ONE:
        return _finding("note", f"{says}; writes survive the loss of a member from {_MEMBERS_THAT_SURVIVE_ONE} on.")
    return _finding("fine", f"{says}.")


def _read_preference(url: str) -> Finding:
    wanted = mongodb_options(url).get("readpreference", "primary")
    if wanted != "primary":
        says = f"Reads go to the primary. MONGODB_URL says readPreference={wanted}, which the hub does not follow."
        return _finding("note", says)
    return _finding("fine", "Reads go to the primary.")


def _clock(server: Server) -> Finding:
    seconds = server.clock_ahead.total_seconds()
    if abs(server.clock_ahead) > _CLOCKS_MAY_DIFFER:
        says = f"The server's clock is {abs(seconds):.1f} s {'ahead of' if seconds > 0 else 'behind'} this machine's."
        return _finding("wrong", f"{says} Does a time service set both?")
    return _finding("fine", "The server's clock and this machine's differ by less than a second.")


def _finding(grade: Grade, says: str) -> Finding:
    return Finding("database", grade, says)
