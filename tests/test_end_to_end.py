"""The main job in small: files in, a trained release out, answers of every kind, without torch where it serves."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from chatbot.errors import BundleError, ConflictError, TrainingError
from chatbot.learning.bundles import read_manifest, verify
from chatbot.learning.loading import load_assistant
from chatbot.learning.releases import get_release, list_releases, live_release_id, promote, rollback
from chatbot.learning.retraining import export_snapshot, import_bundle, retrain
from chatbot.records import schema
from chatbot.records.database import Database
from chatbot.settings import Settings
from ingest.importing import import_articles, import_intents, import_transcripts

TOPICS = {
    "refund_time": ("How long does a refund take?", "A refund is sent back within 3 working days."),
    "cancel_order": ("How do I cancel an order?", "An order can be cancelled within 2 hours of payment."),
    "shop_hours": ("When is the shop open?", "The shop in Rotterdam is open from 9:00 to 18:00."),
    "descale": (
        "How do I descale the machine?",
        "Descale the machine every 200 cups with 100 ml of descaler.",
    ),
}
ASKED = {
    "refund_time": ("refund", "my money back", "the repayment"),
    "cancel_order": ("cancel my order", "call off the purchase", "stop the order"),
    "shop_hours": ("opening hours of the shop", "when the store opens", "shop times"),
    "descale": ("descale the machine", "remove limescale", "descaling programme"),
}
FRAMES = (
    "I would like to know about {}",
    "question about {} please",
    "can you tell me about {}",
    "{}, how does it work?",
    "hi, {}",
    "need help with {}",
    "what about {}",
    "please explain {}",
)
CHINESE = {
    "refund_time": ("退款多久到账？", "退款会在 3 个工作日内退回。"),
    "cancel_order": ("怎样取消订单？", "付款后 2 小时内可以取消订单。"),
}
SERVE = """
import json, sys
from chatbot.dialogue.options import SiteOptions
from chatbot.learning.loading import load_assistant
from chatbot.learning.releases import live_release_id
from chatbot.records.database import Database
from chatbot.settings import Settings
settings = Settings(data=sys.argv[1])
database = Database(settings.database)
with database.read() as session:
    assistant = load_assistant(database, settings, live_release_id(session))
options = SiteOptions(mode="generated_allowed", sureness=0.3, choice_floor=0.1)
kinds = {}
for text in json.loads(sys.argv[2]):
    reply, trace = assistant.reply(text, options=options)
    json.dumps([reply.as_json(), trace.as_json()])
    kinds[text] = reply.kind
