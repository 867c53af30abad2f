"""The Kubernetes manifests, without a cluster: valid by Kubernetes' schemas, and as docs/kubernetes/README.md says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from agents.__main__ import _EXIT_TIMEOUT
from api.__main__ import STOP_WITHIN
from api.documents.routes import PATHS
from api.metrics import PATH as METRICS
from hub.settings import Settings, load

MANIFESTS = Path(__file__).parents[2] / "docs" / "kubernetes"
BASE, EXAMPLE = MANIFESTS / "base", MANIFESTS / "overlays" / "example"
OURS = ("api", "agents")
SECRETS = {"jwt_secret_key", "mongodb_url", "kafka_password"}
"""The files that the README puts into each secret."""
OLDEST = "1.29"


def manifests(folder: Path) -> Iterator[dict[str, Any]]:
    for file in sorted(folder.glob("*.yaml")):
        if file.name != "kustomization.yaml":
            yield from yaml.safe_load_all(file.read_text())


ALL = [*manifests(BASE), *manifests(EXAMPLE)]
DEPLOYMENTS = {each["metadata"]["name"]: each["spec"] for each in ALL if each["kind"] == "Deployment"}


def pod(process: str) -> dict[str, Any]:
    found: dict[str, Any] = DEPLOYMENTS[process]["template"]["spec"]
    return found


def container(process: str) -> dict[str, Any]:
    (only,) = pod(process)["containers"]
    found: dict[str, Any] = only
    return found


@pytest.mark.parametrize("manifest", ALL, ids=lambda each: f"{each['kind']} {each['metadata']['name']}")
@pytest.mark.parametrize("version", [OLDEST, kubernetes_validate.latest_version()])
def test_each_manifest_follows_the_schema_of_its_kind(manifest: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("folder", [BASE, EXAMPLE])
def test_kustomize_finds_every_file_and_forgets_none(folder: Path) -> None:
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    named = [*kustomization["resources"], *(each["path"] for each in kustomization.get("patches", ()))]
    assert all((folder / name).exists() for name in named)
    assert {file.name for file in folder.glob("*.yaml")} - {"kustomization.yaml"} == set(named) - {"../../base"}


@pytest.mark.parametrize("process", OURS)
def test_production_accepts_the_settings(process: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "jwt_secret_key").write_text("q0Zr7_vTn2kLx9WbYc4Dh8JsPe6MuA1fGi3RtXo5VwK")
    (tmp_path / "kafka_password").write_text("hunter2")
    (tmp_path / "mongodb_url").write_text("mongodb://clinic:hunter2@db.example/clinic?tls=true")
    monkeypatch.chdir(tmp_path)
    given = {name: value for each in ALL if each["kind"] == "ConfigMap" for name, value in each["data"].items()}
    given |= {each["name"]: each["value"] for each in container(process)["env"]}
    assert given.keys() <= {name.upper() for name in Settings.model_fields}
    mounted = {value.removeprefix("/run/secrets/") for value in given.values() if value.startswith("/run/secrets/")}
    assert mounted == SECRETS
    for name, value in given.items():
        monkeypatch.setenv(name, value.replace("/run/secrets", str(tmp_path)))
    settings = load()
    assert (settings.clinic_env, settings.kafka_sasl_username) == ("production", f"clinic-{process}")


@pytest.mark.parametrize("process", OURS)
def test_a_process_has_no_more_than_it_needs(process: str) -> None:
    assert pod(process)["automountServiceAccountToken"] is False
    assert pod(process)["securityContext"]["runAsNonRoot"] is True
    assert container(process)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container(process)["resources"]["limits"]["memory"]
    (secret,) = [each["secret"] for each in pod(process)["volumes"] if "secret" in each]
    assert secret == {"secretName": f"clinic-{process}", "defaultMode": 0o440}


@pytest.mark.parametrize(("process", "takes"), [("api", STOP_WITHIN), ("agents", _EXIT_TIMEOUT)])
def test_a_process_is_looked_at_and_has_the_time_that_it_takes_to_stop(process: str, takes: float) -> None:
    own = container(process)
    waits = float(own["lifecycle"]["preStop"]["exec"]["command"][1]) if "lifecycle" in own else 0.0
    assert pod(process)["terminationGracePeriodSeconds"] > takes + waits
    (port,) = own["ports"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert own[probe]["httpGet"]["port"] == port["name"]
    assert own["livenessProbe"]["httpGet"]["path"] != "/health/ready", "a lost database must not restart every pod"


@pytest.mark.parametrize("process", OURS)
def test_a_drained_node_leaves_one_of_each(process: str) -> None:
    budgets = {each["metadata"]["name"]: each["spec"] for each in ALL if each["kind"] == "PodDisruptionBudget"}
    assert budgets[process]["minAvailable"] < DEPLOYMENTS[process]["replicas"]
    labels = DEPLOYMENTS[process]["template"]["metadata"]["labels"]
    assert budgets[process]["selector"]["matchLabels"] == labels == DEPLOYMENTS[process]["selector"]["matchLabels"]


def test_the_network_is_closed_but_for_what_is_named() -> None:
    policies = {each["metadata"]["name"]: each["spec"] for each in ALL if each["kind"] == "NetworkPolicy"}
    assert policies["nothing-by-default"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    ways_in = [way for policy in policies.values() for way in policy.get("ingress", ())]
    assert all(way["from"] and way["ports"] for way in ways_in)
    ways_out = [way for policy in policies.values() for way in policy.get("egress", ())]
    assert all(way["ports"] for way in ways_out)


def test_strangers_are_not_led_to_what_is_for_the_operator() -> None:
    (ingress,) = [each["spec"] for each in ALL if each["kind"] == "Ingress"]
    assert ingress["tls"]
    (rule,) = ingress["rules"]
    closed = [each["path"] for each in rule["http"]["paths"] if each["backend"]["service"]["name"] == "nowhere"]
    for path in {*PATHS, METRICS}:
        assert any(path == each or path.startswith(f"{each}/") for each in closed), path
