"""Proposed intents, the review queue and the gaps, as a browser and as a program see them."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from chatbot.dialogue.trace import (
    Classification,
    Hit,
    IntentGuess,
    PartTrace,
    Reply,
    ReplyKind,
    ReplyPart,
    Source,
    Trace,
)
from chatbot.learning.near_questions import group_alike
from chatbot.records import conversations, proposals
from chatbot.records.database import Database
from chatbot.records.knowledge import ArticleDraft, PassageDraft, put_article
from chatbot.records.tables import (
    Answer,
    Article,
    ArticleQuestion,
    Example,
    Feedback,
    Intent,
    Job,
    Proposal,
    ProposalMember,
    Turn,
)


@pytest.fixture
def editor(signed_in: Callable[..., FlaskClient]) -> FlaskClient:
    return signed_in("editor")


def post(client: FlaskClient, path: str, *, headers: dict[str, str] | None = None, **values: Any) -> Any:
    """A program's request: JSON with the token of the session."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/admin/account").text)
    assert found
    return client.post(path, json=values, headers={"X-CSRFToken": found[1]} | (headers or {}))


def press(client: FlaskClient, path: str, **form: str | list[str]) -> str:
    """Send a form as a browser does; where the undo beside the message leads."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/admin/account").text)
    assert token
    answer = client.post(path, data=form | {"csrf_token": token[1]}, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    found = re.search(r'role="status"><span>[^<]*</span>\s*<form method="post" action="([^"]+)"', answer.text)
    return found[1] if found else ""


def queue(client: FlaskClient, path: str = "/admin/review") -> dict[str, Any]:
    answer = client.get(path, headers={"Accept": "application/json"})
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json
    return told


def ask(
    database: Database,
    text: str,
    kind: ReplyKind,
    *,
    confidence: float = 0.1,
    down: bool = False,
    agent: str = "",
    hit: tuple[str, float] | None = None,
    lang: str = "en",
) -> int:
    """A question as the bot answered it; the id of the customer's turn. ``hit``: slug and score of what was found."""
    with database.write() as session:
        site = conversations.ensure_default_site(session)
        talk = conversations.start_conversation(session, site_id=site.id, token_hash="x" * 64, locale=lang)
        turn = Turn(conversation_id=talk.id, role="customer", text=text, lang=lang)
        session.add(turn)
        session.flush()
        hits: tuple[Hit, ...] = ()
        if hit is not None:
            slug, score = hit
            article = session.scalars(select(Article).where(Article.slug == slug, Article.lang == lang)).one()
            hits = (Hit(1, article.id, slug, article.title, "", "", "text", lang, score, score, score),)
        sources = tuple(Source(one.title, one.url, one.text) for one in hits if kind == "passage")
        guessed = Classification((IntentGuess("parcel", 0.4),), 0.9)
        trace = Trace(
            "r", "approved_and_cited", {}, (PartTrace(text, lang, guessed, hits, None, kind, "t", "t"),)
        )
        reply, _ = conversations.store_reply(
            session,
            talk.public_id,
            to=turn.id,
            reply=Reply((ReplyPart("…", kind, confidence, sources=sources),)),
            trace=trace,
            lang=lang,
        )
        assert reply is not None
        if down:
            session.add(Feedback(turn_id=reply.id, vote="down"))
        if agent:
            session.add(Turn(conversation_id=talk.id, role="agent", text=agent))
        return turn.id


def test_like_questions_are_one_group_and_others_are_not() -> None:
    texts = [
        "where is my parcel",
        "Where is my parcel?",
        "where is my parcel now",
        "opening hours",
        "我的包裹",
        "包裹呢",
    ]
    assert [sorted(group) for group in group_alike(texts)][:2] == [[0, 1, 2], [3]]
    assert group_alike([]) == []
    assert group_alike(["?", "!!"]) == [[0], [1]]


def test_the_queue_puts_first_what_helps_most(database: Database, editor: FlaskClient) -> None:
    for text in ("do you sell gift cards", "do you sell gift cards?", "you sell gift cards"):
        ask(database, text, "unknown")
    ask(database, "is the shop open", "passage", confidence=0.9, down=True)
    ask(database, "cancel the order", "passage", confidence=0.95)  # well answered: not in the queue
    ask(database, "hi", "smalltalk")
    told = queue(editor)
    assert [group["count"] for group in told["groups"]] == [3, 1]
    first = told["groups"][0]
    assert (first["pay_off"], first["coverage"]) == (3.0, 0.5)
    assert told["groups"][1]["complaints"] == 1


