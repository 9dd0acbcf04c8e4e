"""Taking files in: they are stored under a random name outside anything that is served, then a job reads them."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from flask import flash, redirect, render_template, request, url_for
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as BaseResponse

from chatbot.errors import InputError
from chatbot.outbound import parse
from chatbot.records import audit
from ingest.transcripts.formats import FORMATS
from web.access import person_id, requires
from web.admin.blueprint import blueprint
from web.context import parts
from web.file_names import safe_name
from web.jobs import enqueue
from web.language import gettext
from web.limits import limiter

KINDS = {
    "transcripts": "import_transcripts",
    "articles": "import_articles",
    "intents": "import_intents",
}
MAX_FILES = 50


@blueprint.get("/upload")
@requires("editor")
def upload() -> str:
    kind = request.args.get("kind", "transcripts")
    return render_template(
        "admin/upload.html",
        kind=kind if kind in KINDS else "transcripts",
        formats=("auto", *FORMATS),
        limit_mb=parts().settings.upload_limit_mb,
    )


@blueprint.post("/upload/web")
@requires("editor")
@limiter.limit("20 per hour")
def read_web() -> BaseResponse:
    """Queue the reading of web pages. Raises InputError for an address that no one may ask, or too many."""
    addresses = request.form.get("addresses", "").split()
    if not addresses:
        flash(gettext("Write an address first."))
        return redirect(url_for("admin.upload", kind="articles"), code=303)
    if len(addresses) > MAX_FILES:
        raise InputError(
            "Too many addresses at once",
            field="addresses",
            value=len(addresses),
            remedy=f"Give at most {MAX_FILES}, or one sitemap",
        )
    for address in addresses:
        parse(address)
    job_id = enqueue(
        parts().database,
        parts().settings,
        "import_web_pages",
        {"addresses": addresses},
        person_id=person_id(),
    )
    with parts().database.write() as records:
        audit.record(
            records,
            action="upload.web",
            subject=", ".join(addresses)[:200],
            person_id=person_id(),
            detail={"job": job_id},
        )
    return redirect(url_for("admin.job", job_id=job_id), code=303)


@blueprint.post("/upload")
@requires("editor")
@limiter.limit("60 per hour")
def upload_now() -> BaseResponse:
    """Store the files and queue their import. Raises InputError for none, too many, or an unknown kind."""
    kind = request.form.get("kind", "")
    if kind not in KINDS:
        raise InputError(
            "Unknown kind of upload", field="kind", value=kind, remedy=f"Use one of {', '.join(KINDS)}"
        )
    shape = request.form.get("format", "auto")
    files = [file for file in request.files.getlist("files") if file.filename]
    if not files:
        flash(gettext("Choose a file first."))
        return redirect(url_for("admin.upload", kind=kind), code=303)
    if len(files) > MAX_FILES:
        raise InputError(
            "Too many files at once",
            field="files",
            value=len(files),
            remedy=f"Send at most {MAX_FILES}, or a folder by command",
        )
    names = [store(parts().settings.uploads, file) for file in files]
    arguments = {"files": names, "names": [Path(name).name for name in names]}
    if kind == "transcripts":
        arguments["format"] = shape  # type: ignore[assignment]  # a mixed JSON object
    job_id = enqueue(parts().database, parts().settings, KINDS[kind], arguments, person_id=person_id())
    with parts().database.write() as records:
        audit.record(
            records,
            action=f"upload.{kind}",
            subject=", ".join(arguments["names"])[:200],
            person_id=person_id(),
            detail={"job": job_id},
        )
    return redirect(url_for("admin.job", job_id=job_id), code=303)


def store(uploads: Path, file: FileStorage) -> str:
    """Write a file under ``uploads/<random>/<its safe name>``, readable by us alone; the path below ``uploads``."""
    folder = secrets.token_hex(16)
    target = uploads / folder / safe_name(file.filename or "")
    target.parent.mkdir(parents=True, mode=0o700)
    try:
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            shutil.copyfileobj(file.stream, out, 1 << 20)
    except OSError:
        shutil.rmtree(target.parent, ignore_errors=True)
        raise
    return f"{folder}/{target.name}"
