"""The examples that intents are learned from: all of them, each with where it came from, and changed by people.

The filters stand in the address, of the changes as well, so that one comes back to the same list. Each view answers a
program that asks for ``application/json``, as those of learning.py do; ``web/api/examples.py`` is for API keys.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

from flask import flash, jsonify, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from chatbot.errors import FrontdeskError
from chatbot.language.entity_marks import read_marks
from chatbot.records import example_changes
from chatbot.records.answers import list_intents
from chatbot.records.example_changes import OUT_OF_SCOPE, Change, Decider, newest_change
from chatbot.records.example_search import (
    ORIGINS,
    SPLITS,
    STATES,
    Wanted,
    count_examples,
    languages_of_examples,
    read_transcript,
    search_examples,
)
from web.access import person_id, requires
from web.admin.blueprint import blueprint
from web.admin.pages.learning import given, given_ids, wants_json
from web.context import parts
from web.deciding import know_published
from web.language import gettext

FILTERS = ("state", "intent", "q", "lang", "origin", "split")


@blueprint.get("/examples")
@requires("viewer")
def examples() -> BaseResponse:
    return _page()


def _page(error: FrontdeskError | None = None) -> BaseResponse:
    """The list that the address asks for; with an ``error`` above it where a text could not be kept."""
    wanted, before = read_wanted(request.args), request.args.get("before", type=int)
    with parts().database.read() as records:
        seen = newest_change(records)  # first: what comes while the list is read was not seen
        page = search_examples(records, wanted, before=before)
        totals = {state: count_examples(records, replace(wanted, state=state)) for state in STATES}
        intents = {line.name: line for line in list_intents(records)}
        spoken = languages_of_examples(records)
    if wants_json():
        told = {"examples": [asdict(line) for line in page.lines], "older": page.older, "totals": totals}
        return jsonify(told | {"seen": seen})
    return make_response(
        render_template(
            "admin/examples.html",
            page=page,
            wanted=wanted,
            given=asked_for(request.args),
            before=before,
            totals=totals,
            intents=intents,
            spoken=spoken,
            newest=seen,
            origins=ORIGINS,
            splits=SPLITS,
            out_of_scope=OUT_OF_SCOPE,
            error=error,
            written=given("text") if error else "",
            chosen=given("intent") if error else wanted.intent,
        ),
        error.status if error else 200,
    )


def asked_for(arguments: MultiDict[str, str]) -> dict[str, str]:
    """The filters of an address, for the addresses of the same list."""
    return {name: arguments[name] for name in FILTERS if arguments.get(name)}


def read_wanted(arguments: MultiDict[str, str]) -> Wanted:
    """What no filter knows filters nothing."""
    state, origin, split = (arguments.get(name, "") for name in ("state", "origin", "split"))
    return Wanted(
        state=next((one for one in STATES if one == state), STATES[0]),
        intent=arguments.get("intent", ""),
        text=arguments.get("q", ""),
        lang=arguments.get("lang", ""),
        origin=origin if origin in ORIGINS else "",
        split=split if split in SPLITS else "",
    )


@blueprint.post("/examples")
@requires("editor")
def add_example() -> BaseResponse:
    """Write one. What is refused comes back with the page, and is not lost."""
    know_published(parts().database)
    try:
        with parts().database.write() as records:
            change = example_changes.add(
                records, given("text"), intent=given("intent"), lang=given("lang")[:16], by=_decider()
            )
    except FrontdeskError as error:
        if wants_json():
            raise
        return _page(error)
    return _done(change, gettext("Kept. The next training learns it."))


@blueprint.post("/examples/relabel")
@requires("editor")
def relabel_examples() -> BaseResponse:
    """The examples ``examples`` ask for ``intent``."""
    intent = given("intent")

    def decide(records: Session, ids: Sequence[int]) -> Change:
        return example_changes.relabel(records, ids, intent=intent, by=_decider())

    return _decide(decide, gettext("Relabelled: {number}. The next training learns it so."))


@blueprint.post("/examples/<int:example_id>/entities")
@requires("editor")
def mark_example(example_id: int) -> BaseResponse:
    """What the example names, in the notation of chatbot/language/entity_marks.py; the words stay as they are."""
    plain, marks = read_marks(given("marked"))
    with parts().database.write() as records:
        example_changes.check_words(records, example_id, plain)
        change = example_changes.mark(records, example_id, marks, by=_decider())
    return _done(change, gettext("Marked. The next training learns it so."))


@blueprint.post("/examples/take-out")
@requires("editor")
def take_out_examples() -> BaseResponse:
    return _decide(
        lambda records, ids: example_changes.take_out(records, ids, by=_decider()),
        gettext("Taken out: {number}. The next training does without."),
    )


@blueprint.post("/examples/put-back")
@requires("editor")
def put_back_examples() -> BaseResponse:
    return _decide(
        lambda records, ids: example_changes.put_back(records, ids, by=_decider()),
        gettext("Put back: {number}. The next training learns it again."),
    )


@blueprint.post("/examples/changes/<int:change_id>/undo")
@requires("editor")
def undo_examples(change_id: int) -> BaseResponse:
    with parts().database.write() as records:
        change = example_changes.undo(records, change_id, by=_decider())
    return _done(change, gettext("Taken back."))


@blueprint.get("/transcripts/<int:transcript_id>")
@requires("viewer")
def transcript(transcript_id: int) -> str:
    """A past conversation as it was imported, with what was found in it."""
    with parts().database.read() as records:
        view = read_transcript(records, transcript_id)
    return render_template("admin/transcript.html", view=view)


def _decider() -> Decider:
    seen = given("seen")
    return Decider(person_id(), seen=int(seen) if seen.isdecimal() and len(seen) < 19 else None)


def _decide(decide: Callable[[Session, Sequence[int]], Change], message: str) -> BaseResponse:
    with parts().database.write() as records:
        change = decide(records, given_ids("examples"))
    return _done(change, message.format(number=len(change.examples)))


def _done(change: Change, message: str) -> BaseResponse:
    """Back to the list, with what takes the change back."""
    if wants_json():
        return jsonify({"ok": True, "examples": change.examples, "change": change.entry})
    here: dict[str, Any] = {**asked_for(request.args), "before": request.args.get("before", type=int)}
    undo = ""
    if change.entry is not None:
        undo = url_for("admin.undo_examples", change_id=change.entry, **here)
    flash(message, undo or "message")
    return redirect(url_for("admin.examples", **here), code=303)
