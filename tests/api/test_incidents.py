"""Incidents over HTTP: who may write, and hostile words in every shape they leave in."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import httpx
import pytest

from pulse_dash.core.operators import OperatorOnly
from tests.api.asserting import assert_refused, fields
from tests.hostile import NAMES
from tests.people import Person, Town

INCIDENTS = "/v1/status/incidents"
ATOM = "{http://www.w3.org/2005/Atom}"


async def test_only_an_operator_tells_of_an_incident(
    client: httpx.AsyncClient, operator: Person, owner: Person, town: Town
) -> None:
    house = await town.project(operator)
    for headers in (owner.headers, dict(house.headers)):
        assert_refused(await client.post(INCIDENTS, headers=headers, json={"nonsense": 1}), OperatorOnly)

    made = await client.post(INCIDENTS, headers=operator.headers, json={"title": "Slow", "body": "We look."})
    assert made.status_code == 201
    for headers in (owner.headers, dict(house.headers)):
        answer = await client.put(f"{INCIDENTS}/{made.json()['id']}", headers=headers, json={"nonsense": 1})
        assert_refused(answer, OperatorOnly)


async def test_an_incident_is_told_of_and_how_it_goes_and_both_are_audited(
    client: httpx.AsyncClient, operator: Person
) -> None:
    made = (await client.post(INCIDENTS, headers=operator.headers, json={"title": "Slow", "body": "We look."})).json()
    change = {"status": "resolved", "body": "Mended.", "postmortem": "A full disk."}
    changed = (await client.put(f"{INCIDENTS}/{made['id']}", headers=operator.headers, json=change)).json()

    assert (await client.get(INCIDENTS)).json()["items"] == [changed]
    assert [each["body"] for each in changed["updates"]] == ["We look.", "Mended."]
    assert changed["resolved_at"] is not None
    log = (await client.get("/v1/audit-logs", headers=operator.headers)).json()["items"]
    assert {"incident.opened", "incident.updated"} <= {entry["action"] for entry in log}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"status": "completed"}, "status"),
        ({"components": ["moon"]}, "components"),
        ({"kind": "maintenance"}, "ends_at"),
        ({"starts_at": "2999-01-01T00:00:00Z"}, "starts_at"),
        ({"title": " "}, "title"),
        ({"body": ""}, "body"),
        ({"impact": "huge"}, "impact"),
    ],
)
async def test_what_cannot_be_told_is_named(
    client: httpx.AsyncClient, operator: Person, body: dict[str, object], field: str
) -> None:
    answer = await client.post(INCIDENTS, headers=operator.headers, json={"title": "x", "body": "y", **body})

    assert answer.status_code == 422
    assert field in fields(answer)


async def test_hostile_words_are_text_on_page_feed_and_json(client: httpx.AsyncClient, operator: Person) -> None:
    for name in NAMES.values():
        sent = {"title": name, "body": name}
        assert (await client.post(INCIDENTS, headers=operator.headers, json=sent)).status_code == 201

    page = (await client.get("/status")).text
    feed = ET.fromstring((await client.get("/status.atom")).text)  # noqa: S314 - our own answer
    told = (await client.get("/api/v2/incidents.json")).json()["incidents"]
    assert "<script>window" not in page
    assert "<img src=x" not in page
    assert {each.findtext(f"{ATOM}title") for each in feed.iter(f"{ATOM}entry")} == {*NAMES.values()}
    assert {each["name"] for each in told} == {name.strip() for name in NAMES.values()}


async def test_statuspage_monitors_read_the_four_documents(client: httpx.AsyncClient, operator: Person) -> None:
    await client.post(INCIDENTS, headers=operator.headers, json={"title": "Slow", "body": "We look."})

    summary = (await client.get("/api/v2/summary.json")).json()
    assert summary.keys() == {"page", "components", "incidents", "scheduled_maintenances", "status"}
    assert summary["status"]["indicator"] in {"none", "minor", "major", "critical"}
    assert [each["name"] for each in summary["incidents"]] == ["Slow"]
    for name in ("status", "components", "incidents"):
        assert (await client.get(f"/api/v2/{name}.json")).json().keys() == {"page", name}


async def test_the_badge_says_the_whole_in_one_word(client: httpx.AsyncClient) -> None:
    badge = await client.get("/status/badge.svg")

    assert badge.headers["content-type"] == "image/svg+xml"
    assert ET.fromstring(badge.text).get("aria-label") == "status: unknown"  # noqa: S314 - our own answer
