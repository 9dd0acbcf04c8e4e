"""Each request gets an id, a log line and its place in the metrics.

The id is in every log line, in the answer's ``X-Request-Id``, and goes with a job that the request queues. One that a
proxy gives is taken over where the proxy is trusted. The log line names the route, not the path: a path can hold a
conversation's id or a one-time link.
"""

from __future__ import annotations

import logging
import re
import secrets
import time

from flask import Flask, Response, g, request

from web import logs, metrics, pressure

log = logging.getLogger(__name__)

HEADER = "X-Request-Id"
_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_QUIET = frozenset({"health.healthz", "health.readyz", "metrics.metrics"})


def init_app(app: Flask, *, trusted: bool) -> None:
    """Must be the first to see a request. ``trusted``: whether ids that come from outside are believed."""

    @app.before_request
    def begin() -> None:
        given = request.headers.get(HEADER, "")
        g.request_id = given if trusted and _ID.fullmatch(given) else secrets.token_hex(8)
        g.began = time.perf_counter()
        logs.request_id.set(g.request_id)
        metrics.UNDER_WAY.inc()
        metrics.WAITED.observe(pressure.waited())

    @app.after_request
    def end(response: Response) -> Response:
        if "began" not in g:  # refused before any function of ours ran
            return response
        seconds = time.perf_counter() - g.began
        route = route_name()
        response.headers[HEADER] = g.request_id
        metrics.REQUESTS.labels(request.method, route, response.status_code).inc()
        metrics.SECONDS.labels(route).observe(seconds)
        log.log(
            logging.DEBUG if request.endpoint in _QUIET or _is_file() else logging.INFO,
            "%s %s %s %.1f ms",
            request.method,
            route,
            response.status_code,
            1000 * seconds,
            extra={
                "method": request.method,
                "route": route,
                "status": response.status_code,
                "milliseconds": round(1000 * seconds, 1),
            },
        )
        return response

    @app.teardown_request
    def done(error: BaseException | None) -> None:
        if g.pop("began", None) is not None:
            metrics.UNDER_WAY.dec()


def route_name() -> str:
    """The rule that matched, e.g. ``/api/v1/conversations/<conversation_id>/messages``; any other path is one name,
    or a stranger could fill the metrics with names of his own."""
    return request.url_rule.rule if request.url_rule is not None else "(none)"


def _is_file() -> bool:
    return (request.endpoint or "").endswith("static")
