"""The blueprint with what all its views share: the guard of the admin area, and no caching."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, request
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from chatbot.records.people import get_person
from chatbot.records.tables import Person
from web.access import guard

blueprint = Blueprint(
    "inbox",
    __name__,
    url_prefix="/admin/inbox",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static",
)


@blueprint.before_request
def check_access() -> BaseResponse | None:
    if request.endpoint == f"{blueprint.name}.static":
        return None  # style sheets and scripts, the same for everybody
    return guard(current_app)


@blueprint.after_request
def keep_out_of_caches(response: Response) -> Response:
    if request.endpoint != f"{blueprint.name}.static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def myself(session: Session) -> Person:
    """The person who asks, as a row of ``session``."""
    return get_person(session, current_user.id)
