"""docs/rules.md names places in the code and tests: each must be there."""

import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
MODULES = {path.stem for path in (ROOT / "hub" / "scheduling").glob("*.py")}
PLACES = sorted(place for place in set(re.findall(r"`(\w+(?:\.\w+)+)`", PAGE)) if place.partition(".")[0] in MODULES)
TESTS = sorted(set(re.findall(r"`(test_\w+)`", PAGE)))
FILES = sorted(set(re.findall(r"`((?:hub|tests)/[\w/]+(?:\.py)?)`", PAGE)))


@pytest.mark.parametrize("place", PLACES)
def test_a_place_in_the_code_that_the_page_names_exists(place: str) -> None:
    module, *names = place.split(".")
    found = import_module(f"hub.scheduling.{module}")
    for name in names:
        found = getattr(found, name)


@pytest.mark.parametrize("name", TESTS)
def test_a_test_that_the_page_names_exists(name: str) -> None:
    assert list((ROOT / "tests").rglob(f"{name}.py"))


@pytest.mark.parametrize("path", FILES)
def test_a_file_that_the_page_names_exists(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_page_names_every_module_that_holds_rules() -> None:
    assert len(PLACES) > 15
    assert {place.partition(".")[0] for place in PLACES} >= {"decide", "appointment", "schedule", "slots", "values"}
