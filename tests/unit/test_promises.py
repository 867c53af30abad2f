"""docs/promises.md stays true: what it names exists, and nothing that belongs there is left out."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from hub.ops.judge.promises import Promise

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "promises.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py::\w+)`", PAGE)))


@cache
def names_in(file: str) -> frozenset[str]:
    """Return the names of the tests that pytest collects from a file."""
    tree = ast.parse((ROOT / file).read_text())
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(function.name for function in functions if function.name.startswith("test_"))


@pytest.mark.parametrize("test", NAMED)
def test_a_test_that_the_page_names_exists(test: str) -> None:
    file, name = test.split("::")
    assert Path(file).name.startswith("test_")
    assert name in names_in(file)


@pytest.mark.parametrize("promise", Promise)
def test_a_promise_has_its_number_and_a_test(promise: Promise) -> None:
    sections = {int(section[0]): section for section in PAGE.split("\n## ")[1:]}
    assert set(sections) == set(Promise)
    assert re.search(r"\| `tests/[\w/]+\.py::\w+` \|", sections[promise])


def test_every_fault_test_is_on_the_page() -> None:
    files = [file.relative_to(ROOT).as_posix() for file in (ROOT / "tests" / "faults").glob("test_*.py")]
    assert {f"{file}::{name}" for file in files for name in names_in(file)} <= set(NAMED)
    assert files


def test_the_page_names_no_file_that_is_gone() -> None:
    for path in re.findall(r"`((?:hub|tests|agents|api)/[\w/.*]+)`", PAGE):
        assert list(ROOT.glob(path)), path