def test_a_label_remembers_who_and_why_and_leaves_the_queue(database: Database, editor: FlaskClient) -> None:
    turn = ask(database, "my mail is anna@example.org, where is it", "unknown")
    answer = post(editor, "/admin/review", action="label", turns=[turn], intent="parcel", reason="obvious")
    assert answer.json["decided"] == 1
    with database.read() as session:
        example = session.scalar(select(Example).where(Example.turn_id == turn))
        assert example is not None and example.status == "accepted" and example.labelled_by_id is not None
        assert "obvious" in (example.label_reason or "")
        assert "[EMAIL]" in example.text and "anna" not in example.text
    assert queue(editor)["groups"] == []
    again = post(editor, "/admin/review", action="ignore", turns=[turn])
    assert (again.status_code, again.json["error"]["code"]) == (409, "conflict")


def test_an_agents_reply_becomes_the_suggested_answer_and_a_draft(
    database: Database, editor: FlaskClient
) -> None:
    turn = ask(database, "do you ship to Norway", "unknown", agent="Yes, within five days.")
    group = queue(editor)["groups"][0]
    assert group["suggestion"] == "Yes, within five days."
    told = post(
        editor, "/admin/review", action="answer", turns=[turn], intent="norway", text=group["suggestion"]
    ).json
    with database.read() as session:
        answer = session.get(Answer, told["answer"])
        assert answer is not None and (answer.text, answer.status) == ("Yes, within five days.", "draft")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"action": "label", "turns": []}, "turns"),
        ({"action": "label", "turns": ["x"]}, "turns"),
        ({"action": "label", "intent": ""}, "intent"),
        ({"action": "dance"}, "action"),
        ({"action": "article", "title": "T", "text": ""}, "text"),
    ],
)
def test_a_bad_decision_is_refused_by_name_and_changes_nothing(
    database: Database, editor: FlaskClient, values: dict[str, Any], field: str
) -> None:
    turn = ask(database, "do you ship to Norway", "unknown")
    answer = post(editor, "/admin/review", **({"turns": [turn]} | values))
    assert (answer.status_code, answer.json["error"]["field"]) == (422, field)
    assert len(queue(editor)["groups"]) == 1


def test_gaps_name_the_nearest_article_and_one_click_starts_a_new_one(
    database: Database, editor: FlaskClient
) -> None:
    with database.write() as session:
        for slug in ("parcels", "hours"):
            put_article(
                session, ArticleDraft(slug, "en", slug.title(), "text", (PassageDraft(slug, "text"),))
            )
    for text in ("can I rent a machine", "can I rent a machine?"):
        turn = ask(database, text, "unknown", hit=("parcels", 0.2), agent="Yes, for 20 euros a day.")
    ask(database, "where is it", "passage", confidence=0.9, hit=("parcels", 0.9), down=True)
    told = queue(editor, "/admin/gaps")
    group = told["groups"][0]
    assert (group["count"], group["article"], group["hit_score"]) == (2, "parcels", 0.2)
    assert [one["slug"] for one in told["never_shown"]] == ["hours"]
    assert [(one["slug"], one["voted_down"], one["shown"]) for one in told["voted_down"]] == [
        ("parcels", 1, 1)
    ]
    made = post(
        editor,
        "/admin/review",
        action="article",
        turns=group["turn_ids"],
        title=group["text"],
        text=group["suggestion"],
    ).json
    with database.read() as session:
        article = session.get(Article, made["article"])
        assert article is not None and (article.status, article.body) == ("draft", "Yes, for 20 euros a day.")
        asked = session.scalars(
            select(ArticleQuestion.text).where(ArticleQuestion.article_id == article.id)
        ).all()
    assert asked == ["can I rent a machine?"]
    assert turn in group["turn_ids"] and queue(editor, "/admin/gaps")["groups"] == []


