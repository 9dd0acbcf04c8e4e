"""What the search finds is tried out before a release is there."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from chatbot.errors import InputError
from chatbot.learning.search_trial import try_search
from chatbot.records.database import Database
from chatbot.records.knowledge import ArticleDraft, PassageDraft, put_article
from chatbot.records.passages import PassageForm, edit_passage
from chatbot.records.tables import KnowledgeClock, Passage, Table, utcnow

TEXTS = ("The parcel takes three days.", "Thirty days to send the parcel back.", "The shop opens at nine.")


@pytest.fixture
def place(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/k.db")
    Table.metadata.create_all(database.engine)
    with database.write() as session:
        session.add(KnowledgeClock(id=1, revision=0))
        for number, text in enumerate(TEXTS):
            put_article(
                session, ArticleDraft(f"a{number}", "en", f"T{number}", "", (PassageDraft("T", text),))
            )
    yield SimpleNamespace(database=database, settings=SimpleNamespace(data=tmp_path))
    database.dispose()


def found(place, text, **options):
    trial = try_search(place.database, place.settings, text, **options)
    return [hit.text for hit in trial.hits], [(hit.text, why) for hit, why in trial.withheld]


def dated(place, identity, **period):
    with place.database.write() as session:
        passage = session.get(Passage, identity)
        edit_passage(session, passage, PassageForm(passage.title_path, (passage.text,), "en", **period))


def test_before_a_release_words_find_passages_and_nothing_is_written(place, tmp_path):
    before = sorted(path.name for path in tmp_path.iterdir())
    trial = try_search(place.database, place.settings, "How many days does a parcel take?")
    assert trial.hits[0].text == TEXTS[0] and trial.hits[0].score > trial.hits[-1].score
    assert (trial.release, trial.lang, trial.dense, trial.withheld) == (None, "en", False, ())
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert found(place, "days parcel", k=1)[0] == [TEXTS[0]]
    assert found(place, "包裹要几天") == ([], [])


def test_what_may_not_be_quoted_is_found_apart_with_the_reason(place):
    with place.database.write() as session:
        session.get(Passage, 1).enabled = False
    dated(place, 2, valid_until=utcnow() - timedelta(days=1))
    dated(place, 3, valid_from=utcnow() + timedelta(days=1))
    hits, withheld = found(place, "days parcel shop opens nine")
    assert hits == []
    assert sorted(withheld) == sorted(zip(TEXTS, ("off", "over", "not yet"), strict=True))


@pytest.mark.parametrize(
    ("text", "options", "field"),
    [(" ", {}, "q"), ("x" * 2001, {}, "q"), ("days", {"k": 0}, "k"), ("days", {"lang": "e1"}, "lang")],
)
def test_what_cannot_be_asked_is_refused(place, text, options, field):
    with pytest.raises(InputError) as caught:
        try_search(place.database, place.settings, text, **options)
    assert caught.value.field == field
