"""docker-compose.yml, as far as it can be looked at without a container engine: valid, and what tests run on."""

import json
import re
import shlex
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import yaml

from agents.__main__ import _EXIT_TIMEOUT
from api.__main__ import STOP_WITHIN
from hub.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = (ROOT / "Dockerfile").read_text()
KAFKA = ROOT / "hub" / "ops" / "local" / "kafka"
OURS = ("api", "agents")
OF_THE_PLACE = {"listeners", "advertised.listeners", "controller.quorum.voters", "log.dirs"}
"""Where a broker listens and keeps its data: different in a container and on one machine."""


@pytest.fixture
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


def test_the_file_follows_the_schema_of_compose_files() -> None:
    package = find_spec("check_jsonschema")  # it brings the schema; itself it is not needed
    assert package
    assert package.origin
    schema = Path(package.origin).parent / "builtin_schemas" / "vendor" / "compose-spec.json"
    jsonschema.validate(yaml.safe_load(COMPOSE.read_text()), json.loads(schema.read_text()))


def test_the_broker_is_the_version_that_tests_run_on(services: dict[str, Any]) -> None:
    project = ET.parse(KAFKA / "pom.xml").getroot()
    maven = {"m": "http://maven.apache.org/POM/4.0.0"}
    versions = {
        dependency.findtext("m:artifactId", namespaces=maven): dependency.findtext("m:version", namespaces=maven)
        for dependency in project.iterfind("m:dependencies/m:dependency", maven)
    }
    assert services["kafka"]["image"] == f"apache/kafka:{versions['kafka_2.13']}"


def test_the_broker_is_set_as_the_one_that_tests_run_on(services: dict[str, Any]) -> None:
    lines = (KAFKA / "server.properties").read_text().splitlines()
    tested = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    given = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): str(value)
        for name, value in services["kafka"]["environment"].items()
    }
    assert {name for name in given if name not in tested} == OF_THE_PLACE
    assert {name: given.get(name) for name in tested} == tested


def test_every_name_that_our_processes_are_given_is_a_setting(services: dict[str, Any]) -> None:
    given = {name for service in OURS for name in services[service]["environment"]}
    given |= set(re.findall(r"\b([A-Z]+(?:_[A-Z]+)*)=", " ".join(re.findall(r"^ENV (.*)$", DOCKERFILE, re.MULTILINE))))
    assert given - {"PATH", "PYTHONUNBUFFERED"} <= {name.upper() for name in Settings.model_fields}
    assert "JWT_SECRET_KEY" in given


def test_no_secret_stands_in_the_file(services: dict[str, Any]) -> None:
    written = [
        (name, value)
        for service in services.values()
        for name, value in service.get("environment", {}).items()
        if re.search("KEY|TOKEN|PASSWORD|SECRET", name)
    ]
    assert written
    for name, value in written:
        assert re.fullmatch(rf"\$\{{{name}:\?.+\}}", value), f"{name} has to come from the environment"


def test_writes_are_acknowledged_by_a_majority_of_a_replica_set(services: dict[str, Any]) -> None:
    assert "--replSet" in services["mongo"]["command"]
    for service in OURS:
        url = services[service]["environment"]["MONGODB_URL"]
        assert {"replicaSet=rs0", "w=majority"} <= set(url.partition("?")[2].split("&"))


def test_each_service_says_how_it_is_and_ours_wait_for_the_engines(services: dict[str, Any]) -> None:
    assert all("healthcheck" in service for service in services.values())
    for service in OURS:
        waits = services[service]["depends_on"]
        assert waits == {engine: {"condition": "service_healthy"} for engine in ("kafka", "mongo")}


def test_each_process_has_the_time_that_it_takes_to_stop(services: dict[str, Any]) -> None:
    grace = {service: float(services[service]["stop_grace_period"].removesuffix("s")) for service in OURS}
    assert grace["api"] > STOP_WITHIN
    assert grace["agents"] > _EXIT_TIMEOUT


def test_any_number_of_our_processes_can_run(services: dict[str, Any]) -> None:
    for service in OURS:
        assert "container_name" not in services[service]
    first, last = re.fullmatch(r"\$\{API_PORTS:-(\d+)-(\d+)\}:8000", services["api"]["ports"][0]).groups()
    assert int(last) > int(first), "a second api would find its port taken"


def test_the_procfile_runs_what_the_containers_run(services: dict[str, Any]) -> None:
    lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    assert {name: shlex.split(command) for name, command in lines.items()} == {
        service: ["exec", *services[service]["command"]] for service in OURS
    }


def test_the_image_is_slim_and_its_process_is_not_root() -> None:
    stages = DOCKERFILE.split("FROM ")[1:]
    assert all(stage.startswith("python:3.11-slim") for stage in stages)
    user = re.search(r"^USER (\w+)$", stages[-1], re.MULTILINE)
    assert user
    assert user[1] != "root"
    assert f"useradd --system --create-home --uid 10001 {user[1]}" in stages[-1]


def test_the_rights_on_kafka_are_documented_as_they_are_given() -> None:
    script, page = ((ROOT / "docs" / name).read_text() for name in ("compose/kafka-users.sh", "engines.md"))
    given = script[script.index("# The api sends") :].strip()
    assert "allow clinic-agents" in given
    assert f"```sh\n{given}\n```" in page
