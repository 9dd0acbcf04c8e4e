import hashlib
import random
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from chatbot.dialogue.trace import Message
from chatbot.errors import InputError
from chatbot.inference.encode import AdaptedEncoder
from chatbot.learning import search_calibration, search_judging
from chatbot.learning.encoder_adapter import AdapterSettings
from chatbot.learning.search_calibration import (
    CalibrationSettings,
    calibrate_search,
    calibration_error,
    fit_ranking,
)
from chatbot.learning.search_judging import (
    Judged,
    JudgingSettings,
    SearchPair,
    adapt,
    adapt_to_documents,
    joined,
    judge,
    judge_adapting,
)
from chatbot.retrieval.knowledge import ListedKnowledge, PassageEntry, QuestionEntry
from chatbot.retrieval.language_index import COLUMN, FEATURES, Candidates
from chatbot.retrieval.ranking import (
    EVIDENCE,
    FIELD_EVIDENCE,
    KEYWORD_ONLY,
    LanguageRanking,
    probability,
    rank,
)
from chatbot.retrieval.search import Searcher
from chatbot.retrieval.terms import terms


@cache
def direction(term):
    seed = int.from_bytes(hashlib.sha256(term.encode()).digest()[:4], "big")
    return np.random.default_rng(seed).standard_normal(32)


class WordEncoder:
    fingerprint, dimension, languages = "words", 32, ()

    def encode(self, texts):
        rows = np.zeros((len(texts), 32), dtype=np.float32)
        for row, text in enumerate(texts):
            for term in terms(text):
                rows[row] += direction(term)
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def _word(text):
    """With letters for digits: a word with a digit is a code, and what has a code that is asked for is certain."""
    return text.translate(str.maketrans("0123456789", "abcdefghik"))


def company(articles=30, asked=8, *, seed=0):
    """Articles of made-up words, and questions that share only some of them with the title."""
    rng = random.Random(seed)
    passages, pairs, questions = [], [], []
    for article in range(articles):
        words = [_word(f"w{article}x{number}") for number in range(6)] + [
            _word(f"c{rng.randrange(20)}") for _ in range(6)
        ]
        passages.append(PassageEntry(article, article, "en", " ".join(words[:4]), " ".join(words)))
        for _ in range(asked):
            text = " ".join(
                [*rng.sample(words, 3), _word(f"c{rng.randrange(20)}"), _word(f"n{rng.randrange(9)}")]
            )
            pairs.append(SearchPair(text, "en", frozenset({article})))
            questions.append(QuestionEntry(len(questions), article, "en", text))
    return passages, pairs, questions


def test_a_fitted_search_states_probabilities_that_hold_on_new_questions():
    passages, pairs, questions = company()
    encoders = {"*": WordEncoder()}
    fit = calibrate_search(passages, pairs, encoders, questions=questions)
    assert fit.metrics["en"]["pairs"] == 240
    assert fit.metrics["en"]["recall_at_1"] >= fit.metrics["en"]["recall_at_1_defaults"] - 1
    searcher = Searcher(encoders, knowledge=ListedKnowledge(passages), model=fit.model)
    searcher.put(passages, questions)
    rng = random.Random(5)
    stated, right = [], []
    for article in range(30):
        words = passages[article].text.split()
        for _ in range(5):
            hit = searcher.search(" ".join([*rng.sample(words, 3), _word("n1"), _word("c3")]), lang="en")[0]
            stated.append(hit.score)
            right.append(hit.article_id == article)
    assert calibration_error(np.array(stated), np.array(right)) < 0.15
    strange = [searcher.search(_word(f"z{n} z{n + 1} n2"), lang="en")[0].score for n in range(20)]
    assert np.mean(strange) < 0.5 < np.mean(stated)


def test_no_question_is_judged_by_its_own_wording():
    passages, pairs, questions = company(articles=4, asked=2)
    pairs.append(SearchPair(pairs[0].query.upper(), "en", pairs[0].articles))
    for item in judge(passages, pairs, WordEncoder(), questions=questions):
        assert item.candidates.features[:, COLUMN["question_cosine"]].max() < 0.999


