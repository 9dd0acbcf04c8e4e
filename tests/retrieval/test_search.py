import numpy as np
import pytest
from sqlalchemy import update

from chatbot.dialogue.trace import Message
from chatbot.errors import UnavailableError
from chatbot.records.database import Database
from chatbot.records.tables import (
    Article,
    ArticleQuestion,
    KnowledgeChange,
    KnowledgeClock,
    Passage,
    Table,
    utcnow,
)
from chatbot.retrieval.knowledge import ListedKnowledge, PassageEntry, QuestionEntry
from chatbot.retrieval.search import NoEncoder, Searcher

PASSAGES = [
    PassageEntry(1, 10, "en", "Returns", "Send an item back within 30 days of delivery."),
    PassageEntry(
        2, 10, "en", "Returns › Refunds", "Money arrives three working days after the item reaches us."
    ),
    PassageEntry(
        3, 11, "en", "Delivery", "Parcels to Germany take two days, parcels to Canada take nine days."
    ),
    PassageEntry(4, 12, "en", "Error E-4012", "The battery is too cold. Warm the device."),
    PassageEntry(5, 20, "zh", "退货", "收到商品后三十天内可以退货。"),
    PassageEntry(6, 21, "zh", "配送", "寄往加拿大的包裹需要九天。"),
]


@pytest.fixture
def searcher(encoder):
    searcher = Searcher({"*": encoder}, knowledge=ListedKnowledge(PASSAGES))
    searcher.put(PASSAGES)
    return searcher


def found(hits):
    return [hit.passage_id for hit in hits]


def test_the_right_passage_comes_first_in_each_language(searcher):
    assert found(searcher.search("How do I send an item back?", lang="en"))[0] == 1
    assert found(searcher.search("我想退货", lang="zh"))[0] == 5
    assert all(hit.lang == "zh" for hit in searcher.search("我想退货", lang="zh"))


def test_an_article_is_listed_once_with_its_best_passage(searcher):
    hits = searcher.search("refunds: when does the money arrive for returns", lang="en")
    assert found(hits)[0] == 2
    assert len({hit.article_id for hit in hits}) == len(hits)


def test_an_identifier_is_found_however_it_is_typed(searcher):
    assert found(searcher.search("what does e4012 mean", lang="en"))[0] == 4


def test_scores_fall_and_are_probabilities(searcher):
    scores = [hit.score for hit in searcher.search("parcel to Canada", lang="en")]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


def test_a_fitting_passage_scores_higher_than_the_best_of_what_does_not_fit(searcher):
    fits = searcher.search("Send an item back within 30 days", lang="en")[0].score
    nothing = searcher.search("Who won the football match?", lang="en")[0].score
    assert fits > 0.5 > nothing


@pytest.mark.parametrize("text", ["", "  ", "🙂", "?!"])
def test_a_text_without_words_finds_nothing(searcher, text):
    assert searcher.search(text, lang="en") == []


def test_a_language_without_passages_finds_nothing(searcher):
    assert searcher.search("Wo ist mein Paket?", lang="de") == []


def test_a_question_in_another_language_finds_the_passages_in_it(encoder):
    passages = [
        *PASSAGES,
        PassageEntry(7, 30, "de", "Versand", "Der Versand kostet fünf Euro und dauert drei Tage."),
        PassageEntry(8, 31, "ja", "配送", "配送は三日かかります。"),
    ]
    searcher = Searcher({"*": encoder}, knowledge=ListedKnowledge(passages))
    searcher.put(passages)
    assert found(searcher.search("Wie viel kostet der Versand?", lang="en"))[0] == 7
    assert 7 not in found(searcher.search("How much is the shipping?", lang="en"))
    assert found(searcher.search("Versand", lang="de"))[0] == 7
    assert found(searcher.search("配送は何日かかりますか", lang="und"))[0] == 8
    assert found(searcher.search("배송은 며칠 걸려요?", lang="und")) == []


