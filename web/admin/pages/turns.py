"""One answer of the bot: the words that decided, what another release would have said, and what it should learn.

The page is asked for by people; ``/words`` is its first part, which the conversation's page shows in its place, and
which programs read as JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import flash, jsonify, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from chatbot.dialogue.explaining import Why, explain_message
from chatbot.dialogue.options import SiteOptions
from chatbot.errors import FrontdeskError, NotFoundError
from chatbot.inference.attribution import WordWeight
from chatbot.language.normalise import normalise
from chatbot.language.redaction import Redactor
from chatbot.learning.releases import list_releases
from chatbot.learning.replay import turn_replays
from chatbot.records import audit, review
from chatbot.records.answers import list_intents
from chatbot.records.conversation_search import decisions
from chatbot.records.earlier_turns import turns_before
from chatbot.records.statistics import topic_titles
from chatbot.records.tables import Conversation, Site, Turn
from web.access import person_id, requires
from web.admin.blueprint import blueprint
from web.admin.pages.learning import wants_json
from web.context import parts
from web.jobs import enqueue
from web.language import gettext, page_language

STEPS = 5  # shades of a word's weight
LEAST = 0.03  # a word that moves the probability by less is left uncoloured


@dataclass(frozen=True, slots=True)
class Word:
    """A stretch of the message as the page shows it; ``shade`` from −STEPS (against) to STEPS (for)."""

    before: str  # what stands between it and the one before
    text: str
    weight: float
    shade: int


@dataclass(frozen=True, slots=True)
class Part:
    """Why one request of the message was understood as it was."""

    request: str
    lang: str
    words: tuple[Word, ...]
    rest: str
    why: Why
    of_provisional: tuple[Word, ...] = ()  # the same for the provisional intent that claims the request
    rest_of_provisional: str = ""


def _answer(records: Session, turn_id: int) -> tuple[Turn, Turn]:
    """The bot's turn and the customer's that it answers. Raises NotFoundError."""
    turn = records.get(Turn, turn_id)
    asked = records.get(Turn, turn.reply_to_id) if turn is not None and turn.reply_to_id else None
    if turn is None or turn.role != "bot" or asked is None:
        raise NotFoundError("There is no such answer", field="turn", value=turn_id)
    return turn, asked


def explained(turn_id: int) -> tuple[list[Part], str | None]:
    """Why the release that answers now reads the requests of this turn so, and its id; nothing where it cannot say."""
    with parts().database.read() as records:
        turn, asked = _answer(records, turn_id)
        history = turns_before(records, asked).history()
        site_id = records.get_one(Conversation, turn.conversation_id).site_id
        options = SiteOptions.from_json(records.get_one(Site, site_id).options)
    try:
        assistant = parts().serving.assistant()
    except FrontdeskError:
        return [], None
    classifier = getattr(assistant, "classifier", None)
    if classifier is None:
        return [], assistant.release_id
    redactor = Redactor(options.redaction)  # as the assistant has read it
    before = [replace(one, text=redactor.redact(normalise(one.text))) for one in history]
    found = []
    for part in (turn.trace or {}).get("parts", ()):
        if not part["classification"]["ranked"]:
            continue  # nothing was classified: a tap, a greeting, a wish for a person
        why = explain_message(
            parts().database,
            classifier,
            part["request"],
            lang=part["lang"],
            history=before,
            provisional=getattr(assistant, "provisional", None),
            needed=options.sureness,
        )
        found.append(_part(part["request"], part["lang"], why))
    return found, assistant.release_id


def _part(text: str, lang: str, why: Why) -> Part:
    words, rest = _shaded(text, why.explanation.words)
    claimed = _shaded(text, why.provisional.words) if why.provisional is not None else ((), "")
    return Part(text, lang, words, rest, why, *claimed)


def _shaded(text: str, weighed: Sequence[WordWeight]) -> tuple[tuple[Word, ...], str]:
    """The words with their shades, and what stands behind the last of them."""
    words, at = [], 0
    most = max((abs(word.weight) for word in weighed), default=0.0)
    for word in weighed:
        share = word.weight / most if most else 0.0
        shade = round(share * STEPS) if abs(word.weight) >= LEAST else 0
        words.append(Word(text[at : word.start], word.text, word.weight, shade))
        at = word.end
    return tuple(words), text[at:]


def _titles(records: Session, found: Sequence[Part]) -> dict[str, str]:
    names = {guess.name for part in found for guess in part.why.explanation.classification.ranked}
    names |= {part.why.provisional.intent for part in found if part.why.provisional is not None}
    return topic_titles(records, sorted(names), lang=page_language())


@blueprint.get("/turns/<int:turn_id>/words")
@requires("viewer")
def turn_words(turn_id: int) -> str | BaseResponse:
    """A piece of the page, or JSON for programs."""
    found, release = explained(turn_id)
    if wants_json():
        told = [
            {"request": part.request, "lang": part.lang} | part.why.as_json() | {"why_not": part.why.why_not}
            for part in found
        ]
        return jsonify({"release": release, "parts": told})
    with parts().database.read() as records:
        titles = _titles(records, found)
    return render_template("admin/_words.html", found=found, titles=titles)


@blueprint.get("/turns/<int:turn_id>")
@requires("viewer")
def turn(turn_id: int) -> str:
    found, answering = explained(turn_id)
    with parts().database.read() as records:
        answer, asked = _answer(records, turn_id)
        decided = decisions(records, [asked.id]).get(asked.id)
        known = list_intents(records)
        titles = _titles(records, found)
    return render_template(
        "admin/turn.html",
        answer=answer,
        asked=asked,
        found=found,
        titles=titles,
        answering=answering,
        decided=decided,
        known=known,
        replays=turn_replays(parts().settings, asked.id),
        releases=list_releases(parts().database),
    )


@blueprint.post("/turns/<int:turn_id>/replay")
@requires("editor")
def replay_turn(turn_id: int) -> BaseResponse:
    """Queue it: a release takes seconds to load, and its memory belongs to the worker."""
    with parts().database.read() as records:
        _, asked = _answer(records, turn_id)
    arguments: dict[str, Any] = {
        "release_id": request.form.get("release", ""),
        "turn_id": asked.id,
        "answer_id": turn_id,
    }
    job_id = enqueue(parts().database, parts().settings, "replay", arguments, person_id=person_id())
    return redirect(url_for("admin.job", job_id=job_id), code=303)


@blueprint.post("/turns/<int:turn_id>/reopen")
@requires("editor")
def reopen_turn(turn_id: int) -> BaseResponse:
    """Undo what somebody decided about this question."""
    with parts().database.write() as records:
        _, asked = _answer(records, turn_id)
        review.reopen(records, asked.id)
        audit.record(records, action="review.reopen", subject=f"question {asked.id}", person_id=person_id())
    flash(gettext("Taken back: it teaches nothing, and may wait for review again."))
    return redirect(url_for("admin.turn", turn_id=turn_id), code=303)
