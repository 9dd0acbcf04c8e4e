"""The run behind ``frontdesk retrain``, its training and its measuring played by stand-ins."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from chatbot.errors import BundleError
from chatbot.learning import releases, retraining, training_process
from chatbot.learning.bundles import MANIFEST, Manifest, seal
from chatbot.learning.gate import Outcome as Example
from chatbot.learning.harvest import freeze
from chatbot.learning.releases import live_release_id
from chatbot.learning.retraining import ASKED_FOR, RECIPE_FILE, _decide, retrain
from chatbot.learning.snapshot import load_snapshot
from chatbot.learning.training_process import _told, train_apart
from chatbot.learning.writing import WRITING, Drafted, passed_in
from chatbot.records.database import Database
from chatbot.records.provisional import create_provisional
from chatbot.records.tables import Intent, Promotion, Release
from chatbot.settings import Settings


@dataclass
class Measured:
    outcomes: list[Example]
    drafted: tuple[Drafted, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {}


SNAPSHOT: Any = SimpleNamespace(
    manifest=SimpleNamespace(fingerprint="abcd", counts={}, intents=[]), passages=[1], dialogues=[], pairs=[]
)


def put_live(database: Database, release_id: str) -> None:
    with database.write() as session:
        if session.get(Release, release_id) is None:
            session.add(Release(id=release_id, status="promoted", snapshot="abcd"))
            session.flush()
        session.add(Promotion(release_id=release_id, reason="test"))


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The releases that were measured, each as good as the other."""
    seen: list[str] = []

    def evaluate(settings: Settings, snapshot: Any, release_id: str, progress: Any) -> Measured:
        seen.append(release_id)
        return Measured([Example("a", True, False, True)] * 400)

    monkeypatch.setattr(retraining, "_evaluate", evaluate)
    for name in ("write_card", "gather", "prepare_index"):
        monkeypatch.setattr(retraining, name, lambda *_, **__: None)
    monkeypatch.setattr(retraining, "skipped_parts", lambda folder: {})
    return seen


def decide(
    database: Database, settings: Settings, parity: dict[str, Any] | None = None
) -> retraining.Outcome:
    return _decide(
        database,
        settings,
        SNAPSHOT,
        Manifest("new", "t", "abcd", 13, ("en",), parity=parity or {}),
        None,
        lambda stage, share: None,
    )


def test_a_candidate_is_held_against_what_is_live_when_its_training_ends(
    database: Database, settings: Settings, measured: list[str]
) -> None:
    put_live(database, "old")
    put_live(database, "promoted-during-the-training")
    assert decide(database, settings).status == "promoted"
    assert measured == ["new", "promoted-during-the-training"]
    with database.read() as session:
        assert live_release_id(session) == "new"
        assert session.get_one(Release, "new").parent_id == "promoted-during-the-training"


def test_a_candidate_that_does_not_serve_what_was_trained_waits_for_a_person(
    database: Database, settings: Settings, measured: list[str]
) -> None:
    put_live(database, "old")
    found = decide(
        database, settings, {"accurate": {"n": 900, "same_top": 0.99, "largest_confidence_gap": 0.01}}
    )
    assert found.status == "candidate"
    assert "agree on 99.00% of 900 messages" in found.reason
    with database.read() as session:
        assert live_release_id(session) == "old"


