"""From a document over its cut to the section that a question asks for, by words alone as before the first release."""

from types import SimpleNamespace

import pytest

from chatbot.learning.search_trial import try_search
from chatbot.records.database import Database
from chatbot.records.knowledge import put_article
from chatbot.records.tables import KnowledgeClock, Table
from ingest.articles.article import make_article

RENTAL = """## Deposit
{filler}
For each bicycle we block 150 euros on your card. The deposit is freed within two days.

## Punctures
{filler}
With a flat tyre call the workshop. A patch kit lies under the saddle.

## Helmets
{filler}
Helmets in three sizes are lent without charge.
"""
LOCKS = """## Forgotten code
{filler}
Error E-4012 on the lock means a wrong code. Ask for a new code in the app.

## Empty battery
{filler}
Hold a nine-volt battery against the contacts below the lock.
"""
FILLER = "This page was written for everyone who hires from us in town. " * 12


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sections")
    database = Database(f"sqlite:///{folder}/k.db")
    Table.metadata.create_all(database.engine)
    with database.write() as session:
        session.add(KnowledgeClock(id=1, revision=0))
        for title, body in (("Renting a bicycle", RENTAL), ("Locks", LOCKS)):
            draft = make_article(title=title, body=body.format(filler=FILLER), lang="en", source="t")
            put_article(session, draft)
    yield SimpleNamespace(database=database, settings=SimpleNamespace(data=folder))
    database.dispose()


@pytest.mark.parametrize(
    ("question", "section"),
    [
        ("how much deposit do you block on my card", "Renting a bicycle › Deposit"),
        ("I have a flat tyre", "Renting a bicycle › Punctures"),
        ("are helmets without charge?", "Renting a bicycle › Helmets"),
        ("E-4012", "Locks › Forgotten code"),
        ("the battery of the lock is empty", "Locks › Empty battery"),
    ],
)
def test_a_question_finds_its_section(place, question, section):
    assert try_search(place.database, place.settings, question, lang="en").hits[0].title_path == section