loaded = [name for name in ("torch", "sentence_transformers", "transformers") if name in sys.modules]
print(json.dumps({"kinds": kinds, "loaded": loaded}))
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Settings and database of a company with four topics, its bot trained in some seconds."""
    folder = tmp_path_factory.mktemp("company")
    settings = Settings(data=folder / "var", encoder="domain", training_threads=2)
    database = Database(settings.database)
    schema.upgrade(database)
    articles, intents = folder / "articles", folder / "intents.yaml"
    articles.mkdir()
    for name, (title, text) in TOPICS.items():
        slug = name.replace("_", "-")
        (articles / f"{slug}.md").write_text(
            f"---\nslug: {slug}\nlang: en\ntitle: {json.dumps(title)}\n---\n{text}\n", encoding="utf-8"
        )
    for name, (title, text) in CHINESE.items():
        slug = name.replace("_", "-")
        (articles / f"{slug}.zh.md").write_text(
            f"---\nslug: {slug}\nlang: zh\ntitle: {title}\n---\n{text}\n", encoding="utf-8"
        )
    rows = [
        {
            "name": name,
            "title_en": title,
            "article": name.replace("_", "-"),
            "approved": {"en": "You can cancel within 2 hours."} if name == "cancel_order" else None,
        }
        for name, (title, _) in TOPICS.items()
    ]
    intents.write_text(json.dumps(rows), encoding="utf-8")
    export = folder / "export.jsonl"
    with export.open("w", encoding="utf-8") as file:
        for name, wordings in ASKED.items():
            for i, frame in enumerate(FRAMES):
                for wording in wordings:
                    turns = [
                        {"role": "customer", "text": frame.format(wording)},
                        {"role": "agent", "text": TOPICS[name][1]},
                    ]
                    row = {"id": f"{name}-{i}-{wording}", "intent": name, "lang": "en", "turns": turns}
                    file.write(json.dumps(row) + "\n")
    import_articles(database, [articles])
    import_intents(database, [intents])
    import_transcripts(database, [export])
    outcome = retrain(database, settings, device="cpu", budget_seconds=15)
    return settings, database, outcome


def test_a_company_s_files_become_a_live_release(trained):
    _, database, outcome = trained
    assert outcome.status == "promoted", outcome.reason
    with database.read() as session:
        assert live_release_id(session) == outcome.release_id
    assert get_release(database, outcome.release_id).live
    assert {"classifier", "generator"} <= outcome.seconds.keys()
    assert "en" in outcome.metrics["writing"]  # drafts for held-back questions were judged


def test_it_answers_and_refuses_without_torch_in_the_process(trained):
    settings, _, _ = trained
    texts = [
        "can you tell me about cancel my order",
        "please explain opening hours of the shop",
        "thanks!",
        "👋👋",
    ]
    texts += ["I want to talk to a human", "qwkjh zxcv 98723"]
    done = subprocess.run(
        [sys.executable, "-c", SERVE, str(settings.data), json.dumps(texts)],
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    assert said["loaded"] == []
    kinds = said["kinds"]
    assert kinds[texts[0]] == "approved"
    assert kinds[texts[1]] in ("passage", "generated")
    assert [kinds[text] for text in texts[2:]] == ["smalltalk", "unknown", "person", "unknown"]


def test_the_same_data_is_not_trained_again(trained):
    settings, database, outcome = trained
    again = retrain(database, settings, device="cpu", budget_seconds=15)
    assert (again.status, again.release_id) == ("unchanged", outcome.release_id)


def test_a_deleted_article_cannot_be_cited_by_a_loaded_assistant(trained):
    from sqlalchemy import select

    from chatbot.dialogue.options import SiteOptions
    from chatbot.records.knowledge import set_article_status
    from chatbot.records.tables import Article

    settings, database, outcome = trained
    assistant = load_assistant(database, settings, outcome.release_id)
    options = SiteOptions(sureness=0.3, choice_floor=0.1)
    assert assistant.reply("please explain opening hours of the shop", options=options)[0].kind == "passage"
    for status in ("off", "live"):
        with database.write() as session:
            article = session.scalars(select(Article).where(Article.slug == "shop-hours")).one()
            set_article_status(session, article, status)
        reply, _ = assistant.reply("please explain opening hours of the shop", options=options)
        assert (TOPICS["shop_hours"][1] in reply.text) == (status == "live")


def test_releases_are_listed_and_only_what_exists_is_promoted(trained):
    settings, database, outcome = trained
    assert [row.id for row in list_releases(database)] == [outcome.release_id]
    with pytest.raises(ConflictError, match="live already"):
        promote(database, settings, outcome.release_id, reason="again")
    with pytest.raises(ConflictError, match="no earlier release"):
        rollback(database, settings)


def test_a_bundle_trained_elsewhere_is_taken_in_through_the_gate(trained, tmp_path):
    settings, database, outcome = trained
    manifest = export_snapshot(database, settings, tmp_path / "snapshot")
    assert (tmp_path / "snapshot" / "examples.jsonl").is_file()
    with pytest.raises(ConflictError):
        export_snapshot(database, settings, tmp_path / "snapshot")
    bundle = tmp_path / "bundle"
    shutil.copytree(settings.releases / outcome.release_id, bundle)
    assert read_manifest(bundle).snapshot == manifest.fingerprint
    taken = import_bundle(database, settings, bundle)
    assert taken.release_id != outcome.release_id
    assert taken.status == "candidate"  # equal, but 32 frozen examples decide nothing
    assert "too few" in taken.reason
    card = (settings.releases / taken.release_id / "model-card.html").read_text("utf-8")
    assert card.count("<svg") >= 3
    assert outcome.release_id in card
    verify(settings.releases / taken.release_id)

    (bundle / "classifier" / "config.json").write_text("{}")
    with pytest.raises(BundleError, match="changed"):
        import_bundle(database, settings, bundle)


def test_what_a_killed_training_left_is_swept_away_the_next_day(tmp_path):
    import os

    from chatbot.learning.retraining import KEPT_WORK_SECONDS, _swept

    old, running = tmp_path / "training-old", tmp_path / "training-running"
    for folder in (old, running):
        folder.mkdir()
        (folder / "weights.part").write_text("half")
    os.utime(old, (0, old.stat().st_mtime - KEPT_WORK_SECONDS - 60))
    _swept(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["training-running"]


def test_an_empty_database_is_told_what_is_missing(tmp_path):
    settings = Settings(data=tmp_path)
    database = Database(settings.database)
    schema.upgrade(database)
    with pytest.raises(TrainingError, match="nothing to train on"):
        retrain(database, settings)