def test_a_release_that_goes_live_while_the_candidate_is_measured_is_not_pushed_aside(
    database: Database, settings: Settings, measured: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put_live(database, "old")
    monkeypatch.setattr(
        retraining, "prepare_index", lambda *_, **__: put_live(database, "promoted-while-measuring")
    )
    found = decide(database, settings)
    assert found.status == "candidate" and "another release went live" in found.reason
    with database.read() as session:
        assert live_release_id(session) == "promoted-while-measuring"
        row = session.get_one(Release, "new")
        assert (row.status, row.reason) == ("candidate", found.reason)
        assert session.scalars(select(Promotion.release_id)).all() == ["old", "promoted-while-measuring"]


def test_a_damaged_live_release_stands_in_nobodys_way(
    database: Database, settings: Settings, measured: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers nobody: the candidate goes live, and it is said why there was no comparison."""
    put_live(database, "old")
    evaluate = retraining._evaluate

    def only_the_candidate(settings: Settings, snapshot: Any, release_id: str, progress: Any) -> Any:
        if release_id == "old":
            raise BundleError("A file of the bundle was changed or damaged", value="intent/model.onnx")
        return evaluate(settings, snapshot, release_id, progress)

    monkeypatch.setattr(retraining, "_evaluate", only_the_candidate)
    found = decide(database, settings)
    assert found.status == "promoted"
    assert "cannot answer" in found.reason and "intent/model.onnx" in found.reason
    with database.read() as session:
        assert live_release_id(session) == "new"
        assert session.get_one(Release, "new").reason == found.reason


def test_a_release_keeps_whether_its_generator_may_write_held_against_the_live_one(
    database: Database, settings: Settings, measured: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put_live(database, "old")
    sound, none = Drafted("en", True, True), Drafted("en", False, False)
    drafted = {"new": (sound,) * 45 + (none,) * 15, "old": (sound,) * 60}
    monkeypatch.setattr(
        retraining, "_evaluate", lambda settings, snapshot, release, progress: Measured([], drafted[release])
    )
    decide(database, settings)
    with database.read() as session:
        metrics = session.get_one(Release, "new").metrics
    assert passed_in(metrics) == frozenset()
    assert "the live release for 100 %" in metrics[WRITING]["en"]["reason"]


class Begun(Exception):
    """A training would have begun."""


def test_the_same_again_is_not_trained_and_whatever_else_is_asked_for_is(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    budgets: list[float] = []

    def train(*_: Any, budget: float, **__: Any) -> None:
        budgets.append(budget)
        raise Begun

    def again(settings: Settings = settings, **options: Any) -> str:
        try:
            return retrain(database, settings, **options).status
        except Begun:
            return "begun"

    monkeypatch.setattr(retraining, "_freeze", lambda *_: Path("nowhere"))
    monkeypatch.setattr(retraining, "load_snapshot", lambda folder: SNAPSHOT)
    monkeypatch.setattr(retraining, "publish_questions", lambda *_: None)
    monkeypatch.setattr(retraining, "train_apart", train)
    monkeypatch.setattr(retraining, "_clock", lambda: 0.0)
    asked = retraining._asked_for(settings, settings.training_budget)
    folder = settings.releases / "r1"
    folder.mkdir(parents=True)
    seal(folder, Manifest("r1", "t", "abcd", 13, ("en",), metrics={ASKED_FOR: asked}))
    put_live(database, "r1")

    assert again() == "unchanged"
    assert again(force=True) == again(seed=14) == again(budget_seconds=60) == "begun"
    assert budgets == [0.9 * settings.training_budget, 0.9 * settings.training_budget, 54]
    assert again(settings.model_copy(update={"encoder": "another/encoder"})) == "begun"
    (settings.data / RECIPE_FILE).write_text('{"learning_rate": 0.1}')  # what `frontdesk tune` leaves
    assert again() == "begun"

    (settings.data / RECIPE_FILE).unlink()
    assert again() == "unchanged"
    (folder / "stray").write_bytes(b"x")  # the bundle is not what was sealed
    assert again() == "begun"
    (folder / "stray").unlink()
    (folder / MANIFEST).unlink()
    assert again() == "begun"


def sealed(settings: Settings, release_id: str) -> Path:
    folder = settings.releases / release_id
    folder.mkdir(parents=True)
    (folder / "weights").write_bytes(b"x")
    seal(folder, Manifest(release_id, "t", "abcd", 13, ("en",)))
    return folder


def test_a_damaged_release_is_not_learnt_on_from(settings: Settings) -> None:
    folder = sealed(settings, "r1")
    assert retraining._whole(settings, "r1") == folder
    (folder / "weights").write_bytes(b"y")
    assert retraining._whole(settings, "r1") is None


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, database: Database) -> list[dict[str, Path | None]]:
    """What the training was given to begin with; the live release r1 knows the intents a to d."""
    given: list[dict[str, Path | None]] = []

    def train(*_: Any, start: Path | None, generator_start: Path | None, **__: Any) -> None:
        given.append({"classifier": start, "generator": generator_start})

    made = retraining.Outcome("new", "candidate", "")
    for name, value in {
        "_freeze": Path("nowhere"),
        "publish_questions": None,
        "_finish_bundle": None,
        "_decide": made,
    }.items():
        monkeypatch.setattr(retraining, name, lambda *_, value=value, **__: value)
    monkeypatch.setattr(retraining, "train_apart", train)
    monkeypatch.setattr(retraining, "labels_in", lambda bundle: ("a", "b", "c", "d"))
    with database.write() as session:
        session.add(Release(id="new", snapshot="abcd"))
    put_live(database, "r1")
    return given


@pytest.mark.parametrize(("intents", "classifier"), [("abcde", True), ("abcd", False), ("vwxyz", False)])
def test_asked_to_learn_on_the_generator_does_and_a_classifier_from_scratch_is_said(
    database: Database,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    started: list[dict[str, Path | None]],
    intents: str,
    classifier: bool,
) -> None:
    folder = sealed(settings, "r1")
    examples = [{"split": "train", "intent": name} for name in intents]
    snapshot = SimpleNamespace(**{**vars(SNAPSHOT), "examples": examples})
    monkeypatch.setattr(retraining, "load_snapshot", lambda folder: snapshot)
    skipped = retrain(database, settings, warm=True, force=True).skipped
    assert skipped == ({} if classifier else {"learning on": retraining.FROM_SCRATCH})
    assert started == [{"classifier": folder if classifier else None, "generator": folder}]
    assert retrain(database, settings, force=True).skipped == {}
    assert started[-1] == {"classifier": None, "generator": None}


def test_another_bundle_can_be_learnt_on_from_where_nothing_has_changed(
    database: Database,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    started: list[dict[str, Path | None]],
) -> None:
    sealed(settings, "r1")
    given = sealed(settings, "elsewhere")
    snapshot = SimpleNamespace(**{**vars(SNAPSHOT), "examples": [{"split": "train", "intent": "a"}]})
    monkeypatch.setattr(retraining, "load_snapshot", lambda folder: snapshot)
    monkeypatch.setattr(retraining, "_same", lambda *_: True)
    assert retrain(database, settings).status == "unchanged"
    retrain(database, settings, start=given)
    assert started == [{"classifier": None, "generator": given}]
    (given / "weights").write_bytes(b"y")
    with pytest.raises(BundleError):
        retrain(database, settings, start=given)


def test_what_a_library_prints_is_no_progress_even_where_it_reads_as_json() -> None:
    heard: list[str] = []
    for line in ("warning: slow", "3", '"stage"', "[1, 2]", "null", ""):
        assert _told(line, lambda stage, share: heard.append(stage)) == {}
    assert heard == []
    assert _told('{"error": {"message": "m"}}', lambda stage, share: None) == {"message": "m"}


def test_a_training_that_is_called_off_is_told_to_end_before_it_is_killed(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """torchrun ends its processes when it is told to; killed, it leaves them behind."""
    program = tmp_path / "python"
    program.write_text(
        f"#!/bin/sh\ntrap 'echo ended > {tmp_path}/ended; exit 1' TERM\n"
        'echo \'{"stage": "classifier", "progress": 0.1}\'\nwhile :; do sleep 0.05; done\n'
    )
    program.chmod(0o755)
    monkeypatch.setattr(training_process.sys, "executable", str(program))

    def called_off(stage: str, share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_apart(tmp_path, tmp_path / "out", settings, device="cpu", seed=1, budget=0, tell=called_off)
    assert (tmp_path / "ended").read_text() == "ended\n"


GIFT = [
    "do you sell gift cards",
    "can i buy a gift card here",
    "gift card for a friend",
    "where do i get gift cards",
    "i would like a voucher as a present",
]


@pytest.mark.parametrize(
    ("parity", "decision", "status"),
    [
        ({}, "promoted", "live"),
        (
            {"accurate": {"n": 900, "same_top": 0.99, "largest_confidence_gap": 0.01}},
            "candidate",
            "provisional",
        ),
    ],
)
def test_a_provisional_intent_is_trained_on_and_live_only_with_the_release_that_learnt_it(
    database: Database,
    settings: Settings,
    measured: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    parity: dict[str, Any],
    decision: str,
    status: str,
) -> None:
    put_live(database, "old")
    with database.write() as session:
        create_provisional(session, "gift_card", examples=GIFT, answers={"en": "At every till."})
    with database.read() as session:
        freeze(session, tmp_path / "snapshot")
    snapshot = load_snapshot(tmp_path / "snapshot")
    learned = [
        row["text"] for row in snapshot.examples if row["intent"] == "gift_card" and row["split"] == "train"
    ]
    assert sorted(learned) == sorted(GIFT)
    assert {"gift_card": "provisional"}.items() <= {
        one["name"]: one["status"] for one in snapshot.manifest.intents
    }.items()
    monkeypatch.setattr(
        releases, "labels_of", lambda settings, release: ("gift_card",) if release == "new" else ()
    )
    assert decide(database, settings, parity).status == decision
    with database.read() as session:
        assert session.scalars(select(Intent.status).where(Intent.name == "gift_card")).one() == status