def test_where_all_is_in_one_other_language_every_question_is_searched_there(encoder):
    passages = [PassageEntry(7, 30, "de", "Versandkosten", "Der Versand kostet fünf Euro.")]
    searcher = Searcher({"*": encoder}, knowledge=ListedKnowledge(passages))
    searcher.put(passages)
    assert found(searcher.search("Versandkosten?", lang="en")) == [7]


@pytest.mark.parametrize("dense", [True, False])
def test_one_article_alone_answers_only_what_it_is_about(encoder, dense):
    searcher = Searcher({"*": encoder} if dense else {}, knowledge=ListedKnowledge(PASSAGES))
    searcher.put(PASSAGES[:1])
    (fitting,) = searcher.search("How do I send an item back within thirty days?", lang="en")
    (other,) = searcher.search("Will it rain tomorrow in Lisbon?", lang="en")
    assert other.score < 0.2 < fitting.score


def test_by_words_alone_what_shares_none_with_the_question_does_not_answer_it():
    searcher = Searcher({}, knowledge=ListedKnowledge(PASSAGES))
    searcher.put(PASSAGES)
    hits = searcher.search("Tomorrow's football?", lang="en")
    assert hits and {hit.score for hit in hits} == {0.0}


def test_a_question_counts_for_its_article(searcher):
    asked = "the gadget is frozen stiff"
    before = found(searcher.search(asked, lang="en"))
    searcher.put(questions=[QuestionEntry(1, 12, "en", "My gadget is frozen, what now?")])
    assert before[:1] != [4]
    assert found(searcher.search(asked, lang="en"))[0] == 4
    searcher.remove(questions=[1])
    assert found(searcher.search(asked, lang="en")) == before


def test_a_follow_up_is_searched_with_the_turns_before(searcher):
    history = [Message("customer", "How long do parcels to Germany take?"), Message("bot", "Two days.")]
    assert found(searcher.search("and there?", lang="en", history=history))[0] == 3


def test_an_encoder_is_not_used_for_a_language_it_was_not_trained_for(encoder):
    encoder.languages = ("en",)
    searcher = Searcher({"*": encoder}, knowledge=ListedKnowledge(PASSAGES))
    searcher.put(PASSAGES)
    assert isinstance(searcher.encoder("zh"), NoEncoder)
    assert found(searcher.search("我想退货", lang="zh"))[0] == 5
    assert searcher.search("我想退货", lang="zh")[0].dense_score == 0


def test_a_sentence_is_encoded_once_for_all_replies(encoder):
    asked = []

    class Counting:
        def __init__(self):
            self.fingerprint, self.dimension, self.languages = "counted", encoder.dimension, encoder.languages

        def encode(self, texts):
            asked.extend(texts)
            return encoder.encode(texts)

    searcher = Searcher({"*": Counting()}, knowledge=ListedKnowledge([]))
    once = searcher.encode(["Refunds take 5 days.", "The label is inside."], lang="en")
    again = searcher.encode(["The label is inside.", "Refunds take 5 days."], lang="en")
    assert asked == ["Refunds take 5 days.", "The label is inside."]
    assert np.array_equal(once, again[::-1])
    assert searcher.encode([], lang="en").shape == (0, encoder.dimension)


def test_a_passage_that_changes_its_language_moves(searcher):
    searcher.put([PassageEntry(6, 21, "en", "Shipping", "Parcels overseas")])
    assert 6 not in found(searcher.search("寄往加拿大的包裹", lang="zh"))
    assert len(searcher) == 6


def test_a_search_over_lists_follows_no_database(searcher):
    with pytest.raises(UnavailableError):
        searcher.refresh()


# --- following the conversation database


