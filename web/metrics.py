"""Figures for Prometheus at ``/metrics`` (text format 0.0.4), for whoever holds ``FRONTDESK_METRICS_TOKEN``.

Counters and times are kept by each process; with several web processes they share files in the data folder
(prometheus_client's multiprocess mode, set up in web/serve.py before this module is imported). What the database
knows (jobs, waiting conversations, the live release) is looked up when it is asked for, so the worker needs no port.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterator

from flask import Blueprint, Response, abort
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.process_collector import ProcessCollector
from sqlalchemy import func, select

from chatbot.dialogue.trace import Trace
from chatbot.errors import AccessError
from chatbot.records.overview import waiting_count
from chatbot.records.tables import Job, utcnow
from web.context import parts
from web.visitors import bearer_token

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"

blueprint = Blueprint("metrics", __name__)

# Ours alone: the process-wide registry would repeat itself in every process of the multiprocess mode.
REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "frontdesk_http_requests_total", "Requests answered.", ("method", "route", "status"), registry=REGISTRY
)
SECONDS = Histogram(
    "frontdesk_http_request_seconds",
    "From taking up a request to the start of its answer.",
    ("route",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
WAITED = Histogram(
    "frontdesk_queue_seconds",
    "How long requests waited for a thread.",
    buckets=(0.001, 0.01, 0.1, 0.5, 1, 2, 4, 8, 16),
    registry=REGISTRY,
)
UNDER_WAY = Gauge(
    "frontdesk_requests_under_way",
    "Requests being worked on.",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
REFUSED = Counter(
    "frontdesk_refused_total", "Requests refused because the machine was full.", registry=REGISTRY
)
REPLIES = Counter("frontdesk_replies_total", "Answers of the bot.", ("kind", "lang"), registry=REGISTRY)
DRAFTS = Counter(
    "frontdesk_drafts_total",
    "Drafts that were due: written, or left out because too many messages were being answered.",
    ("outcome",),
    registry=REGISTRY,
)
REPLY_SECONDS = Histogram(
    "frontdesk_reply_seconds",
    "Deciding and writing an answer.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)


def count_drafts(trace: Trace) -> None:
    for part in trace.parts:
        if part.draft is not None or part.left_out:
            DRAFTS.labels("left_out" if part.left_out else "written").inc()


class Standing:
    """What the database and this process know at the moment of asking."""

    def collect(self) -> Iterator[Metric]:
        state = parts().serving.ready()
        yield GaugeMetricFamily("frontdesk_ready", "Whether the bot can answer.", value=float(state["ready"]))
        yield GaugeMetricFamily(
            "frontdesk_knowledge_revision", "How far the index follows.", value=state["knowledge"]
        )
        release = GaugeMetricFamily("frontdesk_release", "The release that answers.", labels=["release"])
        release.add_metric([str(state["release"] or "none")], 1)
        yield release
        by_state = select(Job.state, func.count()).group_by(Job.state)
        with parts().database.read() as session:
            counts = {row[0]: row[1] for row in session.execute(by_state)}
            oldest = session.scalar(select(func.min(Job.created_at)).where(Job.state == "queued"))
            waiting = waiting_count(session)
        jobs = GaugeMetricFamily("frontdesk_jobs", "Jobs by state.", labels=["state"])
        for name in ("queued", "running", "done", "failed", "cancelled"):
            jobs.add_metric([name], counts.get(name, 0))
        yield jobs
        age = (utcnow() - oldest).total_seconds() if oldest else 0.0
        yield GaugeMetricFamily(
            "frontdesk_oldest_job_seconds", "How long the oldest queued job waits.", value=max(age, 0.0)
        )
        yield GaugeMetricFamily(
            "frontdesk_conversations_waiting", "Conversations that wait for a person.", value=waiting
        )


@blueprint.get("/metrics")
def metrics() -> Response:
    """404 while no token is set; 401 without it. Raises AccessError."""
    expected = parts().settings.metrics_token
    if not expected:
        abort(404)
    given = bearer_token() or ""
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise AccessError(
            "The token for the metrics is missing or wrong",
            code="not_signed_in",
            status=401,
            remedy="Send FRONTDESK_METRICS_TOKEN as Authorization: Bearer",
        )
    counted = REGISTRY
    if os.environ.get(MULTIPROCESS):
        counted = CollectorRegistry()
        MultiProcessCollector(counted)
    standing = CollectorRegistry()
    standing.register(Standing())
    ProcessCollector(registry=standing)
    answer = Response(generate_latest(counted) + generate_latest(standing), content_type=CONTENT_TYPE_LATEST)
    answer.headers["Cache-Control"] = "no-store"
    return answer
