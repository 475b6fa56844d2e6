"""What Prometheus reads, and the alert rules and the dashboard that are made from it."""

import json
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY

import bot
from bot.web import metrics, responses
from bot.web import slack as slack_endpoint

MONITORING = Path(bot.__file__).parents[1] / "docs" / "monitoring"


def names_that_exist():
    measured = {name for family in REGISTRY.collect() for name in (sample.name for sample in family.samples)}
    histograms = (responses.REQUEST_SECONDS, slack_endpoint.LISTENER_SECONDS)
    parts = {
        f"{family.name}_{part}" for h in histograms for family in h.collect() for part in ("bucket", "count", "sum")
    }
    return measured | parts | set(metrics.GAUGES)


def named_in(expressions):
    return {name for text in expressions for name in re.findall(r"contact_cleanup_\w+", text)}


def test_alerts_are_made_from_metrics_that_exist():
    (group,) = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"]
    named = named_in(rule["expr"] for rule in group["rules"])
    assert named
    assert named <= names_that_exist()
    described = (MONITORING.parent / "operating.md").read_text()
    assert [
        rule["alert"] for rule in group["rules"] if rule["alert"].removeprefix("ContactCleanup") not in described
    ] == []


def test_dashboard_shows_every_gauge():
    panels = json.loads((MONITORING / "grafana.json").read_text())["panels"]
    named = named_in(target["expr"] for panel in panels for target in panel["targets"])
    assert named <= names_that_exist()
    assert set(metrics.GAUGES) - named == {
        "contact_cleanup_job_failing",
        "contact_cleanup_requests_refused_last_day",
    }


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"command": "/cleanup", "text": "Maria Rivera"}, "command"),
        ({"type": "block_actions", "actions": [{"action_id": "list.show.near.3"}]}, "block_actions list.show.near"),
        ({"type": "view_submission", "view": {"callback_id": "contact.save"}}, "view_submission contact.save"),
        ({"type": "event_callback", "event": {"type": "app_home_opened"}}, "event_callback app_home_opened"),
        ({"type": "Maria"}, "other"),
    ],
)
def test_listener_is_named_without_what_people_typed(body, name):
    assert slack_endpoint.listener(body) == name