@pytest.fixture
def database(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/frontdesk.db")
    Table.metadata.create_all(database.engine)
    with database.write() as session:
        session.add(KnowledgeClock(id=1, revision=0))
    yield database
    database.dispose()


class Editor:
    """Writes knowledge as the records layer does: the clock first, then the rows, each change logged."""

    def __init__(self, database):
        self.database = database
        self.step = 0

    def change(self, *changes):
        """Each change: (entry, operation, row or id)."""
        with self.database.write() as session:
            clock = session.get(KnowledgeClock, 1)
            clock.revision += 1
            for entry, operation, row in changes:
                table = {"passage": Passage, "question": ArticleQuestion}[entry]
                if operation == "delete":
                    session.delete(session.get(table, row))
                    identity = row
                else:
                    identity = session.merge(row).id
                    session.flush()
                session.add(
                    KnowledgeChange(
                        revision=clock.revision, entry=entry, entry_id=identity, operation=operation
                    )
                )
            return clock.revision

    def article(self, identity, **values):
        with self.database.write() as session:
            values = {"slug": f"a{identity}", "lang": "en", "title": f"Title {identity}", "body": ""} | values
            session.merge(Article(id=identity, content_hash="", **values))


def passage(identity, article, text, **values):
    return Passage(
        id=identity, article_id=article, position=0, title_path=f"Path {article}", text=text, lang="en",
        content_hash="", **values
    )  # fmt: skip


@pytest.fixture
def editor(database):
    editor = Editor(database)
    editor.article(1, url="https://example.test/1")
    editor.article(2)
    editor.change(("passage", "upsert", passage(1, 1, "Send an item back within 30 days.")))
    editor.change(("passage", "upsert", passage(2, 2, "Parcels to Canada take nine days.")))
    return editor


@pytest.fixture
def following(database, editor, encoder):
    return Searcher.open(database, {"*": encoder})


def test_a_hit_carries_what_the_database_says_now(following, database):
    hit = following.search("send an item back", lang="en")[0]
    assert (hit.article_slug, hit.title, hit.url) == ("a1", "Title 1", "https://example.test/1")
    with database.write() as session:
        session.execute(update(Passage).where(Passage.id == 1).values(text="Edited a moment ago"))
    assert following.search("send an item back", lang="en")[0].text == "Edited a moment ago"


def test_how_many_passages_have_a_word_or_another_of_its_stem(following, editor):
    assert following.spread("parcel", lang="en") == 1
    editor.change(("passage", "upsert", passage(3, 2, "Parcel by parcel, parcels are sent.")))
    following.refresh()
    assert following.spread("parcels", lang="en") == 2
    assert following.spread("parcel", lang="fr") == following.spread("the", lang="en") == 0


def test_a_deleted_passage_never_appears_even_before_the_change_is_followed(following, editor):
    editor.change(("passage", "delete", 1))
    assert 1 not in found(following.search("send an item back", lang="en"))
    following.refresh()
    assert len(following) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"status": "off"},
        {"status": "draft"},
        {"valid_until": utcnow()},
        {"valid_from": utcnow().replace(year=2100)},
    ],
)
def test_an_article_out_of_use_never_appears(following, editor, values):
    editor.article(1, **values)
    assert 1 not in found(following.search("send an item back", lang="en"))


def test_adds_edits_and_questions_are_followed_without_encoding_the_rest_again(following, editor, encoder):
    before = encoder.encoded
    editor.change(
        ("passage", "upsert", passage(2, 2, "Gift cards never expire.")),
        ("passage", "upsert", passage(3, 2, "Vouchers last one year.")),
    )
    question = ArticleQuestion(
        id=1, article_id=1, text="bring it to the shop", lang="en", source="admin", content_hash="1"
    )
    revision = editor.change(("question", "upsert", question))
    following.refresh()
    assert following.revision == revision
    assert encoder.encoded == before + 5  # two passages of two texts, one question
    assert found(following.search("gift cards", lang="en"))[0] == 2
    assert found(following.search("how long do vouchers last", lang="en"))[0] == 3
    assert found(following.search("bring it to the shop", lang="en"))[0] == 1


def test_nothing_is_done_where_nothing_changed(following, encoder):
    before = encoder.encoded
    following.refresh()
    assert encoder.encoded == before


def test_a_log_that_was_cut_short_leads_to_a_whole_new_reading(following, editor, database):
    editor.change(("passage", "delete", 1))
    editor.change(("passage", "upsert", passage(3, 2, "Vouchers last one year.")))
    with database.write() as session:
        for row in session.query(KnowledgeChange).order_by(KnowledgeChange.id).limit(3):
            session.delete(row)
    following.refresh()
    assert len(following) == 2
    assert found(following.search("vouchers", lang="en"))[0] == 3


