"""What the bot knows: articles with their passages, intents with their answers."""

from __future__ import annotations

from collections.abc import Mapping

from flask import flash, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from chatbot.dialogue.cards import (
    RULE,
    cards_from_json,
    cards_from_text,
    cards_to_text,
    check_images,
    with_cards,
)
from chatbot.errors import FrontdeskError, InputError, LimitError, NotFoundError
from chatbot.records import answers, audit
from chatbot.records.article_search import read_article, search_articles
from chatbot.records.knowledge import enable_passage, set_article_status
from chatbot.records.passages import outdated_passages
from web.access import person_id, requires
from web.admin.blueprint import blueprint
from web.admin.bodies import SwitchBody, given
from web.admin.leaves import leaf
from web.admin.pages.learning import wants_json
from web.admin.pages.passages import answer as answer_article
from web.card_pictures import CardPictures, with_addresses
from web.context import parts
from web.language import gettext

QUESTIONS = 50  # of a page
ANSWER_FILTERS = ("all", "draft", "unanswered", "retired")


@blueprint.get("/articles")
@requires("viewer")
def articles() -> str:
    text, lang = request.args.get("q", ""), request.args.get("lang", "")
    with parts().database.read() as records:
        page = search_articles(records, text=text, lang=lang, page=request.args.get("page", 1, type=int))
        outdated = outdated_passages(records)
    return render_template("admin/articles.html", page=page, text=text, lang=lang, outdated=outdated)


@blueprint.get("/articles/search")
@requires("viewer")
def try_search() -> BaseResponse:
    """What the bot finds for ``q`` (of ``lang``, the best ``k``), as a page or as JSON."""
    from chatbot.learning import search_trial

    text, lang = request.args.get("q", ""), request.args.get("lang", "")
    trial, error = None, None
    if text or wants_json():
        try:
            number = request.args.get("k", search_trial.HITS, type=int)
            trial = search_trial.try_search(parts().database, parts().settings, text, lang=lang, k=number)
        except InputError as wrong:
            if wants_json():
                raise
            error = wrong
    if wants_json() and trial:
        return jsonify(trial.as_json())
    page = render_template(
        "admin/search_trial.html", text=text, lang=lang, trial=trial, error=error, why=search_trial.WHY
    )
    return make_response(page, error.status if error else 200)


@blueprint.get("/articles/<int:article_id>")
@requires("viewer")
def article(article_id: int) -> str:
    with parts().database.read() as records:
        view = read_article(records, article_id)
    questions = leaf(view.questions, size=QUESTIONS)
    return render_template("admin/article.html", view=view, questions=questions)


@blueprint.post("/articles/<int:article_id>/status")
@requires("editor")
def switch_article(article_id: int) -> BaseResponse:
    """Take an article out of the search, or let it in again."""
    status = "live" if given(SwitchBody).live else "off"
    with parts().database.write() as records:
        article = read_article(records, article_id).article
        set_article_status(records, article, status)
        audit.record(
            records,
            action=f"article.{status}",
            subject=f"article {article.id}: {article.title}",
            person_id=person_id(),
        )
    told = (
        gettext("The bot quotes it again.") if status == "live" else gettext("The bot no longer quotes it.")
    )
    return answer_article(article_id, told)


@blueprint.post("/articles/<int:article_id>/passages/<int:passage_id>")
@requires("editor")
def switch_passage(article_id: int, passage_id: int) -> BaseResponse:
    """The same for one passage. Raises NotFoundError where the article has no such passage."""
    enabled = given(SwitchBody).live
    with parts().database.write() as records:
        view = read_article(records, article_id)
        passage = next((one for one in view.passages if one.id == passage_id), None)
        if passage is None:
            raise NotFoundError("There is no such passage", field="passage", value=passage_id)
        enable_passage(records, passage, enabled=enabled)
        audit.record(
            records,
            action="article.passage_on" if enabled else "article.passage_off",
            subject=f"passage {passage.id}: {passage.title_path}",
            person_id=person_id(),
        )
    told = gettext("The bot quotes it again.") if enabled else gettext("The bot no longer quotes it.")
    return answer_article(article_id, told)


@blueprint.get("/intents")
@requires("viewer")
def intents() -> str:
    text, only = request.args.get("q", ""), request.args.get("only", "all")
    with parts().database.read() as records:
        found = answers.list_intents(records, text=text, only=only)
    return render_template("admin/intents.html", intents=found, text=text, only=only, filters=ANSWER_FILTERS)


