"""The command `clinic-hub audit`."""

import sys
from datetime import UTC, datetime, timedelta

from cyclopts import App

from hub.ops import audit
from hub.ops.account_commands import say, store
from hub.ops.audit import Line
from hub.records.ports import Records
from hub.scheduling.values import rfc3339
from hub.settings import load, timekeeper

app = App(name="audit", help="Show who looked at a person's data, or what a person did.")


@app.default
async def show(
    *,
    patient: str | None = None,
    by: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    json: bool = False,
) -> int:
    """Print the lines of the access log about a person, or by a person, by time.

    A line has the time, what was done, by whom and in which role, the address, the id of the request, and whose data it
    was. `docs/security.md` explains the lines.

    Parameters
    ----------
    patient
        The id of the person whose data was looked at or changed.
    by
        The id of the person who did it.
    since
        The first instant (UTC). Default: 30 days ago.
    until
        The first instant after (UTC). Default: now.
    json
        Print each line as JSON.

    """
    if (patient is None) == (by is None):
        say("clinic-hub audit needs either --patient or --by, with the id of an account.", sys.stderr)
        return 1
    now = timekeeper(load())()
    begin = _utc(since) if since else now - timedelta(days=30)
    end = _utc(until) if until else now + timedelta(seconds=1)
    if begin >= end:
        says = f"--since has to be before --until: no instant is from {rfc3339(begin)} on and before {rfc3339(end)}."
        say(f"clinic-hub audit: {says}", sys.stderr)
        return 1
    async with store() as records:
        if patient is not None:
            lines = await audit.about(records, patient, begin, end)
        else:
            lines = await audit.by(records, by or "", begin, end)
        names = {} if json else await _names(records, lines)
    for line in lines:
        say(_as_json(line) if json else _as_text(line, names))
    return 0


def _utc(given: datetime) -> datetime:
    return given.replace(tzinfo=given.tzinfo or UTC).astimezone(UTC)


async def _names(records: Records, lines: list[Line]) -> dict[str, str]:
    ids = {id_ for line in lines for id_ in (line.entry.by, *line.people) if id_}
    return {id_: account.name for id_, account in (await records.users.by_ids(ids)).items()}


def _as_json(line: Line) -> str:
    return line.entry.model_copy(update={"people": line.people}).model_dump_json(
        by_alias=True, exclude_none=True, exclude_defaults=True
    )


def _as_text(line: Line, names: dict[str, str]) -> str:
    entry = line.entry
    parts = [rfc3339(entry.at), entry.action]
    if entry.by:
        parts.append(f"by {names.get(entry.by, entry.by)} ({entry.by_role}, {entry.by})")
    if entry.address:
        parts.append(f"from {entry.address}")
    if entry.request_id:
        parts.append(f"request {entry.request_id}")
    if entry.key:
        parts.append(f"e-mail {entry.key}")
    if entry.fields:
        parts.append(f"fields {', '.join(entry.fields)}")
    if line.people:
        parts.append(f"about {', '.join(names.get(id_, id_) for id_ in line.people)}")
    return "  ".join(parts)
