"""The databases of the contract tests are for these, too."""

from tests.contracts.conftest import engine, proxy, url

__all__ = ["engine", "proxy", "url"]
