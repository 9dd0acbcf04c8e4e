import sqlite3

import numpy as np

from chatbot.records.database import Database
from chatbot.records.knowledge import ArticleDraft, PassageDraft, put_article
from chatbot.records.tables import KnowledgeClock, Table
from chatbot.retrieval.embeddings import BATCH, KEEP_DAYS, EmbeddingCache
from chatbot.retrieval.search import Searcher


def test_a_text_is_encoded_once(tmp_path, encoder):
    cache = EmbeddingCache(tmp_path, "words", 48)
    first = cache.vectors(["a cat", "a dog", "a cat"], encoder.encode)
    again = EmbeddingCache(tmp_path, "words", 48).vectors(["a dog", "a cow"], encoder.encode)
    assert encoder.encoded == 3
    assert np.allclose(first, encoder.encode(["a cat", "a dog", "a cat"]), atol=1e-3)
    assert np.array_equal(first[1], again[0])
    assert cache.missing(["a cat", "a horse", "a horse"]) == 1


def test_encoders_do_not_share_their_vectors(tmp_path, encoder):
    EmbeddingCache(tmp_path, "one", 48).vectors(["a cat"], encoder.encode)
    assert EmbeddingCache(tmp_path, "two", 48).missing(["a cat"]) == 1


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path, encoder):
    texts = [f"text {number}" for number in range(BATCH + 5)]

    def stops(batch):
        if len(batch) < BATCH:
            raise KeyboardInterrupt
        return encoder.encode(batch)

    cache = EmbeddingCache(tmp_path, "words", 48)
    try:
        cache.vectors(texts, stops)
    except KeyboardInterrupt:
        assert cache.missing(texts) == 5
    told = []
    cache.vectors(texts, encoder.encode, progress=told.append)
    assert told == [BATCH, BATCH + 5]


def test_a_damaged_or_foreign_store_costs_nothing_but_time(tmp_path, encoder):
    (tmp_path / "words-48.db").write_bytes(b"no database" * 500)
    cache = EmbeddingCache(tmp_path, "words", 48)
    assert np.allclose(cache.vectors(["a cat"], encoder.encode), encoder.encode(["a cat"]), atol=1e-3)
    cache.vectors(["a cat"], encoder.encode)
    with sqlite3.connect(tmp_path / "words-48.db") as store:
        store.execute("UPDATE vectors SET vector = x'00'")
    store.close()
    assert np.allclose(cache.vectors(["a cat"], encoder.encode), encoder.encode(["a cat"]), atol=1e-3)


def test_what_nobody_asks_for_is_forgotten(tmp_path, encoder):
    now = [1e9]
    cache = EmbeddingCache(tmp_path, "words", 48, clock=lambda: now[0])
    cache.vectors(["old", "used"], encoder.encode)
    now[0] += 86_400 * (KEEP_DAYS - 1)
    cache.vectors(["used"], encoder.encode)
    now[0] += 86_400 * 2
    cache.prune()
    assert cache.missing(["old", "used"]) == 1


def test_a_process_without_a_snapshot_finds_the_vectors(tmp_path, encoder):
    database = Database(f"sqlite:///{tmp_path}/k.db")
    Table.metadata.create_all(database.engine)
    with database.write() as session:
        session.add(KnowledgeClock(id=1, revision=0))
        put_article(session, ArticleDraft("a", "en", "A", "", (PassageDraft("A", "Send it back."),)))
    Searcher.open(database, {"*": encoder}, index=tmp_path / "index")
    before = encoder.encoded
    again = Searcher.open(database, {"*": encoder}, index=tmp_path / "index")
    assert len(again) == 1 and encoder.encoded == before
    assert again.search("Send it back", lang="en")[0].text == "Send it back."
    database.dispose()
