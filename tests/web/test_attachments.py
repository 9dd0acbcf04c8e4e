"""Files that visitors send: what comes in, where it lies, who gets it, and what is swept away."""

from __future__ import annotations

import io
import os
import stat
import time
import zipfile
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from chatbot.errors import InputError, LimitError
from chatbot.records.database import Database
from chatbot.records.tables import Attachment, Conversation, Site, Turn
from chatbot.settings import Settings
from web.attachments import AttachmentFiles, check_size, file_name, media_type

START = "/api/v1/conversations"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20


def archive(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name in names:
            file.writestr(name, "x")
    return content.getvalue()


WORD = archive("[Content_Types].xml", "word/document.xml")


@pytest.mark.parametrize(
    ("content", "given", "kept"),
    [
        (PNG, "photo.png", "photo.png"),
        (PNG, "photo.exe", "photo.png"),
        (b"\xff\xd8\xff\xe0....", "IMG 1.JPEG", "IMG 1.JPEG"),
        (b"GIF89a....", "../../a", "a.gif"),
        (b"RIFF....WEBPVP8 ", "a.webp", "a.webp"),
        (b"%PDF-1.7", "账单.pdf", "账单.pdf"),
        (WORD, "letter.docx", "letter.docx"),
        (archive("[Content_Types].xml", "xl/workbook.xml"), "t.docx", "t.xlsx"),
        ("訂單 1".encode(), "note.txt", "note.txt"),
        (b"a,b\n1,2", "t.csv", "t.csv"),
        (b"alert(1)", "x.js", "x.txt"),
    ],
)
def test_a_file_is_what_its_content_says(content: bytes, given: str, kept: str) -> None:
    assert file_name(given, media_type(content, given)) == kept


@pytest.mark.parametrize(
    "content",
    [
        b"MZ\x90\x00",
        b"<!doctype html><script>alert(1)</script>",
        b"  <svg xmlns='x'>",
        b"\xef\xbb\xbf<html>",
        b"#!/bin/sh\n",
        b"",
        b"\xff\xfe\x00",
        b"PK\x03\x04 no archive",
        archive("a.txt"),
        archive("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"),
    ],
)
def test_what_a_browser_or_a_machine_might_run_is_refused_whatever_its_name(content: bytes) -> None:
    with pytest.raises(InputError) as error:
        media_type(content, "photo.png")
    assert error.value.code == "file_type"


class Visitor:
    def __init__(self, client: FlaskClient) -> None:
        started = client.post(START, json={}).get_json()
        self.client = client
        self.address = f"{START}/{started['id']}"
        self.headers = {"Authorization": f"Bearer {started['token']}"}

    def upload(self, content: bytes, name: str = "photo.png", file_id: str | None = None) -> Any:
        data: dict[str, Any] = {"file": (io.BytesIO(content), name)}
        if file_id:
            data["client_file_id"] = file_id
        return self.client.post(f"{self.address}/files", data=data, headers=self.headers)

    def say(self, **body: Any) -> Any:
        return self.client.post(f"{self.address}/messages", json=body, headers=self.headers)


@pytest.fixture
def visitor(client: FlaskClient) -> Visitor:
    return Visitor(client)


def test_a_file_hangs_on_its_message_and_comes_back_as_a_download(
    visitor: Visitor, client: FlaskClient, settings: Settings
) -> None:
    sent = visitor.upload(PNG, "qu<o>te.png")
    assert sent.status_code == 201
    file = sent.get_json()
    assert (file["type"], file["bytes"]) == ("image/png", len(PNG))
    visitor.say(text="See the photo", files=[file["id"]])
    turns = client.get(f"{visitor.address}/messages", headers=visitor.headers).get_json()["turns"]
    assert turns[0]["files"] == [file]
    assert "files" not in turns[1]

    got = client.get(f"{visitor.address}/files/{file['id']}", headers=visitor.headers)
    assert got.data == PNG
    assert got.headers["Content-Disposition"] == "attachment; filename*=UTF-8''qu_o_te.png"
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in got.headers["Content-Security-Policy"]
    assert "no-store" in got.headers["Cache-Control"]
    path = AttachmentFiles(settings.data).path(file["id"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_files_are_shown_in_the_order_in_which_they_were_chosen(
    visitor: Visitor, client: FlaskClient
) -> None:
    second, first = (visitor.upload(PNG, name).get_json() for name in ("second.png", "first.png"))
    visitor.say(text="Both", files=[first["id"], second["id"]])
    turns = client.get(f"{visitor.address}/messages", headers=visitor.headers).get_json()["turns"]
    assert turns[0]["files"] == [first, second]


def test_another_conversation_gets_nothing_of_it(visitor: Visitor, client: FlaskClient) -> None:
    file = visitor.upload(PNG).get_json()["id"]
    other = Visitor(client)
    assert client.get(f"{other.address}/files/{file}", headers=other.headers).status_code == 404
    assert other.say(text="mine?", files=[file]).status_code == 404
    visitor.say(text="one", files=[file])
    assert visitor.say(text="two", files=[file]).status_code == 409


def test_an_upload_that_is_sent_again_is_kept_once(visitor: Visitor, database: Database) -> None:
    first, second = visitor.upload(PNG, file_id="f1"), visitor.upload(PNG, file_id="f1")
    assert first.get_json() == second.get_json()
    with database.read() as session:
        assert len(session.scalars(select(Attachment)).all()) == 1


def test_to_a_message_of_files_alone_the_bot_says_that_it_cannot_read_them(
    visitor: Visitor, assistant: Any, database: Database
) -> None:
    file = visitor.upload(PNG).get_json()["id"]
    answer = visitor.say(files=[file], client_message_id="m1").get_json()
    assert answer["reply"]["kind"] == "ask"
    assert answer["reply"]["parts"][0]["choices"][0]["payload"] == "/handover"
    assert assistant.calls == []
    again = visitor.say(files=[file], client_message_id="m1").get_json()
    assert again == answer
    with database.read() as session:
        assert session.scalars(select(Turn.text).where(Turn.role == "customer")).all() == ["photo.png"]
    assert visitor.say(text=" ").status_code == 422


def test_the_site_decides_how_large_a_file_may_be_and_whether_there_are_any(
    visitor: Visitor, database: Database
) -> None:
    def allow(megabytes: int) -> None:
        with database.write() as session:
            session.scalars(select(Site)).one().options = {"widget": {"attachment_mb": megabytes}}

    allow(1)
    with pytest.raises(LimitError) as error:
        check_size(1024 * 1024 + 1, limit_mb=1)
    assert (error.value.status, error.value.code) == (413, "too_large")
    assert visitor.upload(PNG).status_code == 201
    assert visitor.upload(b"MZ\x90\x00").status_code == 422
    assert visitor.upload(b"").status_code == 422
    allow(0)
    assert visitor.upload(PNG).get_json()["error"]["code"] == "no_files"


def test_what_was_never_sent_or_belongs_to_nobody_is_swept_away(
    visitor: Visitor, database: Database, settings: Settings
) -> None:
    files = AttachmentFiles(settings.data)
    unsent, sent = (visitor.upload(PNG).get_json()["id"] for _ in range(2))
    visitor.say(text="here", files=[sent])
    assert files.sweep(database, older_than=0) == 0
    with database.write() as session:
        row = session.scalars(select(Attachment).where(Attachment.public_id == unsent)).one()
        row.created_at = row.created_at.replace(year=2020)
    past = time.time() - 7200
    for name in (unsent, sent):
        os.utime(files.path(name), (past, past))
    assert files.sweep(database) == 1
    assert files.path(sent).exists()
    with database.write() as session:
        session.delete(session.scalars(select(Conversation)).one())
    assert files.sweep(database) == 1
    assert not files.path(sent).exists()
