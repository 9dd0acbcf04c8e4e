"""The bytes of files that visitors and agents send: what may come in, where it lies, how it goes out again.

A file is what its content says, never what its name or its sender says; it lies under a random name in the data
folder, outside anything that is served, readable by us alone; and it leaves only as a download
(``Content-Disposition: attachment``, ``nosniff``, a sandboxing policy), so that no browser ever runs it here
(OWASP ASVS 4.0.3, V12).
"""

from __future__ import annotations

import contextlib
import io
import os
import time
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from chatbot.errors import InputError, LimitError, NotFoundError
from chatbot.records import attachments
from chatbot.records.database import Database
from chatbot.records.tables import Attachment, Conversation, Site, utcnow
from web.file_names import safe_name
from web.picture_size import MOST_PIXELS, picture_size
from web.widget_options import WidgetOptions

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.datastructures import FileStorage

EXTENSIONS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/heic": "heic",
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/plain": "txt",
}
ACCEPTED = ("png", "jpg", "gif", "webp", "heic", "pdf", "docx", "xlsx", "txt", "csv")
KEEP_UNSENT = timedelta(days=1)
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)
_SYNONYMS = {"jpeg": "jpg", "heif": "heic", "log": "txt", "md": "txt"}
_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"


def media_type(content: bytes, name: str) -> str:
    """The type that the content has. Raises InputError for one that is not accepted."""
    for magic, found in _MAGIC:
        if content.startswith(magic):
            return found
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc"):
        return "image/heic"
    if content.startswith(b"PK\x03\x04"):
        office = _office_type(content)
        if office:
            return office
    elif content and _is_text(content):
        return "text/plain"
    raise InputError(
        "Files of this kind are not accepted",
        field="file",
        value=safe_name(name),
        code="file_type",
        remedy=f"Send one of {', '.join(ACCEPTED)}",
    )


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file that may be kept, under the name that it has here."""

    content: bytes
    name: str
    media_type: str


def checked_file(content: bytes, given_name: str, *, limit_mb: int) -> CheckedFile:
    """Raises LimitError or InputError for what is too large, empty, or of a kind that is not accepted."""
    check_size(len(content), limit_mb=limit_mb)
    found = media_type(content, given_name)
    size = picture_size(content, found)
    if size is not None and size[0] * size[1] > MOST_PIXELS:
        raise LimitError(
            f"The picture is too large: {size[0]} × {size[1]}",
            field="file",
            code="too_large",
            status=413,
            value=safe_name(given_name),
            remedy=f"Send one of at most {MOST_PIXELS // 1_000_000} million pixels",
        )
    return CheckedFile(content, file_name(given_name, found), found)


def _office_type(content: bytes) -> str | None:
    """Word and Excel are archives that say inside what they are; one with macros is not accepted."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, OSError):
        return None
    if "[Content_Types].xml" not in names or any(name.endswith("vbaProject.bin") for name in names):
        return None
    if "word/document.xml" in names:
        return "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    if "xl/workbook.xml" in names:
        return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return None


def _is_text(content: bytes) -> bool:
    if b"\x00" in content:
        return False
    try:
        start = content.decode("utf-8").lstrip("\ufeff \t\r\n")[:200].lower()
    except UnicodeDecodeError:
        return False
    return not start.startswith(("<!doctype", "<html", "<svg", "<?xml", "<script", "#!"))


def file_name(given: str, found_type: str) -> str:
    """The sender's name with the extension of what the file is: ``invoice.pdf.exe`` that is a PDF: ``….pdf``."""
    name = safe_name(given)
    stem, dot, extension = name.rpartition(".")
    right = EXTENSIONS[found_type]
    given_extension = extension.lower() if dot else ""
    if found_type == "text/plain" and given_extension == "csv":
        return name
    if _SYNONYMS.get(given_extension, given_extension) == right:
        return name
    return f"{stem if dot else name}.{right}"


def receive(
    database: Database, data: Path, conversation_id: int, given: FileStorage, *, client_file_id: str | None
) -> Attachment:
    """Check and keep a file that came with a request, by the rules of the conversation's site; the same
    ``client_file_id`` again is kept once. Raises what checked_file raises, and LimitError for one too many."""
    with database.read() as session:
        site = session.get_one(Site, session.get_one(Conversation, conversation_id).site_id)
    with given.stream as stream:
        content = stream.read()
    limit_mb = WidgetOptions.of_site(site.options).attachment_mb
    file = checked_file(content, given.filename or "file", limit_mb=limit_mb)
    with database.write() as session:
        session.get_one(Conversation, conversation_id, with_for_update=True)
        row, _ = attachments.add_attachment(
            session,
            conversation_id,
            name=file.name,
            media_type=file.media_type,
            size=len(content),
            client_file_id=client_file_id,
        )
        AttachmentFiles(data).keep(row.public_id, content)  # a failure takes the row back
    return row


class AttachmentFiles:
    """The folder ``<data>/attachments``."""

    def __init__(self, data: Path) -> None:
        self.folder = data / "attachments"

    def path(self, public_id: str) -> Path:
        return self.folder / public_id[:2] / public_id

    def keep(self, public_id: str, content: bytes) -> None:
        """Write the bytes, whole or not at all."""
        target = self.path(public_id)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = target.with_suffix(".part")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            os.replace(draft, target)
        except OSError:
            draft.unlink(missing_ok=True)
            raise

    def download(self, row: Attachment) -> Response:
        """Raises NotFoundError where the bytes are gone."""
        from flask import Response  # the worker sweeps and needs no web framework for it

        path = self.path(row.public_id)
        if not path.is_file():
            raise NotFoundError("The file is no longer here", field="file", value=row.name)
        response = Response(path.read_bytes(), mimetype=row.media_type)  # at most MOST_ATTACHMENT_MB
        response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(row.name, safe='')}"
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "private, no-store"
        return response

    def sweep(self, database: Database, *, older_than: float = 3_600.0) -> int:
        """Erase what no row speaks of any more (an erased conversation's files, uploads that were never sent);
        returns how many files went. ``older_than`` in seconds: a file is written just after its row."""
        with database.write() as session:
            attachments.drop_unsent(session, before=utcnow() - KEEP_UNSENT)
        if not self.folder.is_dir():
            return 0
        with database.read() as session:
            known = attachments.known_files(session)
        gone = 0
        for path in self.folder.glob("*/*"):
            with contextlib.suppress(OSError):
                if path.name not in known and time.time() - path.stat().st_mtime > older_than:
                    path.unlink()
                    gone += 1
        return gone


def check_size(size: int, *, limit_mb: int) -> None:
    """Raises LimitError (413) for a file that is too large, InputError for an empty one or where none may be sent."""
    if limit_mb == 0:
        raise InputError(
            "This chat takes no files", field="file", code="no_files", remedy="Write it in words instead"
        )
    if size > limit_mb * 1024 * 1024:
        raise LimitError(
            f"The file is too large: {size / 1024 / 1024:.1f} MiB",
            field="file",
            code="too_large",
            status=413,
            remedy=f"Send at most {limit_mb} MiB",
        )
    if size == 0:
        raise InputError("The file is empty", field="file", code="empty", remedy="Choose another one")
