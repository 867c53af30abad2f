"""docker-compose.yml, as far as it can be looked at without a container engine: valid, and what tests run on."""

import json
import re
import shlex
import subprocess
from fnmatch import fnmatchcase
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import yaml

from agents.__main__ import _EXIT_TIMEOUT
from api.__main__ import STOP_WITHIN
from api.documents.routes import PATHS
from api.metrics import PATH as METRICS
from hub.safety import mongodb_options
from hub.settings import Settings, load

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = (ROOT / "Dockerfile").read_text()
KAFKA = ROOT / "hub" / "ops" / "local" / "kafka"
OURS = ("api", "agents")
OF_THE_PLACE = {
    *("listeners", "advertised.listeners", "controller.quorum.voters", "log.dirs"),
    *("ssl.keystore.location", "ssl.truststore.location"),
}
"""Where a broker listens and keeps its data: different in a container and on one machine."""


@pytest.fixture
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return found


@pytest.fixture
def services(compose: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = compose["services"]
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
    assert services["kafka"]["image"].startswith(f"apache/kafka:{versions['kafka_2.13']}@")


def test_the_broker_is_set_as_the_one_that_tests_run_on(services: dict[str, Any]) -> None:
    lines = [line for name in ("server", "secured") for line in (KAFKA / f"{name}.properties").read_text().splitlines()]
    tested = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    given = {
        name.removeprefix("KAFKA_").lower().replace("___", "-").replace("_", "."): str(value)
        for name, value in services["kafka"]["environment"].items()
    }
    assert {name for name in given if name not in tested} == OF_THE_PLACE
    assert {name: given.get(name) for name in tested} == tested


def test_every_name_that_our_processes_are_given_is_a_setting(services: dict[str, Any]) -> None:
    given = {name for service in OURS for name in services[service]["environment"]}
    given |= set(re.findall(r"\b([A-Z]+(?:_[A-Z]+)*)=", " ".join(re.findall(r"^ENV (.*)$", DOCKERFILE, re.MULTILINE))))
    assert given - {"PATH", "PYTHONUNBUFFERED"} <= {name.upper() for name in Settings.model_fields}
    assert "JWT_SECRET_KEY_FILE" in given


def test_no_secret_stands_in_the_file_and_each_is_mounted_where_it_is_looked_for(
    compose: dict[str, Any], services: dict[str, Any], tmp_path: Path
) -> None:
    subprocess.run(["sh", ROOT / "docs" / "compose" / "secrets.sh", tmp_path / ".secrets"], check=True)
    for name, place in compose["secrets"].items():
        assert place == {"file": f".secrets/{name}"}
        assert (tmp_path / ".secrets" / name).read_text().strip()
    assert tmp_path.joinpath(".secrets").stat().st_mode & 0o077 == 0
    named = re.compile("KEY|TOKEN|PASSWORD|SECRET|MONGODB_URL")
    written = [
        (service, name, value)
        for service, made in services.items()
        for name, value in made.get("environment", {}).items()
        if named.search(name) and not name.startswith(("KAFKA_SSL", "KAFKA_LISTENER"))
    ]
    assert {name for _, name, _ in written} >= {"JWT_SECRET_KEY_FILE", "MONGODB_URL_FILE", "KAFKA_SASL_PASSWORD_FILE"}
    for service, name, value in written:
        assert name.endswith("_FILE")
        assert value.removeprefix("/run/secrets/") in services[service]["secrets"]


def test_production_accepts_what_our_processes_are_given(
    services: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["sh", ROOT / "docs" / "compose" / "secrets.sh", tmp_path / "secrets"], check=True)
    monkeypatch.chdir(tmp_path)
    for service in OURS:
        with monkeypatch.context() as process:
            for name, value in services[service]["environment"].items():
                process.setenv(name, str(value).replace("/run/secrets/", f"{tmp_path}/secrets/"))
            settings = load()
        assert settings.clinic_env == "production"
        assert settings.kafka_security_protocol == "SASL_SSL"
        assert settings.kafka_sasl_username == f"clinic-{service}"
        options = mongodb_options(settings.mongodb_url or "")
        assert options.items() >= {"replicaset": "rs0", "w": "majority", "tls": "true"}.items()
    assert "--replSet" in services["mongo"]["command"]


def test_only_the_proxy_is_reached_from_outside(compose: dict[str, Any], services: dict[str, Any]) -> None:
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]
    assert compose["networks"]["back"]["internal"]
    for engine in ("kafka", "mongo", "kafka-users"):
        assert services[engine]["networks"] == ["back"]
    own = services["proxy"]["networks"]["front"]["ipv4_address"]
    assert set(services["proxy"]["networks"]) == {"front"}
    assert json.loads(services["api"]["environment"]["TRUSTED_PROXIES"]) == [own]
    (subnet,) = compose["networks"]["front"]["ipam"]["config"]
    assert ip_address(own) in ip_network(subnet["subnet"])