def test_what_several_articles_answer_is_one_question_and_any_of_them_is_right():
    passages, pairs, _ = company()
    for place in range(0, 240, 2):  # every other question is answered by a second article, too
        twin = 30 + min(pairs[place].articles)
        pairs.append(SearchPair(pairs[place].query.upper(), "en", frozenset({twin}), seen=True))
    passages += [replace(entry, id=30 + entry.id, article=30 + entry.article) for entry in passages]
    together = joined(pairs)
    assert len(together) == 240 and together[0].articles == {0, 30} and together[0].seen
    assert together[1] == pairs[1]
    outside = SearchPair(pairs[0].query, "en", frozenset())
    follow_up = replace(pairs[0], history=(Message("customer", "w1"),))
    assert joined([pairs[0], outside, follow_up]) == [pairs[0], outside, follow_up]
    encoders = {"*": WordEncoder()}
    scores = []
    for chosen in (pairs, together):
        model = calibrate_search(passages, chosen, encoders).model
        searcher = Searcher(encoders, knowledge=ListedKnowledge(passages), model=model)
        searcher.put(passages)
        scores.append(np.mean([searcher.search(pair.query, lang="en")[0].score for pair in together[::2]]))
    assert scores[1] > scores[0] + 0.1


def test_questions_that_the_encoder_was_trained_on_are_left_out_where_others_suffice():
    passages, pairs, _questions = company()
    marked = [replace(pair, seen=place >= 40) for place, pair in enumerate(pairs)]
    fit = calibrate_search(passages, marked, {"*": WordEncoder()}, trained=["en"])
    assert fit.metrics["en"]["pairs"] == 40 and not fit.adapted
    marked = [replace(pair, seen=place >= 5) for place, pair in enumerate(pairs)]
    fit = calibrate_search(passages, marked, {"*": WordEncoder()}, trained=["en"])
    assert fit.metrics["en"]["pairs"] == len(pairs)


def test_too_few_pairs_leave_the_defaults():
    passages, pairs, questions = company(articles=4, asked=2)
    assert calibrate_search(passages, pairs, {"*": WordEncoder()}, questions=questions).model.languages == {}
    assert calibrate_search(passages, [], {"*": WordEncoder()}).metrics == {}


def test_questions_that_nothing_answers_lower_the_probability():
    passages, pairs, _ = company()
    pairs += [SearchPair(_word(f"c{n % 20} c{n % 7} n{n % 9}"), "en", frozenset()) for n in range(200)]
    encoders = {"*": WordEncoder()}
    scores = []
    for chosen in (pairs[:240], pairs):
        model = calibrate_search(passages, chosen, encoders).model
        searcher = Searcher(encoders, knowledge=ListedKnowledge(passages), model=model)
        searcher.put(passages)
        scores.append(np.mean([searcher.search(pair.query, lang="en")[0].score for pair in pairs[240:]]))
    assert scores[1] < scores[0] and scores[1] < 0.3


def agreeing(count, *, seed):
    """Questions of which the first hit is right where its title leads too, and wrong where another's does."""
    rng = np.random.default_rng(seed)
    judged = []
    for number in range(count):
        features = np.zeros((3, len(FEATURES)), dtype=np.float32)
        features[:, COLUMN["text_cosine"]] = [0.8, 0.5 + 0.1 * rng.random(), 0.1]
        leads = rng.random() < 0.5
        features[:, COLUMN["title_cosine"]] = [0.5, 0.3 if leads else 0.7, 0.2]
        pair = SearchPair(f"question {number}", "en", frozenset({0 if leads else 1}))
        judged.append(Judged(pair, Candidates(np.arange(3), np.arange(3), features)))
    return judged


def test_a_hit_whose_title_leads_too_is_surer_than_one_that_another_title_outdoes():
    start = LanguageRanking({"text_cosine": 20.0}, {"constant": 0.0})
    settings = CalibrationSettings(ridge=1e6)  # the order is not what is learned here
    fitted = fit_ranking(agreeing(300, seed=1), start=start, settings=settings)
    stated: dict[bool, list[float]] = {True: [], False: []}
    for item in agreeing(60, seed=2):
        ranked = rank(item.candidates, fitted.weight_vector(), k=1)
        assert ranked.places.tolist() == [0]
        chance = probability(ranked.evidence, fitted.evidence_vector())[0]
        stated[item.pair.articles == {0}].append(chance)
    assert np.mean(stated[True]) > 0.65 and np.mean(stated[False]) < 0.2


def test_what_the_fields_say_is_trusted_only_where_held_out_questions_bear_it_out():
    noise = np.random.default_rng(3)
    judged = []
    for number in range(40):
        features = noise.random((6, len(FEATURES))).astype(np.float32)
        pair = SearchPair(f"question {number}", "en", frozenset({int(noise.integers(6))}))
        judged.append(Judged(pair, Candidates(np.arange(6), np.arange(6), features)))
    places = [EVIDENCE.index(name) for name in FIELD_EVIDENCE]

    def reach(ridges):
        settings = CalibrationSettings(field_ridges=ridges)
        fitted = fit_ranking(judged, start=KEYWORD_ONLY, settings=settings)
        return np.abs(fitted.evidence_vector() - KEYWORD_ONLY.evidence_vector())[places].sum()

    assert reach((1.0, 100.0)) == reach((100.0,)) < 0.5 * reach((1.0,))


