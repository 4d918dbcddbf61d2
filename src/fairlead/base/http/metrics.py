"""What does the server count, for Prometheus?"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)


class Metrics:
    """The figures of one process; several processes of one server are added up when they are read."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "fairlead_requests",
            "Requests by route, method and status.",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "fairlead_request_seconds",
            "Time to answer, by route.",
            ["route"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.at_the_door = Counter(
            "fairlead_front_door",
            "Device requests answered without the router, by what they asked.",
            ["asked"],
            registry=self.registry,
        )
        self.remembered_tokens = Gauge(
            "fairlead_remembered_tokens",
            "Verified tokens in memory.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self.busy_devices = Gauge(
            "fairlead_busy_devices",
            "Devices with an open deployment.",
            registry=self.registry,
            multiprocess_mode="livemax",
        )

    def render(self) -> bytes:
        """All figures in Prometheus' text form."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self.registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)


App = Callable[[Any, Any, Any], Awaitable[None]]


class Measured:
    """An ASGI application whose requests are counted and timed by their route."""

    def __init__(self, app: App, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_at = time.perf_counter()
        status = 500

        async def note_status(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        finally:
            route = scope.get("path_template") or "other"
            self._metrics.requests.labels(route, scope["method"], status).inc()
            self._metrics.seconds.labels(route).observe(time.perf_counter() - began_at)
