"""The first page: is the bot well, what waits for a person, what happened last."""

from __future__ import annotations

from flask import render_template

from web.access import requires
from web.admin.blueprint import blueprint


@blueprint.get("/", strict_slashes=False)
@requires("viewer")
def home() -> str:
    return render_template("admin/home.html")
