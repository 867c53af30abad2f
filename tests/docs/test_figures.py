"""Every metric that the README names exists in one of the two kinds of process."""

import re

from prometheus_client import REGISTRY

import agents.__main__
import api.__main__
from tests.docs.examples import ROOT

PROCESSES = (agents.__main__, api.__main__)


def test_each_metric_that_the_readme_names_exists() -> None:
    names = {name for collected in REGISTRY.collect() for name in (collected.name, f"{collected.name}_total")}
    listed = set(re.findall(r"`(clinic_\w+)`", (ROOT / "README.md").read_text()))
    assert len(listed) > 25
    assert listed - names == set()