@blueprint.get("/intents/<int:intent_id>")
@requires("viewer")
def intent(intent_id: int) -> str:
    """``?change=ANSWER`` puts one of its answers into the form."""
    return _intent_page(intent_id, changed=request.args.get("change", type=int))


def _intent_page(
    intent_id: int,
    *,
    changed: int | None = None,
    given: Mapping[str, str] | None = None,
    error: FrontdeskError | None = None,
) -> str:
    with parts().database.read() as records:
        view = answers.read_intent(records, intent_id)
    old = next((one.answer for one in view.answers if one.answer.id == changed), None)
    if old is not None:
        given = {
            "lang": old.lang,
            "text": old.text,
            "cards": cards_to_text(cards_from_json(old.cards)),
        }
    example = (
        f"{gettext('Express delivery')}\n{gettext('Ordered before 14:00, with you tomorrow.')}\n"
        f"![{gettext('A courier on a bicycle')}](express.jpg)\n"
        f"[{gettext('How it works')}](https://www.example.com/delivery)\n{RULE}\n{gettext('The next card')}"
    )
    return render_template(
        "admin/intent.html",
        view=view,
        languages_offered=_languages(view),
        given=given or {},
        error=error,
        cards_example=example,
    )


def _languages(view: answers.IntentView) -> list[str]:
    known = {"en", "zh", *view.line.titles, *(one.answer.lang for one in view.answers)}
    return sorted(known)


@blueprint.post("/intents/<int:intent_id>/answers")
@requires("editor")
def write_answer(intent_id: int) -> BaseResponse | tuple[str, int]:
    """Keep a text as a draft, or approve it at once; what cannot be stays in the form."""
    given = request.form.to_dict()
    try:
        given["cards"] = _with_pictures(given.get("cards", ""))
        return _write_answer(intent_id, given["cards"])
    except (InputError, LimitError) as error:
        return _intent_page(intent_id, given=given, error=error), error.status


def _with_pictures(cards: str) -> str:
    """The cards with the addresses of the pictures that came along, by the names of their files."""
    pictures = CardPictures(parts().settings.data)
    addresses = {}
    for file in request.files.getlist("pictures"):
        if file.filename:
            with file.stream as stream:
                addresses[file.filename] = pictures.keep(stream.read(), file.filename)
    return with_addresses(cards, addresses)


def _write_answer(intent_id: int, written: str) -> BaseResponse:
    with parts().database.write() as records:
        intent = answers.get_intent(records, intent_id)
        cards = cards_from_text(written)
        check_images(cards, parts().image_hosts)
        draft = answers.write_draft(
            records,
            intent_id=intent_id,
            lang=request.form.get("lang", ""),
            text=request.form.get("text", ""),
            cards=cards,
        )
        at_once = request.form.get("approve") == "yes"
        if at_once:
            answers.approve(records, draft.id, person_id=person_id())
        audit.record(
            records,
            action="answer.approve" if at_once else "answer.draft",
            subject=f"answer {draft.id}: {intent.name} ({draft.lang})",
            person_id=person_id(),
            detail={"text": with_cards(draft.text, draft.cards)},
        )
    flash(
        gettext("The answer is approved: the bot uses it from now on.")
        if at_once
        else gettext("The draft is kept.")
    )
    return redirect(url_for("admin.intent", intent_id=intent_id), code=303)


@blueprint.post("/answers/<int:answer_id>/approve")
@requires("editor")
def approve_answer(answer_id: int) -> BaseResponse:
    with parts().database.write() as records:
        answer = answers.approve(records, answer_id, person_id=person_id())
        intent = answers.get_intent(records, answer.intent_id)
        audit.record(
            records,
            action="answer.approve",
            subject=f"answer {answer.id}: {intent.name} ({answer.lang})",
            person_id=person_id(),
            detail={"text": with_cards(answer.text, answer.cards)},
        )
    flash(gettext("The answer is approved: the bot uses it from now on."))
    return redirect(url_for("admin.intent", intent_id=intent.id), code=303)


@blueprint.post("/answers/<int:answer_id>/retire")
@requires("editor")
def retire_answer(answer_id: int) -> BaseResponse:
    with parts().database.write() as records:
        answer = answers.retire(records, answer_id)
        intent = answers.get_intent(records, answer.intent_id)
        audit.record(
            records,
            action="answer.retire",
            subject=f"answer {answer.id}: {intent.name} ({answer.lang})",
            person_id=person_id(),
        )
    flash(gettext("The answer is withdrawn."))
    return redirect(url_for("admin.intent", intent_id=intent.id), code=303)