def test_a_gap_that_an_article_answers_since_is_marked_by_a_new_search(
    database: Database, editor: FlaskClient, assistant: Any
) -> None:
    ask(database, "can I rent a machine", "unknown")
    ask(database, "do you sell hats", "unknown")
    (group, _) = queue(editor, "/admin/gaps")["groups"]
    assert (group["score_now"], group["answered_since"]) == (None, False)
    score = {"can I rent a machine": 0.8, "do you sell hats": 0.4}
    assistant.search = lambda text, *, lang, k: [SimpleNamespace(score=score[text])]
    found = {one["text"]: one for one in queue(editor, "/admin/gaps")["groups"]}
    assert [(one["score_now"], one["answered_since"], one["hit_score"]) for one in found.values()] == [
        (0.8, True, 0.0),
        (0.4, False, 0.0),
    ]
    page = editor.get("/admin/gaps").text
    assert page.count("Answered since") == 1 and "80 %" in page
    assistant.search = lambda text, *, lang, k: []
    assert {one["score_now"] for one in queue(editor, "/admin/gaps")["groups"]} == {0.0}


def test_a_gap_is_dismissed_and_that_is_taken_back(database: Database, editor: FlaskClient) -> None:
    turn = ask(database, "do you like tea", "unknown")
    token = re.search(r'name="csrf_token" value="([^"]+)"', editor.get("/admin/gaps").text)
    assert token
    form = {"csrf_token": token[1], "turns": str(turn), "action": "ignore", "list": "gaps"}
    gone = editor.post("/admin/review", data=form)
    assert gone.location == "/admin/gaps"
    assert queue(editor, "/admin/gaps")["groups"] == []
    undo = re.search(r'action="(/admin/review/undo[^"]+)"', editor.get("/admin/gaps").text)
    assert undo
    back = editor.post(html.unescape(undo[1]), data={"csrf_token": token[1]})
    assert back.location == "/admin/gaps"
    assert [one["turn_ids"] for one in queue(editor, "/admin/gaps")["groups"]] == [[turn]]