def test_of_follow_ups_a_fit_claims_what_its_own_questions_show():
    follow_up = EVIDENCE.index("follow_up")
    start = LanguageRanking({"text_cosine": 20.0}, {"constant": 0.0, "follow_up": -5.0})
    alone = agreeing(200, seed=5)
    assert fit_ranking(alone, start=start).evidence_vector()[follow_up] == 0.0
    behind = []
    for item in agreeing(
        200, seed=6
    ):  # questions behind others, of which hardly one is answered by the first hit
        features = item.candidates.features.copy()
        features[:, COLUMN["context_text_cosine"]] = 0.1
        other = replace(item.pair, articles=frozenset({1}))
        behind.append(Judged(other, replace(item.candidates, features=features)))
    assert fit_ranking([*alone, *behind], start=start).evidence_vector()[follow_up] < -0.5


def test_the_calibration_error_is_the_gap_between_stated_and_observed():
    right = np.array([True] * 7 + [False] * 3)
    assert calibration_error(np.full(10, 0.7), right) == pytest.approx(0, abs=1e-9)
    assert calibration_error(np.full(10, 0.95), right) == pytest.approx(0.25)
    assert calibration_error(np.zeros(0), np.zeros(0, dtype=bool)) == 0


def test_impossible_settings_are_refused():
    with pytest.raises(InputError, match="folds"):
        JudgingSettings(folds=1)
    with pytest.raises(InputError, match="folds"):
        CalibrationSettings(evidence_folds=1)
    with pytest.raises(InputError, match="one"):
        CalibrationSettings(field_ridges=())
    with pytest.raises(InputError, match="0 and 1"):
        CalibrationSettings(unanswerable=0)


def turned_company(articles=80, asked=6):
    """Questions whose vectors are their article's, turned by one rotation: an adapter can undo it, words cannot."""
    rng = np.random.default_rng(3)
    turn = np.linalg.qr(rng.standard_normal((32, 32)))[0]
    vectors = {}

    def text(name, vector):
        vectors[name] = (vector / np.linalg.norm(vector)).astype(np.float32)
        return name

    passages, pairs = [], []
    for article in range(articles):
        centre = rng.standard_normal(32)
        title = text(f"title{article}x", centre)
        passages.append(PassageEntry(article, article, "en", title, ""))
        for number in range(asked):
            seen = centre @ (0.4 * np.eye(32) + 0.6 * turn) + 0.4 * rng.standard_normal(32)
            name = text(f"asked{article}x{number}", seen)
            pairs.append(SearchPair(name, "en", frozenset({article}), seen=number > 0))
    return passages, pairs, TableEncoder(vectors)


class TableEncoder:
    fingerprint, dimension, languages = "table", 32, ()

    def __init__(self, vectors):
        self.vectors = vectors

    def encode(self, texts):
        return np.array([self.vectors[text.split(".")[0]] for text in texts], dtype=np.float32).reshape(
            len(texts), 32
        )


def test_an_encoder_is_adapted_where_that_finds_more_and_left_alone_where_not():
    passages, pairs, encoder = turned_company()
    fit = calibrate_search(passages, pairs, {"*": encoder})
    plain = calibrate_search(passages, pairs, {"*": encoder}, trained=["en"])
    assert fit.metrics["en"]["adapted"] and fit.adapted["en"].base is encoder
    assert fit.metrics["en"]["recall_at_1"] > plain.metrics["en"]["recall_at_1"] + 5
    rng = np.random.default_rng(0)
    noise = TableEncoder({name: rng.standard_normal(32).astype(np.float32) / 6 for name in encoder.vectors})
    assert calibrate_search(passages, pairs, {"*": noise}).metrics["en"]["recall_at_1"] < 20


