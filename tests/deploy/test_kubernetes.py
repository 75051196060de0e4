"""The manifests: rendered by kustomize, held against Kubernetes' schemas and what the services read."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml  # type: ignore[import-untyped]

from common.config import load
from tests.deploy.test_compose import SERVICES

ROOT = Path(__file__).parents[2]
VERSIONS = ("1.31", "1.37")  # the oldest and the newest that is tried
WORKLOADS = ("Deployment", "StatefulSet")

Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, with secrets."""
    copy = tmp_path_factory.mktemp("manifests") / "kubernetes"
    shutil.copytree(ROOT / "deploy" / "kubernetes", copy, ignore=shutil.ignore_patterns("secrets.env"))
    subprocess.run([copy / "secrets", copy / "site"], check=True)
    return copy


@pytest.fixture(scope="module")
def manifests(folder: Path) -> list[Manifest]:
    """All that `kubectl apply -k` would send; without kubectl the files as they are."""
    if shutil.which("kubectl"):
        done = subprocess.run(
            ["kubectl", "kustomize", folder / "site"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return list(yaml.safe_load_all(done.stdout))
    return list(resources(folder / "site"))


def resources(folder: Path) -> Iterator[Manifest]:
    """What a kustomization names, unchanged, through all that it rests on."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    for name in [*kustomization.get("resources", ()), *kustomization.get("components", ())]:
        path = (folder / name).resolve()
        if path.is_dir():
            yield from resources(path)
        else:
            yield from yaml.safe_load_all(path.read_text())


def pods(manifests: list[Manifest]) -> dict[str, Manifest]:
    return {
        each["metadata"]["name"]: each["spec"]["template"] for each in manifests if each["kind"] in WORKLOADS
    }


def container(pod: Manifest) -> Manifest:
    (found,) = pod["spec"]["containers"]
    return dict(found)


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_knows_every_field(manifests: list[Manifest], version: str) -> None:
    assert len(manifests) > 20
    for manifest in manifests:
        kubernetes_validate.validate(manifest, version, strict=True)


def test_every_pod_is_closed_watched_and_bounded(manifests: list[Manifest]) -> None:
    assert pods(manifests).keys() == {*SERVICES, "postgres", "valkey"}
    for name, pod in pods(manifests).items():
        spec, its = pod["spec"], container(pod)
        assert spec["securityContext"]["runAsNonRoot"], name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert spec["automountServiceAccountToken"] is False, name
        assert its["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name
        assert its["readinessProbe"], name
        assert its["resources"]["limits"]["memory"], name
        # GATEWAY_PORT=tcp://10.0.0.1:8080 would be Kubernetes' word for a Service, and ours for a port.
        assert spec["enableServiceLinks"] is False, name


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_gets_settings_that_it_reads_and_starts_with(
    manifests: list[Manifest], folder: Path, service: str
) -> None:
    kind = import_module(f"{service}.config").Config
    known = {field.metadata["env"] for field in fields(kind)}
    pod = container(pods(manifests)[service])
    secrets = dict(
        line.split("=", 1) for line in (folder / "site" / "secrets.env").read_text().split() if "=" in line
    )
    own: dict[str, str] = {}
    for each in pod["env"]:
        source = each.get("valueFrom", {})
        if "secretKeyRef" in source:
            assert source["secretKeyRef"]["key"] in secrets
            own[each["name"]] = secrets[each["name"]]
        else:
            own[each["name"]] = each.get("value", "192.0.2.1")  # the node's address
    assert own.keys() <= known, "what the service does not read"
    shared = dict(
        line.split("=", 1) for line in (folder / "base" / "settings.env").read_text().splitlines() if line
    )
    everybody = {
        field.metadata["env"] for name in SERVICES for field in fields(import_module(f"{name}.config").Config)
    }
    assert shared.keys() <= everybody
    config = load(kind, {**shared, **own})
    assert config.service_token
    assert config.metrics_listen == "0.0.0.0:24700"


def test_there_are_as_many_workers_as_rooms_looks_for(manifests: list[Manifest], folder: Path) -> None:
    (media,) = (
        each for each in manifests if each["kind"] in WORKLOADS and each["metadata"]["name"] == "media"
    )
    settings = (folder / "base" / "settings.env").read_text()
    workers = [f"media-{number}.media:50053" for number in range(media["spec"]["replicas"])]
    assert f"MEDIA_ADDR={','.join(workers)}\n" in settings
    ports = {
        (each.get("hostPort"), each.get("protocol")) for each in container(pods(manifests)["media"])["ports"]
    }
    assert {(24780, "UDP"), (24780, "TCP")} < ports


def test_what_selects_pods_finds_some_and_ports_are_there(manifests: list[Manifest]) -> None:
    labels = [pod["metadata"]["labels"].items() for pod in pods(manifests).values()]
    for manifest in manifests:
        spec = manifest.get("spec", {})
        match manifest["kind"]:
            case "Service":
                selector = spec["selector"]
            case "PodDisruptionBudget":
                selector = spec["selector"]["matchLabels"]
            case "NetworkPolicy":
                selector = spec["podSelector"].get("matchLabels", {})
            case _:
                continue
        found = [each for each in labels if selector.items() <= each]
        assert found, manifest["metadata"]["name"]
    for manifest in manifests:
        name = manifest["metadata"]["name"]
        named = (
            {port["name"] for port in container(pods(manifests)[name])["ports"]}
            if name in pods(manifests)
            else set()
        )
        if manifest["kind"] == "Service":
            assert {port["targetPort"] for port in manifest["spec"]["ports"]} <= named
        if manifest["kind"] == "NetworkPolicy" and name in pods(manifests):
            asked = {port["port"] for rule in manifest["spec"]["ingress"] for port in rule["ports"]}
            assert asked <= named


def test_secrets_are_made_once(folder: Path) -> None:
    made = (folder / "site" / "secrets.env").read_text()
    subprocess.run([folder / "secrets", folder / "site"], check=True)
    assert (folder / "site" / "secrets.env").read_text() == made
    assert (folder / "site" / "secrets.env").stat().st_mode & 0o077 == 0
