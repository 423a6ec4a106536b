"""The counts of requests that Prometheus keeps, read as a whole: nothing is counted a second time."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from prometheus_client import REGISTRY

from pulse_dash.core.traffic import Counts

REQUESTS: Final = "pulse_http_requests_total"
SECONDS: Final = "pulse_http_request_seconds_bucket"


class PrometheusCounts:
    """All routes and methods together."""

    def read(self) -> Counts:
        under: defaultdict[float, float] = defaultdict(float)
        answered = failed = 0.0
        for metric in REGISTRY.restricted_registry([REQUESTS, SECONDS]).collect():
            for sample in metric.samples:
                if sample.name == SECONDS:
                    under[float(sample.labels["le"])] += sample.value
                elif sample.name == REQUESTS:
                    answered += sample.value
                    failed += sample.value if sample.labels["status"].startswith("5") else 0
        return Counts(dict(under), answered, failed)