def test_an_adapter_and_the_encoder_as_it_is_are_compared_over_the_same_questions(monkeypatch):
    passages, pairs, encoder = turned_company(articles=20, asked=4)
    questions = [
        QuestionEntry(number, article, pair.lang, pair.query)
        for number, pair in enumerate(pairs)
        for article in pair.articles
    ]
    same = AdaptedEncoder(encoder, np.eye(encoder.dimension, dtype=np.float32), lang="en")
    compared = []
    monkeypatch.setattr(search_judging, "adapt", lambda *rest, **named: same)
    monkeypatch.setattr(search_calibration, "adapt", lambda *rest, **named: same)
    monkeypatch.setattr(search_calibration, "_found", lambda judged, settings: compared.append(judged) or 0.0)
    calibrate_search(passages, pairs, {"en": encoder}, questions=questions)
    one, other = ({item.pair.query: item.candidates for item in judged} for judged in compared)
    assert len(one) == len(other) == len({pair.query for pair in pairs})
    for query, candidates in one.items():
        assert candidates.passages.tolist() == other[query].passages.tolist()
        assert np.allclose(candidates.features, other[query].features, atol=2e-3)


def test_an_adapter_is_judged_on_questions_it_was_not_trained_on():
    passages, pairs, encoder = turned_company(articles=40, asked=3)
    own = judge(passages, pairs, adapt(passages, pairs, encoder))
    held_out = judge_adapting(passages, pairs, encoder)

    def nearness(judged):
        column = COLUMN["title_cosine"]
        return np.mean(
            [
                item.candidates.features[item.candidates.articles == min(item.pair.articles), column].max()
                for item in judged
            ]
        )

    assert len(held_out) == len(own) == len(pairs)
    assert nearness(held_out) < nearness(own) - 0.05


def test_some_articles_are_judged_as_if_nobody_had_asked_for_them_before():
    passages, pairs, questions = company(articles=20, asked=4)
    settings = JudgingSettings(new_articles=0.25)
    judged = judge(passages, pairs, WordEncoder(), questions=questions, settings=settings)
    features = [item.candidates.features for item in judged]
    alone = [
        float(np.abs(table[:, COLUMN["question_cosine"]] - table[:, COLUMN["title_cosine"]]).max())
        for item, rows in zip(judged, features, strict=True)
        for table in [rows[np.isin(item.candidates.articles, list(item.pair.articles))]]
    ]
    assert len(judged) == len(pairs)
    assert sum(value < 1e-6 for value in alone) >= 5 * 4 * 0.9


def noisy_company(articles=80):
    """Articles without a question: titles, texts and what is asked lie along one line as they like, and there is no
    meaning in it."""
    rng = np.random.default_rng(2)
    line = np.eye(32)[0]
    vectors = {}

    def text(name, meaning):
        vector = meaning + 3 * rng.standard_normal() * line + 0.05 * rng.standard_normal(32)
        vectors[name] = (vector / np.linalg.norm(vector)).astype(np.float32)
        return name

    passages, asked = [], []
    for article in range(articles):
        meaning = rng.standard_normal(32) / 6
        title, body = text(f"title{article}", meaning), text(f"body{article}", meaning)
        passages.append(PassageEntry(article, article, "en", title, body))
        vectors[passages[-1].whole] = vectors[body]
        asked.append(SearchPair(text(f"asked{article}", meaning), "en", frozenset({article})))
    return passages, asked, WholeTableEncoder(vectors)


class WholeTableEncoder(TableEncoder):
    def encode(self, texts):
        return np.array([self.vectors[text] for text in texts], dtype=np.float32).reshape(len(texts), 32)


def test_without_questions_an_encoder_is_adapted_to_the_documents():
    passages, asked, encoder = noisy_company()
    longer = JudgingSettings(adapter=AdapterSettings(learning_rate=0.05, epochs=60))  # ten steps else
    fit = calibrate_search(passages, asked[:20], {"*": encoder}, settings=CalibrationSettings(judging=longer))
    assert fit.model.languages == {} and fit.metrics == {} and fit.adapted["en"].base is encoder

    def found(by):
        ranked = [
            (rank(item.candidates, np.eye(len(FEATURES))[1], k=1), item)
            for item in judge(passages, asked, by)
        ]
        return np.mean(
            [item.candidates.articles[best.places[0]] in item.pair.articles for best, item in ranked]
        )

    assert found(fit.adapted["en"]) > found(encoder) + 0.1


def test_no_encoder_is_adapted_to_few_documents_or_where_it_was_trained_on_the_company():
    passages, _, encoder = noisy_company()
    assert not calibrate_search(passages, [], {"*": encoder}, trained=["en"]).adapted
    assert not calibrate_search(passages[:49], [], {"*": encoder}).adapted
    chinese = [replace(entry, lang="zh") for entry in passages]
    assert not calibrate_search(chinese, [], {"*": encoder}).adapted
    bare = [replace(entry, text="") for entry in passages]
    assert adapt_to_documents(bare, encoder) is None
