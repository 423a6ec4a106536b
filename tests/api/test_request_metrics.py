"""What Prometheus reads of requests: counts by method, route and status, and how long they took."""

from __future__ import annotations

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from pulse_dash.api.request_metrics import METRICS, RequestMetrics

Sample = tuple[str, str, str]


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def told(registry: CollectorRegistry) -> dict[Sample, float]:
    """What a scrape reads, by name, route and the label that is left."""
    text = generate_latest(registry).decode()
    return {
        (sample.name, sample.labels["route"], sample.labels.get("le") or sample.labels.get("status", "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_every_answer_is_counted_by_its_status_and_timed_with_its_route(registry: CollectorRegistry) -> None:
    metrics = RequestMetrics()
    registry.register(metrics)

    for status, seconds in ((200, 0.0004), (200, 0.001), (401, 0.03), (500, 30.0)):
        metrics.answered("POST", "/v1/tokens/create", status, seconds)
    metrics.answered("GET", "/v1/projects", 200, 0.2)

    read = told(registry)
    assert read["pulse_http_requests_total", "/v1/tokens/create", "200"] == 2
    assert read["pulse_http_requests_total", "/v1/tokens/create", "401"] == 1
    assert read["pulse_http_requests_total", "/v1/projects", "200"] == 1
    under = {le: read["pulse_http_request_seconds_bucket", "/v1/tokens/create", le] for le in ("0.001", "0.05", "5.0")}
    assert under == {"0.001": 2, "0.05": 3, "5.0": 3}
    assert read["pulse_http_request_seconds_bucket", "/v1/tokens/create", "+Inf"] == 4
    assert read["pulse_http_request_seconds_count", "/v1/tokens/create", ""] == 4
    assert read["pulse_http_request_seconds_sum", "/v1/tokens/create", ""] == pytest.approx(30.0314)


@pytest.mark.parametrize(
    ("verb", "path", "route"),
    [
        ("GET", "/health", "/health"),
        ("HEAD", "/health", "/health"),
        ("HEAD", "/v1/status", "/v1/status"),
        ("GET", "/v1/media/rooms/a%2Fb?project_id=prj_x", "/v1/media/rooms/{room}"),
        ("GET", "/nowhere", "other"),
    ],
)
async def test_a_request_is_counted_under_the_route_that_answered(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, verb: str, path: str, route: str
) -> None:
    counted: list[tuple[str, str]] = []
    monkeypatch.setattr(METRICS, "answered", lambda method, answered, *_: counted.append((method, answered)))

    await client.request(verb, path)

    assert counted == [(verb, route)]


def test_a_scrape_before_the_first_request_reads_nothing_wrong(registry: CollectorRegistry) -> None:
    registry.register(RequestMetrics())

    assert told(registry) == {}
