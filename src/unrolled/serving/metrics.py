"""What the service counts, as Prometheus reads it."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

TEXT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_INPUTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """The counters of one service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "unrolled_requests", "Requests answered.", ["method", "path", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "unrolled_request_seconds",
            "Seconds until a request was answered whole.",
            ["path"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.predictions = Counter(
            "unrolled_predictions", "Inputs predicted for.", ["model"], registry=self.registry
        )
        self.steps = Counter("unrolled_steps", "Steps of streams taken.", ["model"], registry=self.registry)
        self.batches = Histogram(
            "unrolled_batch_inputs",
            "Inputs computed together.",
            ["model"],
            buckets=_INPUTS,
            registry=self.registry,
        )
        self.waiting = Gauge(
            "unrolled_queue_inputs", "Inputs that wait for a model.", ["model"], registry=self.registry
        )
        self.sessions = Gauge("unrolled_sessions", "Sessions that are open.", registry=self.registry)
        self.session_bytes = Gauge(
            "unrolled_session_bytes", "Bytes of all sessions' states.", registry=self.registry
        )
        self.expired = Gauge(
            "unrolled_sessions_expired", "Sessions that ended unused.", registry=self.registry
        )

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self.registry)
