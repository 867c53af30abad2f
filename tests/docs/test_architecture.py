"""docs/architecture.md stays true: the tree, the layers, and each file, class and function that a step names."""

import ast
import re
import tomllib
from functools import cache
from typing import Any

import pytest

from tests.docs.examples import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text()
SECTIONS = {text.partition("\n")[0]: text for text in PAGE.split("\n## ")[1:]}
TREE = SECTIONS["The tree, and who may import whom"]
WALKS = [SECTIONS["One booking, file by file"], SECTIONS["One reminder, file by file"]]
STEPS = sorted({(path, name) for path, name in re.findall(r"`([\w/]+\.py):([\w.]+)`", PAGE)})


@cache
def names_in(path: str) -> frozenset[str]:
    """Return the functions, classes and methods of a file, methods as Class.method."""
    found = set()
    for node in ast.parse((ROOT / path).read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {
                f"{node.name}.{one.name}"
                for one in node.body
                if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
            }
    return frozenset(found)


@pytest.mark.parametrize(("path", "name"), STEPS)
def test_what_a_step_names_is_in_its_file(path: str, name: str) -> None:
    assert name in names_in(path)


def test_every_file_and_folder_on_the_page_exists() -> None:
    named = set(re.findall(r"`((?:hub|agents|api|tests)/[\w/.]+?)(?::[\w.]+)?`", PAGE))
    assert {path for path in named if not (ROOT / path).exists()} == set()
    assert len(named) > 40


@pytest.mark.parametrize("walk", WALKS, ids=["booking", "reminder"])
def test_a_walk_names_a_place_in_the_code_at_every_step_in_at_most_40_lines(walk: str) -> None:
    steps = re.split(r"^\d+\. ", walk, flags=re.MULTILINE)[1:]
    numbers = [int(number) for number in re.findall(r"^(\d+)\. ", walk, re.MULTILINE)]
    assert numbers == [*range(1, len(steps) + 1)]
    assert all(re.search(r"`[\w/]+\.py:[\w.]+`", step) for step in steps)
    assert len(walk.strip().splitlines()) <= 40


def test_the_tree_lists_every_package() -> None:
    listed, folder = set(), ""
    for indent, name in re.findall(r"^( *)(\w+)/  ", TREE, re.MULTILINE):
        folder = folder if indent else name
        listed.add(f"{folder}/{name}" if indent else name)
    tops = ("hub", "agents", "api")
    there = {f"{top}/{found.name}" for top in tops for found in (ROOT / top).iterdir() if found.is_dir()}
    there = {path for path in there if not path.endswith("__pycache__")}
    assert listed == {*there, *tops, "tests"}


@pytest.mark.parametrize("top", ["hub", "api"])
def test_the_layers_are_those_that_make_check_holds(top: str) -> None:
    """The order on the page is the order of the contract, as far as it has packages."""
    said = re.search(rf"^- In `{top}`.*?lower line: (.*?)\.\s", TREE, re.MULTILINE | re.DOTALL)
    assert said
    on_page = [set(re.findall(r"`(\w+)`", line)) for line in said[1].split(";")]
    contract = next(found for found in _contracts() if found["layers"][-1].startswith(f"{top}."))
    packages = [
        {module.strip().removeprefix(f"{top}.") for module in re.split(r"[|:]", layer) if _is_package(module.strip())}
        for layer in contract["layers"]
    ]
    assert on_page == [layer for layer in packages if layer]


def _contracts() -> list[dict[str, Any]]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    return [contract for contract in contracts if contract["type"] == "layers"]


def _is_package(module: str) -> bool:
    return (ROOT / module.replace(".", "/")).is_dir()
