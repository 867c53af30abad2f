"""What may happen between a driver and its database, as rules for the proxy."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any

from tests.tools.mongo_proxy.proxy import Command, ConnectionLost, Forward, Rule
from tests.tools.mongo_proxy.wire import Document

HELLO = frozenset({"hello", "ismaster", "isMaster"})
READS = frozenset({"find", "aggregate", "count", "distinct", "getMore", "listIndexes"})
WRITES = frozenset({"insert", "update", "delete", "findAndModify"})
NOT_PRIMARY = 10107


def delayed(seconds: float, names: Collection[str] = READS | WRITES) -> Rule:
    """Hold each answer back for as long."""

    async def rule(command: Command, forward: Forward) -> Document:
        answer = await forward(command)
        if command.name in names:
            await asyncio.sleep(seconds)
        return answer

    return rule


def refused(code: int, says: str, names: Collection[str], times: int | None = None) -> Rule:
    """Answer these commands with an error, the first `times` of them; None: all."""
    left = times

    async def rule(command: Command, forward: Forward) -> Document:
        nonlocal left
        if command.name not in names or left == 0:
            return await forward(command)
        left = left - 1 if left else left
        return _error(code, says)

    return rule


def hello_says(**fields: object) -> Rule:
    """Change what `hello` answers; None takes a field away."""

    async def rule(command: Command, forward: Forward) -> Document:
        answer = await forward(command)
        if command.name not in HELLO:
            return answer
        changed = {**answer, **fields}
        return {name: value for name, value in changed.items() if value is not None}

    return rule


def answers_say(name: str, **fields: object) -> Rule:
    """Change what one command answers."""

    async def rule(command: Command, forward: Forward) -> Document:
        answer = await forward(command)
        return {**answer, **fields} if command.name == name else answer

    return rule


def without_key_pattern() -> Rule:
    """Say of a duplicate key only that there is one, as older servers do."""

    async def rule(command: Command, forward: Forward) -> Document:
        answer: Document = _without(await forward(command), {"keyPattern", "keyValue"})
        return answer

    return rule


def answer_lost(names: Collection[str] = WRITES, times: int | None = 1, every: int = 1) -> Rule:
    """Close the connection when the database has done what it was asked, before the answer is sent.

    Of the commands with these names every so many-th loses its answer, `times` in all; None: no end. With retryable
    writes the driver asks again under the same number, and gets the answer that was lost. MongoDB does so, too, by the
    number alone; the embedded database compares the commands, of which the time limit has changed by then.
    """
    asked = lost = 0
    answered: dict[tuple[bytes, int], Document] = {}

    async def rule(command: Command, forward: Forward) -> Document:
        nonlocal asked, lost
        number = _write_number(command)
        if number in answered:
            return answered[number]
        answer = await forward(command)
        if command.name not in names or lost == times:
            return answer
        asked += 1
        if asked % every:
            return answer
        lost += 1
        if number:
            answered[number] = answer
        raise ConnectionLost

    return rule


def retryable_answers_lost(every: int) -> Rule:
    """Lose the answer of every so many-th write that the driver may repeat, once each."""
    losing = answer_lost(times=None, every=every)

    async def rule(command: Command, forward: Forward) -> Document:
        return await losing(command, forward) if _write_number(command) else await forward(command)

    return rule


def no_primary() -> Rule:
    """Be a member of a replica set that elects: nobody is primary."""
    as_secondary = hello_says(isWritablePrimary=False, ismaster=False, secondary=True, primary=None)
    refusing = refused(NOT_PRIMARY, "not primary", READS | WRITES | {"createIndexes"})

    async def rule(command: Command, forward: Forward) -> Document:
        return await (as_secondary if command.name in HELLO else refusing)(command, forward)

    return rule


def watched(note: Callable[[Command], None]) -> Rule:
    """Tell of each command before it goes on."""

    async def rule(command: Command, forward: Forward) -> Document:
        note(command)
        return await forward(command)

    return rule


def _error(code: int, says: str) -> Document:
    return {"ok": 0.0, "errmsg": says, "code": code}


def _write_number(command: Command) -> tuple[bytes, int] | None:
    """Return what a retryable write is known by to the server: its session and its number in that."""
    if "txnNumber" not in command.document:
        return None
    return bytes(command.document["lsid"]["id"]), int(command.document["txnNumber"])


def _without(value: Any, names: Collection[str]) -> Any:
    """Return a copy in which no document has a field of these names."""
    match value:
        case Mapping():
            return {name: _without(inner, names) for name, inner in value.items() if name not in names}
        case list():
            return [_without(inner, names) for inner in value]
        case _:
            return value
