"""The databases of the contract tests are for these, too."""

from tests.contracts.conftest import engine, url

__all__ = ["engine", "url"]
