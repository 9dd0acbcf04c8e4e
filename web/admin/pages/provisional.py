"""Provisional intents: made from a few examples and an answer, shown what they would take before they are live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from chatbot.dialogue.provisional_check import Check, add_provisional, check_examples
from chatbot.errors import FrontdeskError
from chatbot.records import provisional as library
from chatbot.records.tables import Turn
from web.access import person_id, requires
from web.admin.blueprint import blueprint
from web.api.models import MAX_ID
from web.context import parts
from web.language import gettext, page_language
from web.provisional import known_now

LISTED = 20  # messages of a language that it takes
FROM_GROUP = 50  # questions of a group that become examples


@dataclass(frozen=True, slots=True)
class Written:
    """What the form says, as it is shown again."""

    name: str = ""
    title: str = ""
    lang: str = ""
    answer: str = ""
    examples: str = ""
    insist: bool = False

    @classmethod
    def sent(cls) -> Written:
        texts = {
            name: request.form.get(name, "").strip()
            for name in ("name", "title", "lang", "answer", "examples")
        }
        return cls(**texts, insist=request.form.get("insist") == "yes")

    @property
    def asked(self) -> dict[str, Any]:
        """Arguments of ``check_examples``."""
        return {
            "examples": self.examples.splitlines(),
            "answers": {self.lang: self.answer} if self.answer else {},
            "lang": self.lang,
            "insist": self.insist,
            "known": known_now(),
        }


@blueprint.get("/provisional")
@requires("viewer")
def provisional() -> str:
    with parts().database.read() as records:
        found = library.list_provisional(records)
    return render_template("admin/provisional.html", intents=found)


@blueprint.get("/provisional/new")
@requires("editor")
def new_provisional() -> str:
    """``?turns=1,2``: begins with these questions of customers. ``?name=``: examples for one that is there."""
    with parts().database.read() as records:
        texts = _questions(records, request.args.get("turns", ""))
    given = Written(request.args.get("name", ""), lang=page_language(), examples="\n".join(texts))
    return _form(given)


@blueprint.post("/provisional/check")
@requires("editor")
def check_provisional() -> str | tuple[str, int]:
    """Says what would happen; nothing is changed."""
    given = Written.sent()
    try:
        check = check_examples(parts().database, given.name, **given.asked)
    except FrontdeskError as error:
        return _form(given, error=error), error.status
    return _form(given, check=check)


@blueprint.post("/provisional")
@requires("editor")
def make_provisional() -> BaseResponse | tuple[str, int]:
    given = Written.sent()
    titles = {given.lang: given.title} if given.title else None
    try:
        add_provisional(parts().database, given.name, titles=titles, person_id=person_id(), **given.asked)
    except FrontdeskError as error:
        return _form(given, error=error), error.status
    flash(gettext("{name} answers from the next message on.").format(name=given.name))
    return redirect(url_for("admin.provisional"), code=303)


@blueprint.post("/provisional/withdraw")
@requires("editor")
def withdraw_provisional() -> BaseResponse:
    name = request.form.get("name", "")
    with parts().database.write() as records:
        library.withdraw(records, name, person_id=person_id())
    undo = url_for("admin.bring_back_provisional", name=name)
    flash(gettext("{name} answers nothing any more.").format(name=name), undo)
    return redirect(url_for("admin.provisional"), code=303)


@blueprint.post("/provisional/bring-back")
@requires("editor")
def bring_back_provisional() -> BaseResponse:
    """``name`` stands in the address: what undoes a change is one button."""
    name = request.args.get("name", "")
    with parts().database.write() as records:
        library.bring_back(records, name, person_id=person_id())
    flash(gettext("{name} answers from the next message on.").format(name=name))
    return redirect(url_for("admin.provisional"), code=303)


def _form(given: Written, *, check: Check | None = None, error: FrontdeskError | None = None) -> str:
    with parts().database.read() as records:
        there = next((one for one in library.list_provisional(records) if one.name == given.name), None)
    return render_template(
        "admin/provisional_new.html",
        given=given,
        there=there,
        check=check,
        error=error or (check.problem if check else None),
        least=library.LEAST,
        listed=LISTED,
    )


def _questions(records: Session, turns: str) -> list[str]:
    ids = [int(part) for part in turns.split(",") if part.isdecimal() and int(part) <= MAX_ID][:FROM_GROUP]
    rows = records.execute(
        select(Turn.id, Turn.text).where(Turn.id.in_(ids), Turn.role == "customer").order_by(Turn.id)
    )
    return list(dict.fromkeys(" ".join(row.text.split()) for row in rows))
