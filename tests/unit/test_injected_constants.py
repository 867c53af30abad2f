"""Tests pass intervals and limits to the code. They patch no constants: such a patch fails silently when code moves."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PLANTS = TESTS / "tools" / "nemesis" / "plants"
"""Processes with planted bugs, which change the hub on purpose. The judge's tests fail when a plant has no effect."""
CONSTANT = re.compile(r"(.+\.)?_?[A-Z][A-Z0-9_]+")


def test_no_test_patches_a_constant() -> None:
    patched = [
        f"{file.relative_to(TESTS)}:{line}"
        for file in TESTS.rglob("*.py")
        if PLANTS not in file.parents
        for line in patches(file.read_text())
    ]
    assert patched == []


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('monkeypatch.setattr(module, "_INTERVAL", 0.1)', [1]),
        ('\nmonkeypatch.setattr("hub.bus.feed.LIMIT", 3)', [2]),
        ("module._INTERVAL = 0.1", [1]),
        ('monkeypatch.setattr(records.users, "by_id", fails)', []),
        ("self.LIMIT, other = 1, 2", [1]),
    ],
)
def test_each_way_to_patch_a_constant_is_found(source: str, lines: list[int]) -> None:
    assert list(patches(source)) == lines


def patches(source: str) -> Iterator[int]:
    """Yield the lines that assign a constant of another object."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(attr="setattr"), args=arguments):
                names = [each.value for each in arguments[:2] if isinstance(each, ast.Constant)]
                if any(isinstance(name, str) and CONSTANT.fullmatch(name) for name in names):
                    yield node.lineno
            case ast.Attribute(attr=name, ctx=ast.Store()) if CONSTANT.fullmatch(name):
                yield node.lineno
