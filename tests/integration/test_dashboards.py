"""What dashboards and alerts name is on the pages of the running services, with the labels they ask for."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
import yaml  # type: ignore[import-untyped]
from prometheus_client.parser import text_string_to_metric_families

from dev.tools import ROOT
from tests import services
from tests.integration.conftest import NewStudent

DASHBOARDS = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
PROMETHEUS = ROOT / "deploy" / "prometheus"
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}
METRIC = re.compile(r"\b(?:cwrk|process|python)_[a-z0-9_]+")
SELECTOR = re.compile(r"\b((?:cwrk|process|python)_[a-z0-9_]+)\{([^}]*)\}")
# Where there is a mail server: tests/auth/test_metrics.py has one.
WITH_MAIL = {"cwrk_auth_letters_total"}
# Prometheus gives each sample these.
ADDED = {"job", "instance"}


def rules() -> Iterator[dict[str, Any]]:
    for group in yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"]:
        yield from group["rules"]


def panels() -> Iterator[dict[str, Any]]:
    for dashboard in DASHBOARDS:
        yield from json.loads(dashboard.read_text())["panels"]


def expressions() -> set[str]:
    return {rule["expr"] for rule in rules()} | {
        target["expr"] for panel in panels() for target in panel["targets"]
    }


async def test_every_figure_that_is_named_exists(chain: services.Stack, student: NewStudent) -> None:
    labels: dict[str, set[str]] = defaultdict(set)
    anna = await student("Anna")
    await anna.create_room("Algebra")
    async with aiohttp.ClientSession() as session:
        for service in chain.services.values():
            async with session.get(service.metrics) as answer:
                for family in text_string_to_metric_families(await answer.text()):
                    found = {name for each in family.samples for name in each.labels}
                    for suffix in SUFFIXES.get(family.type, ("",)):
                        labels[family.name + suffix] |= found
    named = {name for expression in expressions() for name in METRIC.findall(expression)}
    assert len(named) > 40
    assert named - labels.keys() == WITH_MAIL
    for expression in expressions():
        for name, selector in SELECTOR.findall(expression):
            wanted = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector)) - ADDED
            assert not labels[name] or wanted <= labels[name], expression


def test_every_alert_says_what_to_do() -> None:
    alerts = list(rules())
    assert len({alert["alert"] for alert in alerts}) == len(alerts) > 10
    for alert in alerts:
        assert alert["labels"]["severity"] in ("page", "ticket")
        assert all(len(alert["annotations"][part]) > 20 for part in ("summary", "runbook")), alert


def test_every_panel_says_what_it_shows() -> None:
    assert [file.stem for file in DASHBOARDS] == ["overview", "rooms", "voice"]
    uids = [json.loads(file.read_text())["uid"] for file in DASHBOARDS]
    assert len(set(uids)) == len(uids)
    for panel in panels():
        assert panel["title"]
        assert panel["description"], panel["title"]
        assert panel["datasource"]["uid"] == "prometheus"


def test_prometheus_asks_every_service_where_compose_has_its_page() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    scraped = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]
    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in scraped}
    listens = {
        name: each["environment"]["METRICS_LISTEN"].partition(":")[2]
        for name, each in compose.items()
        if "METRICS_LISTEN" in (each.get("environment") or {})
    }
    assert targets == {name: [f"{name}:{port}"] for name, port in listens.items()}
    assert targets.keys() == {"auth", "gateway", "media", "rooms"}


@pytest.mark.parametrize("kind", ["datasources", "dashboards"])
def test_grafana_finds_them(kind: str) -> None:
    (file,) = (ROOT / "deploy" / "grafana" / "provisioning" / kind).glob("*.yml")
    provided = yaml.safe_load(file.read_text())
    assert provided["apiVersion"] == 1
    if kind == "datasources":
        assert provided["datasources"][0]["uid"] == "prometheus"
    else:
        compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]
        folder = provided["providers"][0]["options"]["path"]
        assert f"./deploy/grafana/dashboards:{folder}:ro" in compose["volumes"]
