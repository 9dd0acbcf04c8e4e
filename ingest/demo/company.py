"""The demo company, Kettle & Crane: its help articles, intents and past conversations, taken in as any company's."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import as_file, files
from pathlib import Path

import yaml

from chatbot.records.actions import Draft
from chatbot.records.database import Database
from ingest.demo.conversations import write
from ingest.importing import import_articles, import_intents, import_transcripts
from ingest.report import ImportReport

Progress = Callable[[str, float], None]
SEED = 13


def build(database: Database, folder: Path, *, progress: Progress | None = None) -> list[ImportReport]:
    """Compose the company's export into ``folder`` and import everything; done again, it changes nothing.

    Raises FileError where a part of the company cannot be imported: it is ours, so that is a defect.
    """
    folder.mkdir(parents=True, exist_ok=True)
    reports = []
    with as_file(files("ingest.demo")) as company:
        reports.append(import_articles(database, [company / "articles"], progress=progress))
        reports.append(import_intents(database, [company / "intents.yaml"], progress=progress))
    reports.append(import_transcripts(database, [write(folder, SEED)], progress=progress))
    return reports


def demo_actions() -> list[tuple[Draft, str]]:
    """The company's actions, each with the path of its service."""
    rows = yaml.safe_load((files("ingest.demo") / "actions.yaml").read_text("utf-8"))
    return [
        (
            Draft(
                name=row["name"],
                intent=row["name"],
                url=row["path"],
                slots=row["slots"],
                templates=row["templates"],
                proof=row.get("proof", {}),
                changes=row.get("changes", False),
                enabled=row["enabled"],
            ),
            row["path"],
        )
        for row in rows
    ]


def attacks() -> Path:
    """The company's adversarial questions (chatbot/learning/adversarial.py)."""
    return Path(str(files("ingest.demo") / "test_adversarial.jsonl"))


def conversations() -> Path:
    """The company's test conversations (chatbot/learning/conversations_played.py)."""
    return Path(str(files("ingest.demo") / "test_conversations.jsonl"))


def questions() -> Path:
    """The company's test questions, written before its conversations (chatbot/learning/questions.py)."""
    return Path(str(files("ingest.demo") / "test_questions.jsonl"))


def tuning_questions() -> Path:
    """Questions by another writer, for choosing what the test questions must not choose."""
    return Path(str(files("ingest.demo") / "tuning_questions.jsonl"))


def tuning_conversations() -> Path:
    """Conversations for choosing what the test conversations must not choose."""
    return Path(str(files("ingest.demo") / "tuning_conversations.jsonl"))