def test_a_database_restored_to_an_earlier_state_is_read_anew(following, editor, database):
    following.revision = 99
    following.refresh()
    assert following.revision == 2
    assert len(following) == 2


# --- snapshots, check and repair


def test_a_process_starts_from_the_snapshot_and_encodes_only_what_changed(
    database, editor, encoder, tmp_path, monkeypatch
):
    monkeypatch.setattr("chatbot.retrieval.search.SNAPSHOT_AFTER", 1)
    Searcher.open(database, {"*": encoder}, index=tmp_path / "index")
    editor.change(("passage", "upsert", passage(2, 2, "Gift cards never expire.")))
    editor.change(("passage", "delete", 1), ("passage", "upsert", passage(3, 1, "Bring it to a shop.")))
    before = encoder.encoded
    second = Searcher.open(database, {"*": encoder}, index=tmp_path / "index")
    assert encoder.encoded == before + 2  # two texts; their titles were encoded before
    assert second.part("en").passage_ids == {2, 3}
    assert found(second.search("gift cards", lang="en"))[0] == 2
    assert len(second.check()) == 0


def test_a_snapshot_of_another_database_leaves_nothing_behind(database, editor, encoder, tmp_path):
    searcher = Searcher.open(database, {"*": encoder}, index=tmp_path / "index")
    searcher.save()
    other = Database(f"sqlite:///{tmp_path}/other.db")
    Table.metadata.create_all(other.engine)
    with other.write() as session:
        session.add(KnowledgeClock(id=1, revision=0))
    writer = Editor(other)
    writer.article(1)
    for number in range(6):
        writer.change(("passage", "upsert", passage(2, 1, f"Edited {number} times, about umbrellas.")))
    taken = Searcher.open(other, {"*": encoder}, index=tmp_path / "index")
    assert taken.part("en").passage_ids == {2}
    assert "umbrellas" in taken.search("parcels to Canada", lang="en")[0].text
    other.dispose()


@pytest.mark.parametrize("damage", ["cut", "gone", "empty"])
def test_a_damaged_snapshot_is_made_up_for(database, editor, encoder, tmp_path, damage):
    Searcher.open(database, {"*": encoder}, index=tmp_path / "index").save()
    for path in (tmp_path / "index").rglob("text*"):
        if damage == "gone":
            path.unlink()
        else:
            path.write_bytes(path.read_bytes()[:30] if damage == "cut" else b"")
    searcher = Searcher.open(database, {"*": encoder}, index=tmp_path / "index")
    assert found(searcher.search("send an item back", lang="en"))[0] == 1


def test_another_encoder_has_a_snapshot_of_its_own(database, editor, encoder, tmp_path):
    Searcher.open(database, {"*": encoder}, index=tmp_path / "index").save()
    encoder.fingerprint = "other words"
    before = encoder.encoded
    Searcher.open(database, {"*": encoder}, index=tmp_path / "index")
    assert encoder.encoded == before + 4