def test_an_article_without_a_page_of_its_own_was_shown_where_its_help_page_stood_under_the_answer(
    database: Database,
    client: FlaskClient,
    editor: FlaskClient,
    assistant: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with database.write() as session:
        refunds, _ = [
            put_article(
                session, ArticleDraft(slug, "en", slug.title(), "text", (PassageDraft(slug.title(), "text"),))
            )[0].id
            for slug in ("refunds", "hours")
        ]
    found = Hit(1, refunds, "refunds", "Refunds", "Refunds › Time", "", "Three days.", "en", 0.9, 0.9, 0.9)
    scripted = assistant.reply

    def cited(*words: Any, **how: Any) -> tuple[Reply, Trace]:
        reply, trace = scripted(*words, **how)
        source = Source(found.title_path, found.url, found.text)
        return (
            replace(reply, parts=(replace(reply.parts[0], sources=(source,)),)),
            replace(trace, parts=(replace(trace.parts[0], hits=(found,)),)),
        )

    monkeypatch.setattr(assistant, "reply", cited)
    started = client.post("/api/v1/conversations", json={}).get_json()
    talk, headers = f"/api/v1/conversations/{started['id']}", {"Authorization": f"Bearer {started['token']}"}
    answer = client.post(f"{talk}/messages", json={"text": "refund?"}, headers=headers).get_json()
    assert answer["reply"]["parts"][0]["sources"][0]["url"].endswith("/help/en/refunds")
    client.post(f"{talk}/turns/{answer['turn_id']}/feedback", json={"vote": "down"}, headers=headers)
    told = queue(editor, "/admin/gaps")
    assert [one["slug"] for one in told["never_shown"]] == ["hours"]
    assert [(one["slug"], one["voted_down"]) for one in told["voted_down"]] == [("refunds", 1)]


@pytest.mark.parametrize(
    ("lang", "disliked", "never"),
    [("en", "Shown and voted down", "Never shown"), ("zh", "被展示但被点踩", "从未展示")],
)
def test_one_click_on_the_page_makes_a_draft_of_the_agents_answer(
    database: Database, editor: FlaskClient, lang: str, disliked: str, never: str
) -> None:
    with database.write() as session:
        ids = {
            (slug, one): put_article(
                session, ArticleDraft(slug, one, f"{slug} {one}", "text", (PassageDraft(slug, "text"),))
            )[0].id
            for slug in ("parcels", "hours")
            for one in ("en", "zh")
        }
    ask(
        database,
        "I am at anna@example.org, can I rent a machine",
        "unknown",
        hit=("parcels", 0.2),
        lang=lang,
        agent="Yes. I wrote to anna@example.org.",
    )
    ask(database, "parcels?", "passage", confidence=0.9, hit=("parcels", 0.9), lang=lang, down=True)
    page = editor.get("/admin/gaps", headers={"Accept-Language": lang}).text
    gap, _, lists = page.partition(disliked)
    assert linked(gap) == [ids["parcels", lang]]
    bad, _, idle = lists.partition(never)
    assert linked(bad) == [ids["parcels", lang]]
    other = {"en": "zh", "zh": "en"}[lang]
    assert sorted(linked(idle)) == sorted([ids["hours", "en"], ids["hours", "zh"], ids["parcels", other]])

    form = gap[gap.index("<form", gap.index("anna@")) :]  # as it stands there: the one click
    filled = dict(re.findall(r'<input[^>]* name="(\w+)" value="([^"]*)"', form))
    text = re.search(r'name="text"[^>]*>([^<]*)<', form)
    assert text
    sent = editor.post("/admin/review", data=filled | {"text": text[1]})
    assert sent.status_code == 303
    with database.read() as session:
        made = session.scalars(select(Article).order_by(Article.id.desc())).first()
        assert made is not None
        assert (made.title, made.body) == (
            "I am at [EMAIL], can I rent a machine",
            "Yes. I wrote to [EMAIL].",
        )
        assert (made.lang, made.status) == (lang, "draft")
        assert sent.location.endswith(f"/admin/articles/{made.id}/edit")
    assert linked(editor.get("/admin/gaps").text.partition(">Shown")[0]) == []


def linked(page: str) -> list[int]:
    """The articles that a piece of a page leads to."""
    return [int(found) for found in re.findall(r'href="/admin/articles/(\d+)"', page)]


def test_the_pages_show_what_there_is_and_escape_it(database: Database, editor: FlaskClient) -> None:
    ask(database, "what about <b>this</b>", "unknown")
    for path in ("/admin/review", "/admin/gaps"):
        page = editor.get(path)
        assert page.status_code == 200
        assert "&lt;b&gt;this" in page.text and "<b>this" not in page.text
    assert "Nothing is proposed" in editor.get("/admin/discovery").text


@pytest.fixture
def gifts(database: Database) -> list[int]:
    """Two proposals of three messages each."""
    with database.write() as session:
        rows = [
            Example(
                text=f"gift card {n}", lang="en", source="transcript", content_hash=str(n), group_key=str(n)
            )
            for n in range(6)
        ]
        session.add_all(rows)
        session.flush()
        return [
            proposals.add_proposal(
                session,
                proposals.NewProposal(
                    name=f"p{at}", terms=("gift",), members={row.id: 1.0 for row in rows[at::2]}, drafts={}
                ),
            ).id
            for at in (0, 1)
        ]


def test_proposals_are_decided_over_http(database: Database, editor: FlaskClient, gifts: list[int]) -> None:
    assert "gift card 1" in editor.get("/admin/discovery").text
    kept = post(editor, "/admin/discovery/merge", proposals=gifts).json["proposal"]
    page = editor.get(f"/admin/discovery/{kept}")
    assert page.status_code == 200 and "gift card 5" in page.text
    with database.read() as session:
        first = session.scalars(select(Example.id).order_by(Example.id)).first()
    made = post(editor, f"/admin/discovery/{kept}/split", examples=[first]).json["made"]
    assert post(editor, f"/admin/discovery/{made[0]}/reject").json["ok"]
    assert post(editor, f"/admin/discovery/{kept}/rename", name="gift cards").json["name"] == "gift_cards"
    assert post(editor, f"/admin/discovery/{kept}/accept").json["intent"] == "gift_cards"
    assert post(editor, f"/admin/discovery/{kept}/accept").status_code == 409
    assert post(editor, "/admin/discovery").json["job"]
    with database.read() as session:
        assert session.scalars(select(Job.kind)).all() == ["discover"]


def test_a_message_that_was_taken_out_is_put_back_by_one_click(
    editor: FlaskClient, database: Database, gifts: list[int]
) -> None:
    def members(proposal: int) -> set[int]:
        with database.read() as session:
            return set(
                session.scalars(
                    select(ProposalMember.example_id).where(ProposalMember.proposal_id == proposal)
                )
            )

    first, second = gifts[:2]
    before = members(first)
    example = min(before)
    undo = press(editor, f"/admin/discovery/{first}/remove/{example}")
    assert members(first) == before - {example}
    post(editor, undo)
    assert members(first) == before
    with database.write() as session:
        session.execute(
            update(ProposalMember).where(ProposalMember.example_id == example).values(proposal_id=second)
        )
    refused = post(editor, undo)
    assert refused.status_code == 409 and "another proposal" in refused.json["error"]["message"]
    chinese = post(editor, undo, headers={"Accept-Language": "zh"})
    assert chinese.json["error"]["message"] == "该消息现在属于另一个建议"


def test_one_click_takes_an_acceptance_and_a_merge_back(
    database: Database, editor: FlaskClient, gifts: list[int]
) -> None:
    def state() -> tuple[list[tuple[str, int]], int]:
        told = queue(editor, "/admin/discovery")["proposals"]
        with database.read() as session:
            return [(one["name"], one["count"]) for one in told], len(session.scalars(select(Intent)).all())

    before = state()
    undo_merge = press(editor, "/admin/discovery/merge", proposals=[str(one) for one in gifts])
    assert state() == ([("p0", 6)], 0)
    undo_acceptance = press(editor, f"/admin/discovery/{gifts[0]}/accept", name="gift_cards")
    assert state() == ([], 1)
    page = editor.get("/admin/discovery").text
    for undo in (undo_merge, undo_acceptance):  # there too, when the message is gone
        assert f'action="{undo}"' in page.partition("Decided lately")[2]

    refused = post(editor, undo_merge)
    assert (refused.status_code, refused.json["error"]["value"]) == (409, "gift_cards")
    assert "Take that decision back first" in refused.json["error"]["remedy"]
    with_words = editor.post(
        undo_merge,
        data={"csrf_token": re.findall(r'name="csrf_token" value="([^"]+)"', page)[0]},
        headers={"Accept": "text/html", "Accept-Language": "zh"},
    )
    assert with_words.status_code == 409 and "请先撤销那个决定" in with_words.text
    press(editor, undo_acceptance)
    press(editor, undo_merge)
    assert state() == before
    assert "Decided lately" not in editor.get("/admin/discovery").text


def test_decisions_are_taken_back_by_editors_alone(
    signed_in: Callable[..., FlaskClient], gifts: list[int], database: Database
) -> None:
    with database.write() as session:
        proposals.accept(session, gifts[0], name="gift_cards", person_id=None)
    assert post(signed_in("agent"), f"/admin/discovery/{gifts[0]}/reopen").status_code == 403
    assert queue(signed_in("editor"), "/admin/discovery")["decided"][0]["intent"] == "gift_cards"


def test_the_pages_load_nothing_that_trains() -> None:
    code = (
        "import sys; import web.admin.pages.learning, chatbot.learning.proposing, chatbot.learning.near_questions as n;"
        "n.group_alike(['a b', 'a c']); print({'torch', 'sklearn', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_rejected_proposal_and_a_decision_are_taken_back_by_the_button_beside_the_message(
    editor: FlaskClient, database: Database
) -> None:
    turn = ask(database, "do you repair kettles", "unknown")
    with database.write() as session:
        row = Proposal(name="repair kettles", status="open")
        session.add(row)
        session.flush()
        proposal = row.id

    def state() -> tuple[str, str]:
        with database.read() as session:
            example = session.scalars(select(Example).where(Example.turn_id == turn)).one()
            return session.get_one(Proposal, proposal).status, example.status

    undo_rejection = press(editor, f"/admin/discovery/{proposal}/reject")
    undo_decision = press(editor, "/admin/review", turns=str(turn), action="ignore")
    assert state() == ("rejected", "ignored")
    assert queue(editor)["groups"] == []
    assert press(editor, undo_rejection) == press(editor, undo_decision) == ""
    assert state() == ("open", "unreviewed")
    assert [group["turn_ids"] for group in queue(editor)["groups"]] == [[turn]]


def test_undo_takes_back_only_what_this_press_has_decided(editor: FlaskClient, database: Database) -> None:
    first, second = (
        ask(database, "do you repair kettles", "unknown"),
        ask(database, "and toasters", "unknown"),
    )
    assert post(editor, "/admin/review", turns=[first], action="ignore").status_code == 200
    token = re.search(r'name="csrf_token" value="([^"]+)"', editor.get("/admin/account").text)
    assert token
    form = {"csrf_token": token[1], "turns": f"{first},{second}", "action": "oos", "back": "x"}
    page = editor.post("/admin/review", data=form, follow_redirects=True).text
    assert f'action="/admin/review/undo?turns={second}"' in page
