import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from sqlalchemy import delete, update

from chatbot.learning import index_check
from chatbot.records.database import Database
from chatbot.records.knowledge import ArticleDraft, PassageDraft, put_article
from chatbot.records.tables import KnowledgeClock, Passage, Table
from chatbot.retrieval.search import Searcher
from chatbot.retrieval.terms import terms


class Words:
    fingerprint, dimension, languages = "words", 32, ()
    encoded = 0

    def encode(self, texts):
        type(self).encoded += len(texts)
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            for term in terms(text):
                seed = sum(term.encode()) * 31 + len(term)
                rows[row] += np.random.default_rng(seed).standard_normal(self.dimension)
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


@pytest.fixture
def place(tmp_path, monkeypatch):
    encoders = {"*": Words()}
    monkeypatch.setattr(index_check, "_encoders", lambda database, settings, release: ("r1", encoders))
    database = Database(f"sqlite:///{tmp_path}/k.db")
    Table.metadata.create_all(database.engine)
    with database.write() as session:
        session.add(KnowledgeClock(id=1, revision=0))
    for number in range(5):
        write(database, number)
    yield SimpleNamespace(
        database=database,
        settings=SimpleNamespace(data=tmp_path),
        encoders=encoders,
        index=tmp_path / "index",
    )
    database.dispose()


def write(database, number, text="Text"):
    with database.write() as session:
        draft = ArticleDraft(
            f"a{number}", "en", f"Topic {number}", "", (PassageDraft("T", f"{text} {number}."),)
        )
        put_article(session, draft)


def check(place, **options):
    return index_check.check_index(place.database, place.settings, **options)


def test_without_a_snapshot_nothing_is_wrong_and_nothing_is_there(place):
    report = check(place)
    assert report.sound and report.snapshot is None and report.passages == 5


def test_what_the_log_tells_is_made_up_for_and_what_it_does_not_tell_is_named(place):
    index_check.prepare_index(place.database, place.settings, "r1")
    write(place.database, 7)
    assert (check(place).sound, check(place).followed) == (True, 1)
    with place.database.write() as session:
        session.execute(update(Passage).where(Passage.id == 2).values(text="Changed by hand."))
        session.execute(delete(Passage).where(Passage.id == 3))
    report = check(place)
    assert (report.lacking, report.gone, report.sound) == (("passage 2",), ("passage 3",), False)


def test_a_repair_mends_the_index_on_disk_and_in_every_process(place):
    index_check.prepare_index(place.database, place.settings, "r1")
    running = Searcher.open(place.database, place.encoders, index=place.index)
    with place.database.write() as session:
        session.execute(update(Passage).where(Passage.id == 2).values(text="Changed by hand."))
    running.refresh()
    assert len(running.check()) == 1  # nothing told it
    assert check(place, repair=True).repaired
    running.refresh()
    assert not running.check()
    assert check(place).sound


def test_vectors_that_are_not_what_the_encoder_says_are_found_and_made_anew(place):
    index_check.prepare_index(place.database, place.settings, "r1")
    broken = Searcher.stored(place.database, place.encoders, index=place.index)
    broken.part("en").texts.add([2], np.eye(1, 32, dtype=np.float32))
    broken.save()
    assert check(place).wrong_vectors == (2,)
    assert check(place, repair=True).repaired
    assert check(place).sound


@pytest.mark.parametrize("name", ["en/title.words.npz", "en/entries.npz", "en/articles.npz", "meta.json", ""])
def test_a_snapshot_that_cannot_be_read_is_named_and_written_anew(place, name):
    index_check.prepare_index(place.database, place.settings, "r1")
    (latest,) = place.index.glob("*/latest")
    snapshot = latest.parent / latest.read_text()
    if name:
        file = snapshot / name
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    else:
        shutil.rmtree(snapshot)
    report = check(place)
    assert (report.sound, report.snapshot) == (False, None)
    assert report.damaged == (f"{snapshot.name}/en" if name.startswith("en") else snapshot.name,)
    encoded = Words.encoded
    assert check(place, repair=True, sample=0).repaired
    assert Words.encoded == encoded  # the stored vectors are whole and are kept
    assert check(place).sound and check(place).snapshot is not None


def test_a_process_starts_beside_a_damaged_snapshot(place):
    index_check.prepare_index(place.database, place.settings, "r1")
    (words,) = place.index.glob("*/s*/en/title.words.npz")
    words.write_bytes(b"")
    assert len(Searcher.open(place.database, place.encoders, index=place.index)) == 5


def test_a_release_is_prepared_once(place):
    told = []
    index_check.prepare_index(
        place.database, place.settings, "r1", progress=lambda stage, share: told.append(share)
    )
    assert told[-1] == 1.0
    before = Words.encoded
    assert index_check.prepare_index(place.database, place.settings, "r1") == 5
    Searcher.open(place.database, place.encoders, index=place.index)
    assert Words.encoded == before
