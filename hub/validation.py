"""What pydantic says of a value that is not valid, as people are told it."""

from pydantic_core import ErrorDetails


def says(problem: ErrorDetails) -> str:
    """Return the message of a problem, without what pydantic writes before the message of a validator of ours."""
    return problem["msg"].removeprefix("Value error, ")
