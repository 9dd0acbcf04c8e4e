"""All examples of an intent: the page, what may be changed by whom, a transcript, and the API for programs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from chatbot.records.api_keys import create_key
from chatbot.records.database import Database
from chatbot.records.intents import put_intent
from chatbot.records.tables import AuditEntry, Example, Import, Transcript

Client = Callable[..., FlaskClient]


@pytest.fixture
def ids(database: Database) -> list[int]:
    """Three examples of ``refund`` from a file, the last one Chinese."""
    with database.write() as session:
        refund, _ = put_intent(session, "refund", titles={"en": "Refunds", "zh": "退款"})
        put_intent(session, "parcel", titles={"en": "Parcels"})
        file = Import(kind="transcripts", file_name="chats.csv", file_hash="h", format="csv")
        session.add(file)
        session.flush()
        turns = [{"role": "customer", "text": "<b>money</b> back"}, {"role": "agent", "text": "In a week."}]
        talk = Transcript(
            import_id=file.id, content_hash="chat", lang="en", split="train", turns=turns, tag="refund"
        )
        session.add(talk)
        session.flush()
        rows = [
            Example(
                text=text,
                lang=lang,
                intent_id=refund.id,
                source="transcript",
                status="accepted",
                transcript_id=talk.id,
                content_hash=text,
                group_key=text,
                label_reason="the conversation's tag",
            )
            for text, lang in (("<b>money</b> back", "en"), ("refund please", "en"), ("退款", "zh"))
        ]
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]


def token(client: FlaskClient) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/admin/account").text)
    assert found
    return found[1]


def send(client: FlaskClient, path: str, **form: Any) -> Any:
    """A form as a browser sends it, and the page that follows."""
    return client.post(path, data=form | {"csrf_token": token(client)}, follow_redirects=True)


def undo_of(page: str) -> str:
    found = re.search(r'role="status"><span>[^<]*</span>\s*<form method="post" action="([^"]+)"', page)
    assert found, "no undo beside the message"
    return found[1].replace("&amp;", "&")


def listed(client: FlaskClient, **filters: str) -> list[str]:
    answer = client.get("/admin/examples", query_string=filters, headers={"Accept": "application/json"})
    return [line["text"] for line in answer.json["examples"]]


def test_the_intents_lead_to_their_examples_and_each_to_where_it_came_from(
    signed_in: Client, ids: list[int], database: Database
) -> None:
    viewer = signed_in("viewer")
    assert "/admin/examples?intent=refund" in viewer.get("/admin/intents").text
    page = viewer.get("/admin/examples?intent=refund").text
    assert "&lt;b&gt;money&lt;/b&gt; back" in page and "<b>money" not in page
    link = re.search(rf'href="(/admin/transcripts/\d+)#example-{ids[0]}">chats.csv', page)
    assert link and 'aria-current="page">Learned 3' in page
    transcript = viewer.get(link[1]).text
    assert "In a week." in transcript and "<b>money" not in transcript
    assert f'id="example-{ids[2]}"' in transcript
    assert viewer.get("/admin/transcripts/999").status_code == 404


def test_the_list_is_searched_filtered_and_read_page_by_page(
    signed_in: Client, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = signed_in("viewer")
    assert listed(viewer, q="REFUND") == ["refund please"]
    assert listed(viewer, lang="zh", intent="refund", origin="import", split="train") == ["退款"]
    assert listed(viewer, intent="parcel") == listed(viewer, state="taken_out") == []
    assert len(listed(viewer, split="nonsense", origin="nonsense", state="nonsense")) == 3
    page = viewer.get("/admin/examples?q=zzz").text
    assert "No example fits." in page
    older = viewer.get(f"/admin/examples?before={ids[1]}&intent=refund").text
    assert "money" in older and "refund please" not in older
    assert re.search(r'href="/admin/examples\?intent=refund"><svg.*?</svg> Newest', older, re.DOTALL)


def test_a_ticked_few_are_relabelled_and_one_click_brings_them_back(
    signed_in: Client, ids: list[int], database: Database
) -> None:
    editor = signed_in("editor")
    page = editor.get("/admin/examples?intent=refund").text
    seen = re.findall(r'name="seen" value="(\d+)"', page)[0]
    form = {"examples": [str(one) for one in ids[:2]], "intent": "parcel", "seen": seen}
    first = send(editor, "/admin/examples/relabel?intent=refund", **form).text
    assert "Relabelled: 2." in first and "refund please" not in first
    assert listed(editor, intent="parcel", origin="correction") == ["refund please", "<b>money</b> back"]
    again = send(
        editor, "/admin/examples/relabel?intent=refund", **form
    ).text  # the second half of a double click
    assert undo_of(again) == undo_of(first)
    back = send(editor, undo_of(first))
    assert "Taken back." in back.text and "intent=refund" in back.request.query_string.decode()
    assert len(listed(editor, intent="refund", origin="import")) == 3
    with database.read() as session:
        told = session.scalars(select(AuditEntry).where(AuditEntry.action.like("example.%"))).all()
    assert [one.action for one in told] == ["example.relabel", "example.undo"]
    assert all(one.person_id for one in told)


def test_one_is_taken_out_and_put_back(signed_in: Client, ids: list[int]) -> None:
    editor = signed_in("editor")
    page = send(editor, "/admin/examples/take-out", examples=str(ids[1])).text
    assert "Taken out: 1." in page and "Taken out 1</a>" in page and "refund please" not in page
    assert listed(editor, state="taken_out") == ["refund please"]
    send(editor, undo_of(page))
    assert listed(editor, state="taken_out") == []
    send(editor, "/admin/examples/take-out", examples=str(ids[1]))
    assert "Put back: 1." in send(editor, "/admin/examples/put-back", examples=str(ids[1])).text
    assert len(listed(editor)) == 3


def test_two_people_who_decide_at_once_do_not_write_over_each_other(
    signed_in: Client, ids: list[int]
) -> None:
    one, other = signed_in("editor"), signed_in("admin")
    seen = one.get("/admin/examples", headers={"Accept": "application/json"}).json["seen"]
    send(one, "/admin/examples/relabel", examples=str(ids[0]), intent="parcel", seen=str(seen))
    late = other.post(
        "/admin/examples/take-out",
        json={"examples": [ids[0]], "seen": seen},
        headers={"X-CSRFToken": token(other)},
    )
    assert (late.status_code, late.json["error"]["value"]) == (409, ids[0])
    assert listed(one, intent="parcel") == ["<b>money</b> back"]


def test_one_is_written_by_hand_and_what_is_refused_is_not_lost(
    signed_in: Client, ids: list[int], database: Database
) -> None:
    editor = signed_in("editor")
    text = "anna@example.org wants money"
    page = send(editor, "/admin/examples?intent=refund", text=text, intent="refund").text
    assert "[EMAIL] wants money" in page and "anna@" not in page
    send(editor, "/admin/examples", text=text, intent="refund")
    assert listed(editor, origin="hand") == ["[EMAIL] wants money"]
    refused = editor.post(
        "/admin/examples",
        data={"text": text, "intent": "parcel", "csrf_token": token(editor)},
        headers={"Accept-Language": "zh"},
    )
    assert refused.status_code == 409
    assert f">{text}</textarea>" in refused.text and "请在那里改标签" in refused.text
    assert re.search(r'<details class="menu-button" open>', refused.text)
    undone = send(editor, undo_of(page))
    assert "Taken back." in undone.text and listed(editor, origin="hand") == []


def test_viewers_and_agents_read_and_change_nothing(signed_in: Client, ids: list[int]) -> None:
    for role in ("viewer", "agent"):
        client = signed_in(role)
        page = client.get("/admin/examples").text
        assert "refund please" in page and "Relabel" not in page and 'type="checkbox"' not in page
        headers = {"X-CSRFToken": token(client)}
        for path in ("", "/relabel", "/take-out", "/put-back", "/changes/1/undo"):
            answer = client.post(f"/admin/examples{path}", json={"examples": ids}, headers=headers)
            assert answer.status_code == 403, path
    assert len(listed(signed_in("viewer"))) == 3


def test_a_decision_that_was_taken_out_is_told_beside_its_question(
    signed_in: Client, ids: list[int], full: None, database: Database
) -> None:
    from chatbot.records import example_changes, review
    from chatbot.records.tables import Turn

    with database.write() as session:
        turn = session.scalars(select(Turn).where(Turn.role == "customer")).first()
        assert turn is not None
        (row,) = review.decide(
            session, [turn.id], action="label", person_id=None, reason="r", intent="parcel"
        )
        example_changes.take_out(session, [row.id], by=example_changes.Decider(None))
        answer = session.scalars(select(Turn.id).where(Turn.reply_to_id == turn.id)).one()
    assert "Teaches nothing" in signed_in("viewer").get(f"/admin/turns/{answer}").text


# --- for programs ----------------------------------------------------------------------------------------


@pytest.fixture
def program(client: FlaskClient, database: Database) -> Callable[..., Any]:
    with database.write() as session:
        row, text = create_key(session, name="labels", scopes=["examples"])
        assert row.id

    def call(method: str, path: str = "", **body: Any) -> Any:
        kind = {"query_string" if method == "GET" else "json": body}
        headers = {"Authorization": f"Bearer {text}"}
        return client.open(f"/api/v1/examples{path}", method=method, headers=headers, **kind)

    return call


def test_a_program_reads_page_by_page(program: Callable[..., Any], ids: list[int]) -> None:
    seen: list[int] = []
    cursor = ""
    for _ in range(3):
        told = program("GET", limit=1, intent="refund", **({"cursor": cursor} if cursor else {})).json
        seen += [row["id"] for row in told["examples"]]
        cursor = told["next_cursor"]
    assert seen == ids[::-1] and cursor is None
    (row,) = program("GET", lang="zh").json["examples"]
    assert (row["file"], row["origin"], row["split"], row["state"]) == (
        "chats.csv",
        "import",
        "train",
        "training",
    )
    assert program("GET", state="gone").status_code == 422


def test_a_program_changes_and_takes_back(
    program: Callable[..., Any], ids: list[int], database: Database
) -> None:
    made = program("POST", text="cash back?", intent="refund")
    assert made.status_code == 201
    assert program("POST", text="cash back?", intent="refund").status_code == 200
    new = made.json["examples"][0]
    moved = program("PATCH", examples=[ids[0], new], intent="parcel").json
    assert moved["examples"] == [ids[0], new]
    again = program("PATCH", examples=[new], intent="oos").json
    refused = program("POST", f"/changes/{moved['change']}/undo")
    assert (refused.status_code, refused.json["error"]["value"]) == (409, new)
    for change in (again, moved):
        assert program("POST", f"/changes/{change['change']}/undo").status_code == 200
    for state, number in (("taken_out", 3), ("training", 4)):
        assert program("PATCH", examples=[ids[0]], state=state).json["examples"] == [ids[0]]
        assert len(program("GET", intent="refund").json["examples"]) == number
    with database.read() as session:
        noted = session.scalars(select(AuditEntry.detail).where(AuditEntry.action.like("example.%"))).all()
    assert len(noted) == 7 and all(one["key"].startswith("fdk_") for one in noted)


def test_what_an_example_names_is_marked_read_back_and_taken_back(
    program: Callable[..., Any], signed_in: Client, ids: list[int], database: Database
) -> None:
    editor = signed_in("editor")
    page = send(editor, f"/admin/examples/{ids[1]}/entities", marked="[refund](wish) please")
    assert "refund · " in page.text and "[refund](wish) please" in page.text
    marks = [{"kind": "wish", "start": 0, "end": 6}]
    assert program("GET", q="refund please").json["examples"][0]["entities"] == marks
    assert program("GET", lang="zh").json["examples"][0]["entities"] is None
    with database.read() as session:
        noted = session.scalars(select(AuditEntry.detail).where(AuditEntry.action == "example.mark")).one()
    assert "please" not in str(noted)  # the log keeps places, no words
    editor.post(undo_of(page.text), data={"csrf_token": token(editor)})
    assert program("GET", q="refund please").json["examples"][0]["entities"] is None
    assert program("PUT", f"/{ids[1]}/entities", entities=[]).status_code == 200
    assert program("GET", q="refund please").json["examples"][0]["entities"] == []
    refused = editor.post(
        f"/admin/examples/{ids[1]}/entities",
        data={"marked": "[refunds](wish) please", "csrf_token": token(editor)},
        headers={"Accept": "application/json"},
    )
    assert refused.status_code == 422 and refused.json["error"]["field"] == "marked"


@pytest.mark.parametrize(
    "marks",
    [
        [("wish", 0, 99)],
        [("wish", 3, 3)],
        [("wish", 0, 6), ("thing", 5, 8)],
        [("Two Words", 0, 6)],
        [("", 0, 6)],
    ],
)
def test_marks_that_cannot_be_are_refused_by_name(
    program: Callable[..., Any], ids: list[int], marks: list[tuple[str, int, int]]
) -> None:
    body = [{"kind": kind, "start": start, "end": end} for kind, start, end in marks]
    answer = program("PUT", f"/{ids[1]}/entities", entities=body)
    assert (answer.status_code, answer.json["error"]["field"]) == (422, "entities")
    assert answer.json["error"]["remedy"]


@pytest.mark.parametrize(
    ("method", "body", "status", "field"),
    [
        ("PATCH", {"examples": [1]}, 422, "intent"),
        ("PATCH", {"examples": [1], "intent": "refund", "state": "training"}, 422, "intent"),
        ("PATCH", {"examples": [], "intent": "refund"}, 422, "examples"),
        ("PATCH", {"examples": [99999], "intent": "refund"}, 404, "examples"),
        ("PATCH", {"examples": [1], "intent": "nope"}, 422, "intent"),
        ("POST", {"text": " ", "intent": "refund"}, 422, "text"),
        ("POST", {"text": "x", "intent": "nope"}, 422, "intent"),
    ],
)
def test_what_a_program_gets_wrong_is_named(
    program: Callable[..., Any], ids: list[int], method: str, body: dict[str, Any], status: int, field: str
) -> None:
    answer = program(method, **body)
    assert (answer.status_code, answer.json["error"]["field"]) == (status, field)
    assert answer.json["error"]["remedy"]


def test_a_key_for_other_things_opens_nothing_here(client: FlaskClient, database: Database) -> None:
    with database.write() as session:
        _, text = create_key(session, name="other", scopes=["knowledge:read"])
    for headers, status in (({}, 401), ({"Authorization": f"Bearer {text}"}, 403)):
        for method, path in (("GET", ""), ("POST", ""), ("PATCH", ""), ("POST", "/changes/1/undo")):
            answer = client.open(f"/api/v1/examples{path}", method=method, headers=headers, json={})
            assert answer.status_code == status, (method, path)


@pytest.mark.parametrize("number", ["²", "9" * 40, "9" * 5000, "1e999", "-" + "9" * 30])
def test_what_is_no_id_is_refused_in_words(signed_in: Client, ids: list[int], number: str) -> None:
    editor = signed_in("editor")
    assert send(editor, "/admin/examples/take-out", examples=number).status_code == 422
    body = f'{{"examples": [{number}]}}' if number.isascii() and len(number) < 1000 else '{"examples": ["²"]}'
    headers = {"X-CSRFToken": token(editor), "Content-Type": "application/json"}
    answer = editor.post("/admin/examples/take-out", data=body, headers=headers)
    assert answer.status_code == 422 and answer.get_json()["error"]["field"] == "examples"
