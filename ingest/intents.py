"""An intents file: YAML, a list of ``name``, ``title_en``/``title_zh`` (or ``titles``), ``article`` and
``approved`` answers by language. What a person signed off before the import comes in approved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from chatbot.errors import FileError
from chatbot.records.database import Database
from chatbot.records.intents import put_answer, put_intent
from ingest.files import RowError, open_text
from ingest.report import FileReport

MAX_FILE = 16 * 1024 * 1024  # bytes


def take_in_intents(database: Database, path: Path, report: FileReport, *, dry_run: bool = False) -> None:
    """Put the file's intents in one transaction. Raises FileError where it is no list of intents."""
    report.format = "yaml"
    rows = _read(path)
    if dry_run:
        for row in rows:
            _count(report, row)
        return
    with database.write() as session:
        for row in rows:
            if not _count(report, row) or isinstance(row, RowError):
                continue
            intent, change = put_intent(
                session, row["name"], titles=row["titles"], article_slug=row["article"], status="live"
            )
            changes = [change]
            for lang, text in row["approved"].items():
                changes.append(put_answer(session, intent, lang=lang, text=text)[1])
                report.languages[lang] += 1
            report.unchanged += set(changes) == {"unchanged"}


def _count(report: FileReport, row: dict[str, Any] | RowError) -> bool:
    report.read += 1
    if isinstance(row, RowError):
        report.add_error(row)
        return False
    report.kept += 1
    report.tags[row["name"]] += 1
    return True


def _read(path: Path) -> list[dict[str, Any] | RowError]:
    text = open_text(path).text(limit=MAX_FILE)
    try:
        loaded = yaml.safe_load(text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise FileError(
            f"{path.name} is no YAML" + (f" in line {mark.line + 1}" if mark else ""),
            value=getattr(error, "problem", None) or text[:60],
            remedy="Put texts with a colon in quotes",
        ) from error
    if isinstance(loaded, dict) and isinstance(loaded.get("intents"), list):
        loaded, node = loaded["intents"], None
    if not isinstance(loaded, list):
        raise FileError(
            f"{path.name} is no list of intents",
            value=text[:60],
            remedy="Rasa's training data is taken in as transcripts: frontdesk ingest transcripts"
            if isinstance(loaded, dict) and {"nlu", "rasa_nlu_data"} & loaded.keys()
            else "Begin each with: - name: …",
        )
    lines = (
        [item.start_mark.line + 1 for item in node.value] if node is not None else range(1, len(loaded) + 1)
    )
    return [_checked(line, item) for line, item in zip(lines, loaded, strict=True)]


def _checked(line: int, item: object) -> dict[str, Any] | RowError:
    if not isinstance(item, dict) or not isinstance(item.get("name"), str) or not item["name"].strip():
        return RowError(line, "An intent without a name", str(item)[:80], "Begin it with: - name: …")
    titles = item.get("titles") or {
        key.removeprefix("title_"): value for key, value in item.items() if key.startswith("title_") and value
    }
    approved = item.get("approved") or {}
    for field, value in (("titles", titles), ("approved", approved)):
        if not isinstance(value, dict) or not all(
            isinstance(text, str) and text.strip() for text in value.values()
        ):
            return RowError(
                line, f"The {field} of an intent are no texts by language", item["name"], 'Write {en: "…"}'
            )
    article = item.get("article")
    return {
        "name": item["name"].strip()[:120],
        "titles": {str(lang): text.strip() for lang, text in titles.items()},
        "article": str(article) if article else None,
        "approved": {str(lang): text.strip() for lang, text in approved.items()},
    }
