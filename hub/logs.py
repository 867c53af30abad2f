"""Configures logging: one event per line, JSON or (on a terminal) plain text, without private data.

Our code logs with structlog: `log.info("appointment_booked", doctor_id=…)`, an event name and ids. Libraries log
through the standard library; their records from WARNING on are written in the same format.
"""

import logging
import re
import sys
from functools import lru_cache
from typing import TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_PRIVATE_WORDS = frozenset(
    {"password", "token", "secret", "authorization", "cookie", "email", "phone", "body", "text", "reason"}
)
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_PRIVATE_TEXT = re.compile(r"[^\s\"'<>@/]+@[^\s\"'<>@/]+|\+\d{7,15}")
"""Matches e-mail addresses, phone numbers and credentials in a URL. A library's error message may contain them."""

REPEAT_INTERVAL = 10.0
"""Seconds for which a repeated message of a library is left out."""
_MAX_MESSAGES = 500
"""Different messages that the filter remembers."""


def configure(process: str, level: str, stream: TextIO = sys.stdout) -> None:
    """Set up logging for this process. Call it once, before anything is logged.

    `process` is the process name in each line. `level` (DEBUG, INFO, WARNING, ERROR) applies to our own events.
    """
    every_event: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _process_name(process),
        drop_private,
        structlog.processors.format_exc_info,
        hide_private_text,
    ]
    renderer: Processor = _console() if stream.isatty() else _json_line
    structlog.configure(
        processors=[*every_event, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.addFilter(_RepeatFilter())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *every_event],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.root.handlers = [handler]
    logging.root.setLevel(logging.WARNING)


class _RepeatFilter(logging.Filter):
    """Drops repeated messages of libraries. Without a broker, its clients log the same message 30 times a second.

    The next message that is written tells how many were dropped. Records with a traceback are never dropped.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[str, int, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to write the record."""
        if record.exc_info:
            return True
        message = record.name, record.levelno, str(record.msg)
        written_at, dropped = self._seen.get(message, (0.0, 0))
        if written_at <= record.created < written_at + REPEAT_INTERVAL:
            self._seen[message] = written_at, dropped + 1
            return False
        if len(self._seen) >= _MAX_MESSAGES:
            self._seen.clear()
        self._seen[message] = record.created, 0
        if dropped:
            record.msg, record.args = f"{record.getMessage()} (and {dropped} times before)", ()
        return True


def drop_private(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Remove keys with a private word in their name, also in nested mappings: `password`, `accessToken`, `to_phone`.

    Ids stay: `text_id`.
    """
    return {key: _without_private(value) for key, value in event.items() if not _is_private(key)}


def hide_private_text(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace e-mail addresses, phone numbers and credentials in tracebacks and in messages of libraries."""
    for key in ("event", "exception", "cause", "error"):
        if isinstance(text := event.get(key), str):
            event[key] = _PRIVATE_TEXT.sub("[private]", text)
    return event


def _without_private(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_private(inner) for key, inner in value.items() if not _is_private(str(key))}
    return value


@lru_cache(maxsize=1024)  # there are few different keys; without the cache the check was half the cost of a log line
def _is_private(key: str) -> bool:
    return not key.endswith("_id") and any(word.lower() in _PRIVATE_WORDS for word in _WORD.findall(key))


def _json_line(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return orjson.dumps(event, default=str).decode()


def _console() -> Processor:
    return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)


def _process_name(process: str) -> Processor:
    def add_name(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["process"] = process
        return event

    return add_name
