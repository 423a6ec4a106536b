"""How many requests were answered and how long that took, as Prometheus reads it.

prometheus_client's own Counter and Histogram take three locks a request; only the event loop counts here.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from itertools import accumulate

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

# Seconds. What took exactly so long is below.
_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, float("inf"))
_NAMES = [*(str(float(bound)) for bound in _BOUNDS[:-1]), "+Inf"]


class _Answered:
    """One kind of request: how many took how long, and all their seconds."""

    __slots__ = ("seconds", "within")

    def __init__(self) -> None:
        self.seconds = 0.0
        self.within = [0] * len(_BOUNDS)


class RequestMetrics(Collector):
    """Counts by method, route and status. No project is a label: a label's values must be few."""

    def __init__(self) -> None:
        self._kinds: defaultdict[tuple[str, str, int], _Answered] = defaultdict(_Answered)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """One more request."""
        kind = self._kinds[method, route, status]
        kind.seconds += seconds
        kind.within[bisect_left(_BOUNDS, seconds)] += 1

    def describe(self) -> Iterable[Metric]:
        return self._families()

    def collect(self) -> Iterable[Metric]:
        requests, durations = self._families()
        routes: defaultdict[tuple[str, str], list[_Answered]] = defaultdict(list)
        for (method, route, status), kind in self._kinds.items():
            requests.add_metric((method, route, str(status)), sum(kind.within))
            routes[method, route].append(kind)
        for labels, kinds in routes.items():
            under = accumulate(map(sum, zip(*(kind.within for kind in kinds), strict=True)))
            durations.add_metric(labels, list(zip(_NAMES, under, strict=True)), sum(kind.seconds for kind in kinds))
        return requests, durations

    def _families(self) -> tuple[CounterMetricFamily, HistogramMetricFamily]:
        return (
            CounterMetricFamily("pulse_http_requests", "Requests answered.", labels=("method", "route", "status")),
            HistogramMetricFamily("pulse_http_request_seconds", "Time to answer.", labels=("method", "route")),
        )


METRICS = RequestMetrics()
REGISTRY.register(METRICS)