def test_a_snapshot_that_fails_leaves_the_one_before(database, editor, encoder, tmp_path, monkeypatch):
    searcher = Searcher.open(database, {"*": encoder}, index=tmp_path / "index")
    first = searcher.save()
    monkeypatch.setattr("chatbot.retrieval.snapshots._flush", lambda path: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        searcher.save()
    monkeypatch.undo()
    assert [path.name for path in first.parent.iterdir() if path.is_dir()] == [first.name]
    before = encoder.encoded
    Searcher.open(database, {"*": encoder}, index=tmp_path / "index")
    assert encoder.encoded == before


def test_a_check_names_what_differs_and_a_repair_mends_it(following, editor):
    following.remove(passages=[1])
    following.put(
        [PassageEntry(2, 2, "en", "Path 2", "An old text"), PassageEntry(9, 2, "en", "Gone", "long ago")]
    )
    differences = following.check()
    assert [entry.id for entry in differences.passages] == [1, 2]
    assert differences.gone_passages == (9,)
    assert len(following.repair()) == 3
    assert len(following.check()) == 0
    assert found(following.search("send an item back", lang="en"))[0] == 1


def test_a_passage_that_is_no_longer_valid_hides_no_other_of_its_article(following, editor):
    old = passage(3, 1, "The debit card costs 5 pounds a year.", valid_until=utcnow())
    new = passage(4, 1, "From January on every customer pays 7 pounds yearly for the card.")
    expired = [
        (
            "passage",
            "upsert",
            passage(10 + i, 10 + i, "The debit card costs 4 pounds a year.", valid_until=utcnow()),
        )
        for i in range(12)
    ]
    for i in range(12):
        editor.article(10 + i)
    editor.change(("passage", "upsert", old), ("passage", "upsert", new), *expired)
    following.refresh()
    hits = following.search("What does the debit card cost a year?", lang="en")
    assert sorted(found(hits)) == [2, 4]


CODES = [
    PassageEntry(
        1, 10, "en", "VAT number", "Your VAT number stands on the invoice, with the tax office's code."
    ),
    PassageEntry(2, 11, "en", "Cards", "We give out cards. " + "Cards are of plastic and last. " * 30),
    PassageEntry(
        3, 11, "en", "Cards › Messages", "Try later where the machine shows E-4012 or TI-205 for long."
    ),
    PassageEntry(4, 12, "en", "Error E-4021", "Wait for what the machine shows, and try again later."),
    PassageEntry(
        5, 13, "en", "Transfers", "Our sort code is 20-45-77, and transfers within 14-21 days are free."
    ),
    PassageEntry(6, 14, "zh", "故障", "出现 E-4012 时请稍后再试。"),
]


@pytest.fixture
def codes(encoder):
    searcher = Searcher({"*": encoder}, knowledge=ListedKnowledge(CODES))
    searcher.put(CODES)
    return searcher


@pytest.mark.parametrize(
    ("text", "lang", "passage"),
    [
        ("E-4012", "en", 3),
        ("what does error e4012 mean", "en", 3),
        ("TI-205??", "en", 3),
        ("20-45-77", "en", 5),
        ("is it 204577", "en", 5),
        ("E4012是什么意思", "zh", 6),
    ],
)
def test_who_asks_for_a_code_gets_the_passage_that_has_it(codes, text, lang, passage):
    hits = codes.search(text, lang=lang)
    assert found(hits)[0] == passage and hits[0].score >= 0.85
    assert all(hit.score <= 0.15 + 1e-9 for hit in hits[1:])


def test_a_code_in_a_longer_question_or_one_that_nothing_has_is_certain_of_nothing(codes):
    long = "my card came late, the tax office wants the number and E-4012 was shown on Monday"
    assert next(hit.score for hit in codes.search(long, lang="en") if hit.article_id == 11) < 0.85
    assert all(hit.score < 0.85 for hit in codes.search("E-9999", lang="en"))
    assert all(hit.score < 0.85 for hit in codes.search("14 days", lang="en"))


def test_two_articles_that_have_the_code_share_its_certainty(encoder):
    both = [*CODES, PassageEntry(9, 15, "en", "More", "Call us where E-4012 stays.")]
    searcher = Searcher({"*": encoder}, knowledge=ListedKnowledge(both))
    searcher.put(both)
    hits = searcher.search("E-4012", lang="en")
    assert {hit.article_id for hit in hits[:2]} == {11, 15}
    assert all(hit.score >= 0.425 for hit in hits[:2])


def test_a_question_that_an_admin_wrote_is_answered_word_for_word_unless_it_leans_on_what_was_said(searcher):
    asked = "Which identifier must my employer abroad have?"
    assert searcher.search(asked, lang="en")[0].score < 0.9
    searcher.put(questions=[QuestionEntry(1, 11, "en", asked)])
    best = searcher.search(asked.upper(), lang="en")[0]
    assert best.article_id == 11 and best.score >= 0.9
    behind = searcher.search(asked, lang="en", history=[Message("customer", "Error E-4012 on the battery")])
    assert behind[0].score < 0.9
    searcher.put(questions=[QuestionEntry(2, 10, "en", asked)])
    assert searcher.search(asked, lang="en")[0].score < 0.9  # two articles claim it
