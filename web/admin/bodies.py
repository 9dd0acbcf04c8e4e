"""What a form of the admin area's pages or a program's JSON object says, checked before anything is changed.

Both have the same names. In a form everything is text, and a switch says yes or no; in JSON types are taken as they
come, as in the API: "yes" is no boolean, and 5 is no text.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from flask import request
from pydantic import ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from chatbot.errors import InputError
from web.api.models import Body


class _Strict(Body):
    """A change that is not understood as a whole is none: a field of another name is refused, not passed over."""

    model_config = ConfigDict(extra="forbid")


B = TypeVar("B", bound=_Strict)
_LINES = "one a line"  # how a form writes a list
_SWITCHED = {"yes": True, "no": False}
_WRONG = {  # pydantic's kinds of errors: what is wrong, and what to do
    "missing": ("The field is missing", "Give it a value"),
    "bool_type": ("This is neither true nor false", "Give true or false"),
    "string_type": ("This is no text", "Give it as text"),
    "list_type": ("This is no list", "Give a list of texts"),
    "extra_forbidden": (
        "There is no such field",
        "Leave it out, or write its name as the page's form has it",
    ),
    "model_type": ("The body is no JSON object", "Send a JSON object"),
}
_OTHERWISE = ("This value cannot be used", "Give another one")


class SwitchBody(_Strict):
    live: bool


class SeenBody(_Strict):
    """``version``: of the passage as it was seen; one that has changed since is not changed again unseen."""

    version: str | None = None


class OutdatedBody(SeenBody):
    keep: bool


class PassageBody(SeenBody):
    """What is left out stays as it is. ``texts`` split the passage, or a line of dashes in ``text`` does."""

    title_path: str = ""
    text: str = ""
    texts: list[str] = Field(default_factory=list)
    questions: Annotated[list[str] | None, _LINES] = None
    lang: str = ""
    valid_from: str | None = None
    valid_until: str | None = None


class ArticleBody(SeenBody):
    """An article as the form brings it, whole."""

    title: str = ""
    body: str = ""
    lang: str = ""
    section: str = ""
    url: str = ""
    questions: Annotated[list[str], _LINES] = Field(default_factory=list)
    valid_from: str = ""
    valid_until: str = ""
    live: bool = False


def given(model: type[B]) -> B:
    """The form or the JSON object of this request. Raises InputError naming the first field that is wrong."""
    values: Any
    if request.is_json:
        values = request.get_json(silent=True)
    else:
        values = {
            name: _of_form(model.model_fields[name], value)
            for name, value in request.form.items()
            if name in model.model_fields  # a form has a token besides, and the names of its buttons
        }
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        message, remedy = _WRONG.get(first["type"], _OTHERWISE)
        value = first.get("input")
        raise InputError(
            message,
            field=".".join(str(part) for part in first["loc"]) or "body",
            value=value if isinstance(value, str | int | float | bool) else None,
            remedy=remedy,
        ) from error


def _of_form(field: FieldInfo, value: str) -> Any:
    if field.annotation is bool:
        return _SWITCHED.get(value, value)
    return value.splitlines() if _LINES in field.metadata else value
