"""Checks whether the database answers, and whether it has the indexes that prevent double bookings."""

from urllib.parse import urlsplit

from hub.ops.checkup.finding import Finding, Grade
from hub.records.errors import StoreUnavailable
from hub.records.mongo import MongoRecords, connect
from hub.scheduling.values import Role


async def check_database(url: str) -> list[Finding]:
    """Return the findings; changes nothing."""
    where = urlsplit(url).netloc.rpartition("@")[2]  # without the password
    try:
        records = connect(url)
    except ValueError as error:
        return [_finding("wrong", f"MONGODB_URL: {error}.")]
    try:
        return await _look(records, where)
    except StoreUnavailable as error:
        return [
            _finding(
                "wrong", f"No database answers at {where} ({error}). Is it running and reachable from this machine?"
            )
        ]
    finally:
        await records.close()


async def _look(records: MongoRecords, where: str) -> list[Finding]:
    await records.ping()
    doctors = await records.users.count(Role.DOCTOR)
    findings = [_finding("fine", f"Answers at {where}; it has {doctors} doctors.")]
    if not doctors:
        findings.append(_finding("note", "There are no doctors: `clinic-hub seed` creates an example clinic."))
    for collection, name in await records.missing_indexes():
        says = f"The index {name!r} of {collection!r} is missing. The api and the agents create it when they start."
        findings.append(_finding("wrong", says))
    return findings


def _finding(grade: Grade, says: str) -> Finding:
    return Finding("database", grade, says)
