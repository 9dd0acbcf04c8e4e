"""Taking files in: they are stored under a random name outside anything that is served, then a job reads them.

Past conversations in a table are looked at first: an editor sees which column was taken for what, with the first
conversations as they would be stored, changes it, tries the whole file without storing, and only then imports it.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flask import flash, jsonify, redirect, render_template, request, url_for
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as BaseResponse

from chatbot.errors import InputError, NotFoundError
from chatbot.outbound import parse
from chatbot.records import audit
from chatbot.records.knowledge import redaction_rules
from chatbot.records.passages import check_language
from ingest.articles.faq import CHOSEN
from ingest.encoding_choice import ENCODINGS, doubtful_readings
from ingest.files import known_encoding, read_as
from ingest.previewing import found_columns, preview
from ingest.transcripts.formats import FORMATS, TABLES
from ingest.transcripts.table import FIELDS
from web.access import person_id, requires
from web.admin.blueprint import blueprint
from web.admin.pages.learning import wants_json
from web.context import parts
from web.file_names import safe_name
from web.jobs import discard_uploads, enqueue
from web.language import gettext
from web.limits import limiter

KINDS = {
    "transcripts": "import_transcripts",
    "articles": "import_articles",
    "intents": "import_intents",
}
MAX_FILES = 50
_DOCUMENTS = (".md", ".markdown", ".html", ".htm", ".docx", ".pdf")  # no conversations come so
_CARRIED = (
    "kind",
    "format",
    "lang",
    "check",
    *CHOSEN,
)  # of the upload's form, to the choice of encodings and on
_STORED = re.compile(r"[0-9a-f]{32}/[^/\\]{1,255}")


@blueprint.get("/upload")
@requires("editor")
def upload() -> str:
    kind = request.args.get("kind", "transcripts")
    return render_template(
        "admin/upload.html",
        kind=kind if kind in KINDS else "transcripts",
        formats=("auto", *FORMATS),
        encodings=ENCODINGS,
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
    """Store the files and queue their import. Raises InputError for none, too many, an unknown kind or language."""
    kind = request.form.get("kind", "")
    if kind not in KINDS:
        raise InputError(
            "Unknown kind of upload", field="kind", value=kind, remedy=f"Use one of {', '.join(KINDS)}"
        )
    shape = request.form.get("format", "auto")
    lang = request.form.get("lang", "").strip().lower()
    if lang:
        check_language(lang)
    encoding = request.form.get("encoding", "").strip()
    if encoding:
        known_encoding(encoding)
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
    if kind == "transcripts" and all(Path(str(file.filename)).suffix.lower() in _DOCUMENTS for file in files):
        flash(gettext("These are articles, not conversations. Choose them here once more."))
        return redirect(url_for("admin.upload", kind="articles"), code=303)
    names = [store(parts().settings.uploads, file) for file in files]
    given: dict[str, Any] = {
        "kind": kind,
        "format": shape,
        "lang": lang,
        "check": request.form.get("check", ""),
        **{field: request.form.get(field, "").strip() for field in CHOSEN},
    }
    if not encoding and not wants_json() and any(map(_doubtful, names)):
        given = {key: value for key, value in given.items() if value}
        return redirect(url_for("admin.choose_encoding", files=names, **given), code=303)
    return _take_in(names, given, dict.fromkeys(names, encoding) if encoding else {})


def _take_in(names: Sequence[str], given: Mapping[str, str], encodings: Mapping[str, str]) -> BaseResponse:
    """Queue the import of stored files, or look at past conversations first. ``given``: what the form said."""
    kind, shape = given["kind"], given.get("format") or "auto"
    if kind == "transcripts" and (given.get("check") or any(map(_is_table, names))):
        told = [encodings.get(name, "") for name in names] if encodings else []
        return redirect(url_for("admin.check_upload", files=names, format=shape, encoding=told), code=303)
    arguments: dict[str, Any] = {"files": list(names), "names": [Path(name).name for name in names]}
    arguments |= {"encodings": dict(encodings)} if encodings else {}
    if kind == "transcripts":
        arguments["format"] = shape
    if kind == "articles":
        headings = {field: given[field] for field in CHOSEN if given.get(field)}
        arguments |= {"lang": given["lang"]} if given.get("lang") else {}
        arguments |= {"columns": headings} if headings else {}
    return _queue(kind, arguments)


def _doubtful(name: str) -> bool:
    return bool(doubtful_readings(parts().settings.uploads / name))


@blueprint.get("/upload/encoding")
@requires("editor")
def choose_encoding() -> str:
    """What stored files of a doubtful encoding would say in each."""
    names = _stored(request.args.getlist("files"))
    looks = [(name, Path(name).name, doubtful_readings(parts().settings.uploads / name)) for name in names]
    given = {key: request.args[key] for key in _CARRIED if request.args.get(key)}
    return render_template("admin/upload_encoding.html", looks=looks, given=given, encodings=ENCODINGS)


@blueprint.post("/upload/encoding")
@requires("editor")
@limiter.limit("60 per hour")
def encoding_chosen() -> BaseResponse:
    """``encoding``: of each file in ``files``, empty where it is to be found out. Raises InputError for one that there
    is not, an unknown kind or language."""
    names = _stored(request.form.getlist("files"))
    if request.form.get("action") == "discard":
        discard_uploads(parts().settings, names)
        flash(gettext("The files are erased."))
        return redirect(url_for("admin.upload"), code=303)
    given = {key: request.form.get(key, "").strip() for key in _CARRIED}
    if given["kind"] not in KINDS:
        raise InputError(
            "Unknown kind of upload",
            field="kind",
            value=given["kind"],
            remedy=f"Use one of {', '.join(KINDS)}",
        )
    if given["lang"]:
        check_language(given["lang"])
    return _take_in(names, given, _encodings(names, request.form.getlist("encoding")))


def _encodings(names: Sequence[str], told: Sequence[str]) -> dict[str, str]:
    """The encodings of those files of which one is told. Raises InputError for one that there is not."""
    return {name: known_encoding(one) for name, one in zip(names, told, strict=False) if one}


def _queue(kind: str, arguments: dict[str, Any]) -> BaseResponse:
    job_id = enqueue(parts().database, parts().settings, KINDS[kind], arguments, person_id=person_id())
    with parts().database.write() as records:
        audit.record(
            records,
            action=f"upload.{kind}",
            subject=", ".join(arguments["names"])[:200],
            person_id=person_id(),
            detail={
                "job": job_id,
                **{
                    key: arguments[key]
                    for key in ("columns", "dry_run", "encodings", "lang")
                    if key in arguments
                },
            },
        )
    if wants_json():
        return jsonify({"ok": True, "job": job_id})
    return redirect(url_for("admin.job", job_id=job_id), code=303)


def _is_table(name: str) -> bool:
    return name.lower().removesuffix(".gz").endswith(TABLES)


@blueprint.get("/upload/check")
@requires("editor")
def check_upload() -> str | BaseResponse:
    """What an import would make of stored files (``files``), with the columns given (``column.<field>``) or found."""
    names = _stored(request.args.getlist("files"))
    shape = request.args.get("format", "auto")
    with parts().database.read() as records:
        rules = redaction_rules(records)
    encodings = _encodings(names, request.args.getlist("encoding"))
    uploads = parts().settings.uploads
    with read_as({uploads / name: encoding for name, encoding in encodings.items()}):
        looks = [
            preview(uploads / name, format=shape, columns=_columns(request.args), rules=rules)
            for name in names
        ]
    if wants_json():
        return jsonify({"files": names, "previews": [look.as_json() for look in looks]})
    return render_template(
        "admin/upload_check.html",
        files=names,
        encodings=[encodings.get(name, "") for name in names],
        looks=looks,
        shape=shape,
        table=next((look for look in looks if look.is_table), None),
        fields=FIELDS,
        ready=all(look.problem is None for look in looks),
    )


@blueprint.post("/upload/check")
@requires("editor")
@limiter.limit("60 per hour")
def import_checked() -> BaseResponse:
    """``action``: import, try (read it all, store nothing) or discard the files that were looked at."""
    names = _stored(request.form.getlist("files"))
    action = request.form.get("action", "")
    if action == "discard":
        discard_uploads(parts().settings, names)
        flash(gettext("The files are erased."))
        return redirect(url_for("admin.upload"), code=303)
    encodings = _encodings(names, request.form.getlist("encoding"))
    columns = _chosen(names)
    shape = request.form.get("format", "auto")
    if action == "look":
        given: dict[str, Any] = {f"column.{field}": heading for field, heading in columns.items()}
        if encodings:
            given["encoding"] = [encodings.get(name, "") for name in names]
        return redirect(url_for("admin.check_upload", files=names, format=shape, **given), code=303)
    if action not in ("import", "try"):
        raise InputError(
            "Unknown action", field="action", value=action, remedy="Use import, try, look or discard"
        )
    arguments: dict[str, Any] = {
        "files": names,
        "names": [Path(name).name for name in names],
        "format": shape,
    }
    if columns:
        arguments["columns"] = columns
    if encodings:
        arguments["encodings"] = encodings
    if action == "try":
        arguments["dry_run"] = True
    return _queue("transcripts", arguments)


def _stored(names: Sequence[str]) -> list[str]:
    """Files that an upload stored. Raises NotFoundError where one is none, or is gone."""
    root = parts().settings.uploads
    if not names:
        raise NotFoundError("No file is named", field="files", value="", remedy="Upload it first")
    for name in names[:MAX_FILES]:
        if not _STORED.fullmatch(name) or not os.path.isfile(root / name):  # no error for a name too long
            raise NotFoundError(
                "An uploaded file is gone", field="files", value=name, remedy="Upload it once more"
            )
    return list(names[:MAX_FILES])


def _chosen(names: Sequence[str]) -> dict[str, str]:
    """The columns that somebody has set. Those that the page found in the first table are no choice: the next one may
    name its own otherwise."""
    tables = [parts().settings.uploads / name for name in names if _is_table(name)]
    columns = _columns(request.form)
    return columns if tables and columns != found_columns(tables[0]) else {}


def _columns(given: Mapping[str, str]) -> dict[str, str]:
    """The headings chosen for the fields of a table."""
    chosen = {field: given.get(f"column.{field}", "").strip() for field in FIELDS}
    return {field: heading for field, heading in chosen.items() if heading}


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
