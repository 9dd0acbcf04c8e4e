"""Files that agents send with a reply, and how large a picture may be that somebody looks at."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from chatbot.errors import LimitError
from chatbot.records.database import Database
from chatbot.records.tables import Site, Turn
from web.attachments import checked_file
from web.picture_size import picture_size

ADDRESS = "/admin/inbox/conversations/1"
PDF = b"%PDF-1.7\n"


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + b"\x08\x02\0\0\0"


def jpeg(width: int, height: int) -> bytes:
    app = b"\xff\xe0\0\x06JFIF"
    frame = b"\xff\xff\xc2\0\x11\x08" + struct.pack(">HH", height, width)
    return b"\xff\xd8" + app + frame + bytes(12)


def webp(kind: bytes, rest: bytes) -> bytes:
    return b"RIFF\0\0\0\0WEBP" + kind + bytes(4) + rest


def box(kind: bytes, content: bytes) -> bytes:
    """A box of ISO/IEC 14496-12."""
    return struct.pack(">I", 8 + len(content)) + kind + content


_PROPERTIES = box(b"ipco", box(b"ispe", bytes(4) + struct.pack(">II", 640, 480)))
_OF_THE_PICTURE = box(b"ipma", bytes(4) + struct.pack(">IHBB", 1, 1, 1, 1))
HEIC = box(b"ftyp", b"heic" + bytes(4) + b"mif1heic") + box(
    b"meta",
    bytes(4) + box(b"pitm", bytes(4) + struct.pack(">H", 1)) + box(b"iprp", _PROPERTIES + _OF_THE_PICTURE),
)


@pytest.mark.parametrize(
    ("content", "media_type", "size"),
    [
        (png(640, 480), "image/png", (640, 480)),
        (b"GIF89a" + struct.pack("<HH", 640, 480), "image/gif", (640, 480)),
        (jpeg(640, 480), "image/jpeg", (640, 480)),
        (webp(b"VP8X", bytes(4) + b"\x7f\x02\0" + b"\xdf\x01\0"), "image/webp", (640, 480)),
        (webp(b"VP8L", b"\x2f" + struct.pack("<I", 639 | 479 << 14)), "image/webp", (640, 480)),
        (webp(b"VP8 ", bytes(6) + struct.pack("<HH", 640, 480)), "image/webp", (640, 480)),
        (HEIC, "image/heic", (640, 480)),
        (png(1, 1)[:20], "image/png", None),
        (b"\xff\xd8\xff\xe0", "image/jpeg", None),
        (b"\xff\xd8" + b"\xff\xd0" * 9, "image/jpeg", None),
        (webp(b"what", bytes(20)), "image/webp", None),
        (PDF, "application/pdf", None),
    ],
)
def test_a_pictures_size_is_read_from_its_head(content: bytes, media_type: str, size: Any) -> None:
    assert picture_size(content, media_type) == size


@pytest.mark.parametrize("content", [png(100_000, 100_000), jpeg(65_000, 65_000)])
def test_a_small_file_with_a_huge_picture_is_refused(content: bytes) -> None:
    with pytest.raises(LimitError) as caught:
        checked_file(content, "bomb.png", limit_mb=10)
    assert (caught.value.code, caught.value.status, caught.value.value) == ("too_large", 413, "bomb.png")
    assert checked_file(png(8000, 8000), "a.png", limit_mb=10).name == "a.png"


@pytest.fixture
def visitor(client: FlaskClient) -> tuple[str, dict[str, str]]:
    started = client.post("/api/v1/conversations", json={}).get_json()
    address, mine = (
        f"/api/v1/conversations/{started['id']}",
        {"Authorization": f"Bearer {started['token']}"},
    )
    client.post(f"{address}/handover", json={}, headers=mine)
    return address, mine


@pytest.fixture
def agent(app: Flask, visitor: Any, signed_in: Callable[..., FlaskClient]) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    return signed_in("agent", "Mei")


def upload(agent: FlaskClient, content: bytes, name: str, client_id: str = "f1") -> Any:
    data = {"file": (io.BytesIO(content), name), "client_file_id": client_id}
    return agent.post(f"{ADDRESS}/files", data=data, content_type="multipart/form-data")


def test_an_agents_file_reaches_the_visitor_once_as_a_download(
    agent: FlaskClient, client: FlaskClient, visitor: Any
) -> None:
    address, mine = visitor
    first, again = upload(agent, PDF, "label.exe"), upload(agent, PDF, "label.exe")
    assert first.status_code == 201 and first.get_json() == again.get_json()
    file = first.get_json()
    assert (file["name"], file["type"]) == ("label.pdf", "application/pdf")
    body = {"text": "Here is your label.", "files": [file["id"]], "client_message_id": "a"}
    shown = agent.post(f"{ADDRESS}/reply", json=body).get_json()
    assert [one["name"] for one in shown["turns"][-1]["files"]] == ["label.pdf"]
    assert shown["attachment_mb"] == 10
    agent.post(f"{ADDRESS}/reply", json=body)
    told = client.get(f"{address}/messages", headers=mine).get_json()["turns"]
    assert [(turn["role"], turn["files"]) for turn in told] == [("agent", [file])]
    got = client.get(f"{address}/files/{file['id']}", headers=mine)
    assert got.data == PDF and got.headers["Content-Disposition"].startswith("attachment")
    assert agent.get(f"/admin/attachments/{file['id']}").data == PDF


def test_a_reply_of_files_alone_says_their_names(
    agent: FlaskClient, client: FlaskClient, visitor: Any, database: Database
) -> None:
    picture = upload(agent, png(20, 10), "shelf.png").get_json()["id"]
    body = {"text": "", "files": [picture], "client_message_id": "a"}
    shown = agent.post(f"{ADDRESS}/reply", json=body).get_json()["turns"][-1]
    assert shown["files"][0]["picture"] is True
    with database.read() as session:
        turn = session.scalars(select(Turn)).one()
    assert (turn.text, turn.kind) == ("shelf.png", "files")
    assert agent.post(f"{ADDRESS}/reply", json={"text": " ", "client_message_id": "b"}).status_code == 422


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"MZ\x90\x00", "a.exe", "file_type"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg", "file_type"),
        (b"", "a.txt", "empty"),
        (png(90_000, 90_000), "a.png", "too_large"),
    ],
)
def test_what_visitors_may_not_send_agents_may_not_either(
    agent: FlaskClient, content: bytes, name: str, code: str
) -> None:
    refused = upload(agent, content, name)
    assert refused.status_code in (413, 422)
    assert refused.get_json()["error"]["code"] == code


def test_a_site_without_files_has_none_from_agents(agent: FlaskClient, database: Database) -> None:
    with database.write() as session:
        session.scalars(select(Site)).one().options = {"widget": {"attachment_mb": 0}}
    assert upload(agent, PDF, "a.pdf").get_json()["error"]["code"] == "no_files"


def test_each_side_sends_its_own_files_only_and_only_in_its_conversation(
    agent: FlaskClient, client: FlaskClient, visitor: Any
) -> None:
    address, mine = visitor
    theirs = client.post(
        f"{address}/files",
        data={"file": (io.BytesIO(PDF), "a.pdf")},
        content_type="multipart/form-data",
        headers=mine,
    ).get_json()["id"]
    ours = upload(agent, PDF, "b.pdf").get_json()["id"]
    reply = {"text": "x", "client_message_id": "a"}
    assert agent.post(f"{ADDRESS}/reply", json=reply | {"files": [theirs]}).status_code == 404
    assert (
        client.post(f"{address}/messages", json={"text": "x", "files": [ours]}, headers=mine).status_code
        == 404
    )
    for wrong in ("x", [1], ["a"] * 6):
        assert agent.post(f"{ADDRESS}/reply", json=reply | {"files": wrong}).status_code == 422
    assert agent.post(f"{ADDRESS}/files", data={}).status_code == 422
    assert (
        agent.post(
            "/admin/inbox/conversations/99/files",
            data={"file": (io.BytesIO(PDF), "a"), "client_file_id": "1"},
        ).status_code
        == 404
    )


def test_a_viewer_sends_nothing(app: Flask, visitor: Any, signed_in: Callable[..., FlaskClient]) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    assert upload(signed_in("viewer"), PDF, "a.pdf").status_code == 403
