"""Whether the process lives, and whether it can answer: for load balancers and for those who start it."""

from __future__ import annotations

from flask import Blueprint, Response, g, jsonify, make_response
from sqlalchemy.exc import SQLAlchemyError

from web.context import parts

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """200 as long as the process answers at all."""
    return _fresh(make_response(jsonify({"status": "ok"})))


@blueprint.get("/readyz")
def readyz() -> Response:
    """200 when the bot can answer: the database is there and a release is loaded. 503 otherwise."""
    try:
        database = parts().database.ping()
    except SQLAlchemyError:
        database = False
    state = {"database": database, **parts().serving.ready()}
    state["ready"] = bool(state["ready"] and database)
    response = make_response(jsonify(state), 200 if state["ready"] else 503)
    if not state["ready"]:
        g.retry_after = 2
    return _fresh(response)


def _fresh(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