def test_strangers_see_nothing_of_what_is_for_the_operator() -> None:
    kept = re.search(r"@operator path (.+)\n\trespond @operator 404", (ROOT / "docs/compose/Caddyfile").read_text())
    assert kept
    patterns = kept[1].split()
    for path in {*PATHS, METRICS}:
        assert any(fnmatchcase(path, pattern) for pattern in patterns), path


def test_each_service_has_no_more_than_it_needs(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else []), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}, name
        assert "privileged" not in service, name


def test_the_engines_want_tls_and_a_log_in(services: dict[str, Any]) -> None:
    listeners = services["kafka"]["environment"]["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(",")
    assert {each.partition(":")[2] for each in listeners} == {"SSL", "SASL_SSL"}
    command = services["mongo"]["command"]
    assert command[command.index("--tlsMode") + 1] == "requireTLS"
    assert "--auth" in command


def test_the_certificates_are_for_the_names_by_which_the_engines_are_called(
    services: dict[str, Any], tmp_path: Path
) -> None:
    command = services["certificates"]["command"]
    script = ROOT / "docs" / "compose" / Path(command[1]).name
    for _ in range(2):  # the second time it makes nothing
        subprocess.run(["sh", script, tmp_path, *command[3:]], check=True, capture_output=True)
    for engine in ("kafka", "mongo"):
        file = tmp_path / engine / f"{engine}.pem"
        check = ["openssl", "verify", "-CAfile", tmp_path / "ca" / "ca.pem", "-verify_hostname", engine, file]
        subprocess.run(check, check=True, capture_output=True)


def test_each_service_says_how_it_is_and_ours_wait_for_the_engines(services: dict[str, Any]) -> None:
    once = {"certificates", "kafka-users"}
    assert all("healthcheck" in service for name, service in services.items() if name not in once)
    for service in OURS:
        waits = services[service]["depends_on"]
        assert waits == {
            "kafka-users": {"condition": "service_completed_successfully"},
            "mongo": {"condition": "service_healthy"},
        }


def test_each_process_has_the_time_that_it_takes_to_stop(services: dict[str, Any]) -> None:
    grace = {service: float(services[service]["stop_grace_period"].removesuffix("s")) for service in OURS}
    assert grace["api"] > STOP_WITHIN
    assert grace["agents"] > _EXIT_TIMEOUT


def test_any_number_of_our_processes_can_run(services: dict[str, Any]) -> None:
    for service in OURS:
        assert "container_name" not in services[service]
        assert "ipv4_address" not in str(services[service]["networks"])


def test_the_procfile_runs_what_the_containers_run(services: dict[str, Any]) -> None:
    lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    assert {name: shlex.split(command) for name, command in lines.items()} == {
        service: ["exec", *services[service]["command"]] for service in OURS
    }


def test_images_of_others_are_named_by_digest(services: dict[str, Any]) -> None:
    named = [service["image"] for service in services.values()] + re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    others = [image for image in named if image != "clinic-hub"]
    assert len(others) > len(services) / 2
    assert [image for image in others if not re.fullmatch(r"[a-z/]+:[\w.-]+@sha256:[0-9a-f]{64}", image)] == []


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
