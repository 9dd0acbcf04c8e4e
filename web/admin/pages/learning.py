"""What the bot could learn next: proposed intents, the review queue, gaps in the articles.

Every view answers a program that asks for ``application/json`` with JSON, and a browser with a page; a change takes a
form or a JSON object of the same names (``X-CSRFToken`` for both, see web/access.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from flask import flash, jsonify, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from chatbot.errors import InputError, UnavailableError
from chatbot.learning.review import QuestionGroup, gaps, review_queue, searched_again
from chatbot.records import audit, proposals, review
from chatbot.records.answers import list_intents
from chatbot.records.jobs import open_job
from chatbot.records.proposal_undo import LATELY, decided_lately, take_back
from chatbot.records.tables import Article
from web.access import person_id, requires
from web.admin.blueprint import blueprint
from web.admin.leaves import Leaf, asked_page, leaf
from web.api.models import MAX_ID
from web.context import parts
from web.deciding import decide_questions, know_published, reopen_questions
from web.jobs import enqueue
from web.language import gettext

GROUPS = 60  # of a page
PROPOSALS = 50  # likewise
EXAMPLES = 100
MOST_EXAMPLES = 100_000  # of a proposal: all of them
ARTICLES = 100  # of those that are never shown
_LISTS = {"gaps": "admin.gaps_page"}  # where who decided goes back to, else to the review queue


def wants_json() -> bool:
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], "text/html")
    return request.is_json or best == "application/json"


def _sent() -> Mapping[str, Any]:
    body = request.get_json(silent=True)
    return body if isinstance(body, Mapping) else {}


def given(name: str) -> str:
    """A value of the form or of the JSON object, as text."""
    value = _sent().get(name, "") if request.is_json else request.form.get(name, "")
    return str(value).strip()


def given_ids(name: str) -> list[int]:
    """Numbers: a JSON list, repeated form fields, or one field with commas. Raises InputError."""
    values: Sequence[Any]
    if request.is_json:
        values = _sent().get(name) or []
    else:
        values = [part for field in request.form.getlist(name) for part in field.split(",") if part.strip()]
    try:
        ids = [int(value) for value in values]
        if any(abs(number) > MAX_ID for number in ids):
            raise OverflowError
    except (TypeError, ValueError, OverflowError) as error:  # the last for infinity, too
        raise InputError(
            "These are no numbers", field=name, value=str(values)[:100], remedy="Send ids"
        ) from error
    return ids


def done(message: str, endpoint: str, *, undo: str = "", **told: Any) -> BaseResponse:
    """``undo``: an address that takes it back, offered beside the message."""
    if wants_json():
        return jsonify({"ok": True, **told})
    flash(message, undo or "message")
    return redirect(url_for(endpoint, page=asked_page()), code=303)


def _place(page: Leaf[Any]) -> dict[str, int]:
    return {"page": page.page, "pages": page.pages, "total": page.total}


# --- proposed intents ------------------------------------------------------------------------------------


@blueprint.get("/discovery")
@requires("editor")
def discovery() -> str | BaseResponse:
    with parts().database.read() as records:
        count = proposals.count_open(records)
        page = leaf(range(count), size=PROPOSALS)
        found = proposals.list_proposals(records, skip=page.lines[0] if count else 0, limit=PROPOSALS)
        before = request.args.get("decided", 1, type=int)
        decided = decided_lately(records, skip=LATELY * (max(1, before) - 1), limit=LATELY + 1)
        known = [line.name for line in list_intents(records)]
        running = open_job(records, "discover")
    if wants_json():
        return jsonify(
            {
                "proposals": [asdict(one) for one in found],
                "decided": [asdict(one) for one in decided[:LATELY]],
            }
            | _place(page)
        )
    return render_template(
        "admin/discovery.html",
        page=page,
        proposals=found,
        decided=decided[:LATELY],
        decided_page=max(1, before),
        decided_more=len(decided) > LATELY,
        known=known,
        running=running,
    )


@blueprint.post("/discovery")
@requires("editor")
def discover() -> BaseResponse:
    """Queue a look at the messages that no proposal has."""
    job_id = enqueue(parts().database, parts().settings, "discover", person_id=person_id())
    if wants_json():
        return jsonify({"ok": True, "job": job_id})
    return redirect(url_for("admin.job", job_id=job_id), code=303)


@blueprint.get("/discovery/<int:proposal_id>")
@requires("editor")
def proposal(proposal_id: int) -> str | BaseResponse:
    with parts().database.read() as records:
        found = proposals.read_proposal(records, proposal_id, samples=MOST_EXAMPLES)
        known = [line.name for line in list_intents(records)]
    if wants_json():
        return jsonify(asdict(found))
    return render_template(
        "admin/proposal.html", one=found, known=known, page=leaf(found.examples, size=EXAMPLES)
    )


@blueprint.post("/discovery/<int:proposal_id>/accept")
@requires("editor")
def accept_proposal(proposal_id: int) -> BaseResponse:
    with parts().database.write() as records:
        name = given("name") or proposals.get_proposal(records, proposal_id).name
        intent = proposals.accept(records, proposal_id, name=name, person_id=person_id())
        intent_name, intent_id = intent.name, intent.id
    return done(
        gettext("{name} is an intent now. Its draft answers wait for approval.").format(name=intent_name),
        "admin.discovery",
        undo=url_for("admin.reopen_proposal", proposal_id=proposal_id),
        intent=intent_name,
        intent_id=intent_id,
    )


@blueprint.post("/discovery/<int:proposal_id>/reject")
@requires("editor")
def reject_proposal(proposal_id: int) -> BaseResponse:
    with parts().database.write() as records:
        proposals.reject(records, proposal_id, person_id=person_id())
    undo = url_for("admin.reopen_proposal", proposal_id=proposal_id)
    return done(gettext("It will not be proposed again."), "admin.discovery", undo=undo)


@blueprint.post("/discovery/<int:proposal_id>/reopen")
@requires("editor")
def reopen_proposal(proposal_id: int) -> BaseResponse:
    """Take back whatever was decided about it: a rejection, an acceptance, a merge."""
    with parts().database.write() as records:
        take_back(records, proposal_id, person_id=person_id())
    return done(gettext("It is proposed again."), "admin.discovery")


@blueprint.post("/discovery/<int:proposal_id>/rename")
@requires("editor")
def rename_proposal(proposal_id: int) -> BaseResponse:
    with parts().database.write() as records:
        name = proposals.rename(records, proposal_id, given("name"), person_id=person_id()).name
    return done(gettext("Saved."), "admin.discovery", name=name)


@blueprint.post("/discovery/<int:proposal_id>/split")
@requires("editor")
def split_proposal(proposal_id: int) -> BaseResponse:
    """By the messages given as ``examples``, else in two by what the messages say."""
    chosen = given_ids("examples")
    if chosen:
        with parts().database.write() as records:
            made = [proposals.split_off(records, proposal_id, chosen, person_id=person_id()).id]
    else:
        from chatbot.learning.proposing import encoders_of
        from chatbot.learning.proposing import split_proposal as split

        encoders = encoders_of(parts().database, parts().settings)
        made = split(parts().database, proposal_id, encoders, person_id=person_id())
    return done(gettext("There are two proposals now."), "admin.discovery", made=made)


@blueprint.post("/discovery/<int:proposal_id>/remove/<int:example_id>")
@requires("editor")
def remove_from_proposal(proposal_id: int, example_id: int) -> BaseResponse:
    with parts().database.write() as records:
        proposals.take_out(records, proposal_id, example_id)
        _note(records, "proposal.remove", f"proposal {proposal_id}", {"example": example_id})
    if wants_json():
        return jsonify({"ok": True})
    undo = url_for("admin.put_back_into_proposal", proposal_id=proposal_id, example_id=example_id)
    flash(gettext("The message is taken out."), undo)
    return redirect(url_for("admin.proposal", proposal_id=proposal_id), code=303)


@blueprint.post("/discovery/<int:proposal_id>/examples/<int:example_id>/put-back")
@requires("editor")
def put_back_into_proposal(proposal_id: int, example_id: int) -> BaseResponse:
    with parts().database.write() as records:
        proposals.put_back(records, proposal_id, example_id)
        _note(records, "proposal.put_back", f"proposal {proposal_id}", {"example": example_id})
    if wants_json():
        return jsonify({"ok": True})
    return redirect(url_for("admin.proposal", proposal_id=proposal_id), code=303)


@blueprint.post("/discovery/merge")
@requires("editor")
def merge_proposals() -> BaseResponse:
    with parts().database.write() as records:
        chosen = given_ids("proposals")
        kept_id = proposals.merge(records, chosen, person_id=person_id()).id
    gone = next(one for one in chosen if one != kept_id)
    undo = url_for("admin.reopen_proposal", proposal_id=gone)
    return done(gettext("They are one proposal now."), "admin.discovery", undo=undo, proposal=kept_id)


# --- the review queue ------------------------------------------------------------------------------------


@blueprint.get("/review")
@requires("editor")
def review_page() -> str | BaseResponse:
    with parts().database.read() as records:
        asked = review.asked_questions(records)
        known = [line.name for line in list_intents(records)]
    page = leaf(review_queue(asked), size=GROUPS)
    if wants_json():
        return jsonify(
            {"questions": len(asked), "groups": [asdict(one) for one in page.lines]} | _place(page)
        )
    return render_template("admin/review.html", page=page, total=len(asked), known=known)


@blueprint.post("/review")
@requires("editor")
def decide_review() -> BaseResponse:
    """``action``: label, answer, article, ignore or oos, about the questions ``turns``.

    ``answer`` labels them with ``intent`` and keeps ``text`` as the intent's draft; ``article`` starts an article of
    ``title`` and ``text`` that stays off until somebody switches it on.
    """
    action, turns = given("action"), given_ids("turns")
    reason = gettext("review queue: {why}").format(why=given("reason") or action)
    know_published(parts().database)
    with parts().database.write() as records:
        decided = decide_questions(
            records,
            turns,
            action=action,
            person_id=person_id(),
            reason=reason,
            intent=given("intent"),
            text=given("text"),
            title=given("title"),
        )
    told = decided.as_json()
    if action == "article" and not wants_json():
        flash(gettext("The article is a draft: read it, then let the bot quote it."))
        return redirect(url_for("admin.edit_article", article_id=told["article"]), code=303)
    back = request.form.get("back", type=int)
    if back is not None:
        flash(gettext("Decided: the next training learns from it."))
        return redirect(url_for("admin.turn", turn_id=back), code=303)
    listed = _LISTS.get(given("list"), "admin.review_page")
    chosen = ",".join(str(turn) for turn in decided.turns)
    undo = url_for("admin.undo_review", turns=chosen, list=given("list") or None)
    return done(gettext("Decided."), listed, undo=undo, **told)


@blueprint.post("/review/undo")
@requires("editor")
def undo_review() -> BaseResponse:
    """Take decisions about the questions ``turns`` (in the address) back."""
    turns = [int(part) for part in request.args.get("turns", "").split(",") if part.isdecimal()]
    with parts().database.write() as records:
        reopen_questions(records, turns, person_id=person_id())
    listed = _LISTS.get(request.args.get("list", ""), "admin.review_page")
    return done(gettext("Taken back: these questions wait for review again."), listed)


# --- gaps ------------------------------------------------------------------------------------------------


@blueprint.get("/gaps")
@requires("editor")
def gaps_page() -> str | BaseResponse:
    with parts().database.read() as records:
        asked = review.asked_questions(records)
        never, disliked = review.idle_articles(records, asked)
        still_there = set(records.scalars(select(Article.id)))
    page = _as_found_now(leaf(gaps(asked, _ability("meanings")), size=GROUPS))
    if wants_json():
        return jsonify(
            {
                "questions": len(asked),
                "groups": [asdict(one) for one in page.lines],
                "never_shown": [asdict(one) for one in never],
                "voted_down": [asdict(one) for one in disliked],
            }
            | _place(page)
        )
    return render_template(
        "admin/gaps.html",
        page=page,
        total=len(asked),
        never=leaf(never, size=ARTICLES, asked=request.args.get("never", 1, type=int)),
        never_asked="never" in request.args,
        disliked=disliked,
        still_there=still_there,
    )


def _as_found_now(page: Leaf[QuestionGroup]) -> Leaf[QuestionGroup]:
    """The page's gaps, searched for again where this process can: at most `GROUPS` searches."""
    search = _ability("search")
    return replace(page, lines=searched_again(page.lines, search)) if search else page


def _ability(name: str) -> Any:
    """What this process's assistant can do beside replying; None where it cannot, or none serves."""
    try:
        return getattr(parts().serving.assistant(), name, None)
    except UnavailableError:
        return None


def _note(records: Session, action: str, subject: str, detail: dict[str, Any] | None = None) -> None:
    audit.record(records, action=action, subject=subject, person_id=person_id(), detail=detail)
