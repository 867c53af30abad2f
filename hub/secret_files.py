"""Secrets in files: `NAME_FILE=/run/secrets/name` sets NAME to what is in the file, as orchestrators mount secrets."""

from pathlib import Path

SECRETS = ("mongodb_url", "kafka_sasl_password", "jwt_secret_key", "jwt_retired_secret_keys", "twilio_auth_token")
"""The settings that can be in a file."""
_LISTS = frozenset({"jwt_retired_secret_keys"})
"""Those of several values: the file has one on each line."""
_FILE = "_file"


def with_secrets_from_files(given: dict[str, object]) -> dict[str, object]:
    """Return the settings with the secrets that are in files, and without the names of these files.

    Raises ValueError, with one line for each problem.
    """
    settings, problems = dict(given), []
    for name in SECRETS:
        file = settings.pop(f"{name}{_FILE}", None)
        if not file:
            continue
        if settings.get(name):
            problems.append(f"{name.upper()} and {name.upper()}{_FILE.upper()} are both set; set one of the two")
            continue
        try:
            settings[name] = _content(Path(str(file)), several=name in _LISTS)
        except ValueError as error:
            problems.append(f"{name.upper()}{_FILE.upper()}: {error}")
    if problems:
        raise ValueError("\n".join(problems))
    return settings


def _content(file: Path, *, several: bool) -> str | tuple[str, ...]:
    """Return what is in the file, without the line break at its end."""
    try:
        lines = tuple(line.strip() for line in file.read_text().splitlines() if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} cannot be read ({getattr(error, 'strerror', None) or 'it is no text'})") from None
    if several:
        return lines
    if len(lines) != 1:
        raise ValueError(f"{file} has {len(lines)} lines with something on them, and must have one")
    return lines[0]
