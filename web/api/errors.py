"""One error shape for everything: ``{"error": {"code", "message", "field"?, "value"?, "remedy"?}}``.

A browser that asks for a page gets the same words as a page.
"""

from __future__ import annotations

import logging
import time
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, g, jsonify, make_response, render_template, request
from flask_limiter import RateLimitExceeded
from pydantic import ValidationError
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from chatbot.errors import FrontdeskError, InputError, UnavailableError
from web.language import gettext, page_language
from web.limits import limiter
from web.observing import route_name
from web.sentences import in_words

log = logging.getLogger(__name__)

CODES = {
    400: "bad_request",
    401: "not_signed_in",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    408: "timed_out",
    413: "too_large",
    414: "too_large",
    415: "not_json",
    422: "invalid_input",
    429: "too_many_requests",
    503: "unavailable",
}
MESSAGES = {  # where the framework has only its own words, which no catalogue holds
    404: "There is nothing at this address",
    413: "That is more than is taken at once",
}
REMEDIES = {
    404: "Check the address",
    413: "Send less at once",
    429: "Wait a little and try again",
}


def _ways_on(home: str, name: str) -> list[tuple[str, str]]:
    """(address, name) of the page of ours that led here, and of the first one."""
    came_from = urlsplit(request.referrer or "")
    back = came_from.path + (f"?{came_from.query}" if came_from.query else "")
    here = request.full_path.rstrip("?")
    ours = came_from.netloc == request.host and came_from.path.startswith(home) and not back.startswith("//")
    return [
        *([(back, gettext("Back to where you were"))] if ours and back not in (home, here) else []),
        (home, name),
    ]


def error_response(
    status: int, error: dict[str, Any], *, retry_after: int | None = None, allow: list[str] | None = None
) -> Response:
    """The one shape, as JSON, or as a page for a browser outside the API."""
    if _wants_page():
        inside = request.path.startswith("/admin")
        response = make_response(
            render_template(
                "error.html",
                status=status,
                message=in_words(error["message"]),
                value=error.get("value"),
                remedy=in_words(error.get("remedy")),
                language=page_language(),
                links=_ways_on(
                    "/admin/" if inside else "/", gettext("Overview") if inside else gettext("Help page")
                ),
            ),
            status,
        )
    else:
        told = error
        if request.path.startswith("/admin"):  # our own pages show it to whoever reads them
            told = error | {name: in_words(error[name]) for name in ("message", "remedy") if error.get(name)}
        response = make_response(jsonify({"error": told}), status)
    response.headers["Cache-Control"] = "no-store"
    if retry_after is not None:
        g.retry_after = retry_after  # web/headers.py has the last word on it
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if allow:
        response.headers["Allow"] = ", ".join(sorted(allow))
    return response


def invalid_body(error: ValidationError) -> Response:
    """flask-openapi3's validation callback: raises InputError for the first thing that is wrong, by name."""
    first = error.errors(include_url=False, include_context=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "body"
    given = first.get("input")
    wrong = InputError(
        f"{field}: {first['msg']}",
        field=field,
        value=given if isinstance(given, str | int | float | bool) else None,
    )
    raise wrong from error  # a blueprint may have words of its own for it


def init_app(app: Flask) -> None:
    @app.errorhandler(FrontdeskError)
    def ours(error: FrontdeskError) -> Response:
        retry_after = error.retry_after if error.retry_after or error.status != 503 else 10
        return error_response(error.status, error.as_json(), retry_after=retry_after)

    @app.errorhandler(RateLimitExceeded)
    def too_often(error: RateLimitExceeded) -> Response:
        breached = limiter.current_limit
        wait = int(breached.reset_at - time.time()) + 1 if breached else 60
        return error_response(429, _error(429, "Too many requests in a short time"), retry_after=wait)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        status = error.code or 500
        if error.response is not None or status < 400:  # a redirect, or a response made on purpose
            return make_response(error.get_response())
        message = error.description or error.name
        if status == 405:
            message = f"{request.method} is not possible here"
        elif message == type(error).description:
            message = MESSAGES.get(status, message)
        allow = list(error.valid_methods or ()) if isinstance(error, MethodNotAllowed) else None
        return error_response(status, _error(status, message), allow=allow)

    @app.errorhandler(OperationalError)
    @app.errorhandler(NoConnectionLeft)
    def database_away(error: OperationalError | NoConnectionLeft) -> Response:
        """Away, locked for too long, all its connections taken, or no room on the disk: nothing was stored, and it
        may pass."""
        told = getattr(error, "orig", error)
        log.error("%s %s: the database does not answer: %s", request.method, route_name(), told)
        away = UnavailableError(
            "The database does not answer just now",
            code="database_away",
            remedy="Try again in a few seconds; if it stays, run: frontdesk doctor",
            retry_after=5,
        )
        return error_response(away.status, away.as_json(), retry_after=away.retry_after)

    @app.errorhandler(OverflowError)
    @app.errorhandler(DataError)
    def unstorable(error: Exception) -> Response:
        """A number or a text that no database row could hold, so none has it either."""
        log.warning("%s %s: a value cannot be stored: %s", request.method, route_name(), type(error).__name__)
        wrong = InputError(
            "A value is outside what can be stored", remedy="Use smaller numbers and plain text"
        )
        return error_response(wrong.status, wrong.as_json())

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        log.exception("%s %s failed", request.method, route_name())
        return error_response(
            500,
            {
                "code": "internal_error",
                "message": "Something went wrong here",
                "remedy": "Try again; if it stays, look into the server's log"
                + (f" for request {g.request_id}" if "request_id" in g else ""),
            },
        )


def _error(status: int, message: str) -> dict[str, Any]:
    body = {"code": CODES.get(status, "error"), "message": message}
    if status in REMEDIES:
        body["remedy"] = REMEDIES[status]
    return body


def _wants_page() -> bool:
    if request.path.startswith(("/api/", "/webhooks/")) or request.method not in ("GET", "HEAD", "POST"):
        return False
    accept = request.accept_mimetypes
    return accept.best_match(["application/json", "text/html"], "application/json") == "text/html"
