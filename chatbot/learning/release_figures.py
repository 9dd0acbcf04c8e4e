"""Measuring a release that is there: the command behind `frontdesk evaluate`.

A release is measured on the frozen test examples of the newest snapshot, the same for every release, so that the
figures of two releases can be laid side by side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from chatbot.dialogue.options import SiteOptions
from chatbot.errors import NotFoundError, UnavailableError
from chatbot.learning.adversarial import Attacked, attack_all, attack_figures, load_attacks
from chatbot.learning.conversations_played import Played, conversation_figures, load_conversations, play
from chatbot.learning.evaluation import Evaluation, evaluate
from chatbot.learning.loading import load_assistant, load_parts
from chatbot.learning.questions import Asked, ask_all, figures, load_questions
from chatbot.learning.releases import get_release, live_release_id
from chatbot.learning.snapshot import load_snapshot
from chatbot.records.database import Database
from chatbot.settings import Settings


@dataclass(frozen=True, slots=True)
class ReleaseFigures:
    release_id: str
    snapshot: str
    evaluation: Evaluation
    asked: tuple[Asked, ...] = ()  # test questions put to the whole assistant
    played: tuple[Played, ...] = ()  # the turns of test conversations, in order
    attacked: tuple[Attacked, ...] = ()  # adversarial questions, in order

    def as_json(self) -> dict[str, Any]:
        body = {"release": self.release_id, "snapshot": self.snapshot} | self.evaluation.as_json()
        if self.asked:
            body["questions"] = {row.language: asdict(row) for row in figures(self.asked)}
            body["asked"] = [row.as_json() for row in self.asked]
        if self.played:
            body["conversations"] = {row.language: asdict(row) for row in conversation_figures(self.played)}
            body["played"] = [row.as_json() for row in self.played]
        if self.attacked:
            body["adversarial"] = {row.name: asdict(row) for row in attack_figures(self.attacked)}
            body["attacked"] = [row.as_json() for row in self.attacked]
        return body


def newest_snapshot(settings: Settings) -> Path:
    """The folder of the snapshot that was frozen (or used) last. Raises NotFoundError where there is none."""
    root = settings.data / "snapshots"
    folders = [path for path in root.iterdir() if (path / "manifest.json").is_file()] if root.is_dir() else []
    if not folders:
        raise NotFoundError("There is no snapshot to measure on", value=root, remedy="Run: frontdesk retrain")
    return max(folders, key=lambda path: path.stat().st_mtime)


def measure_release(
    database: Database,
    settings: Settings,
    *,
    release_id: str | None = None,
    questions: Path | None = None,
    conversations: Path | None = None,
    attacks: Path | None = None,
    options: SiteOptions | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> ReleaseFigures:
    """The figures of ``release_id``, by default the live release.

    ``questions``: a file of test questions (chatbot/learning/questions.py) to put to the whole assistant as well, under
    the site's ``options``; ``conversations``: one of test conversations (chatbot/learning/conversations_played.py);
    ``attacks``: one of adversarial questions (chatbot/learning/adversarial.py), put in the mode that allows most.

    Raises UnavailableError where nothing is live, NotFoundError for an unknown release or without a snapshot,
    BundleError where the release's files are damaged.
    """
    tell = progress or (lambda stage, share: None)
    if release_id is None:
        with database.read() as session:
            release_id = live_release_id(session)
        if release_id is None:
            raise UnavailableError("No release is live yet", remedy="Make one with: frontdesk retrain")
    get_release(database, release_id)
    adversarial = load_attacks(attacks) if attacks is not None else []  # a bad file is said before the work
    tell("load", 0.0)
    snapshot = load_snapshot(newest_snapshot(settings))
    parts = load_parts(settings, release_id, snapshot=snapshot)
    options = options or SiteOptions()
    found = evaluate(
        snapshot,
        classifier=parts.classifier,
        search=parts.search,
        sureness=options.sureness,
        progress=lambda share: tell("evaluate", share),
    )
    asked: tuple[Asked, ...] = ()
    played: tuple[Played, ...] = ()
    attacked: tuple[Attacked, ...] = ()
    if questions is None and conversations is None and not adversarial:
        return ReleaseFigures(release_id, snapshot.manifest.fingerprint, found)
    assistant = load_assistant(database, settings, release_id)
    if conversations is not None:
        played = tuple(
            play(
                assistant,
                load_conversations(conversations),
                options,
                progress=lambda share: tell("conversations", share),
            )
        )
    if questions is not None:
        asked = tuple(
            ask_all(
                assistant, load_questions(questions), options, progress=lambda share: tell("questions", share)
            )
        )
    if adversarial:
        attacked = tuple(
            attack_all(assistant, adversarial, options, progress=lambda share: tell("adversarial", share))
        )
    return ReleaseFigures(release_id, snapshot.manifest.fingerprint, found, asked, played, attacked)
