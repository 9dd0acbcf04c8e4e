from dataclasses import replace

import numpy as np
import pytest

from chatbot.errors import BundleError
from chatbot.retrieval.language_index import COLUMN, FEATURES, Candidates
from chatbot.retrieval.ranking import (
    DEFAULT,
    EVIDENCE,
    KEYWORD_ONLY,
    LanguageRanking,
    SearchModel,
    default_ranking,
    fit_logistic,
    fit_weights,
    probability,
    rank,
)


def queries(count, truth, *, seed=0):
    """Queries whose right candidate is drawn from the conditional logit with the weights ``truth``."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        features = rng.standard_normal((12, len(FEATURES))).astype(np.float32)
        scores = features @ truth
        share = np.exp(scores - scores.max())
        right = np.zeros(12, dtype=bool)
        right[rng.choice(12, p=share / share.sum())] = True
        rows.append((features, right))
    return rows


def test_the_weights_that_made_the_data_are_found_again():
    truth = np.linspace(-1, 2, len(FEATURES))
    start, used = np.zeros(len(FEATURES)), np.ones(len(FEATURES), dtype=bool)
    found = fit_weights(queries(3000, truth), start=start, used=used, ridge=0.01)
    assert np.allclose(found, truth, atol=0.2)


def test_without_data_the_defaults_stay_and_little_data_moves_them_little():
    start, used = DEFAULT.weight_vector(), np.ones(len(FEATURES), dtype=bool)
    assert (fit_weights([], start=start, used=used, ridge=1.0) == start).all()
    few = fit_weights(queries(3, -start), start=start, used=used, ridge=1000.0)
    assert np.allclose(few, start, atol=0.1)


def test_a_feature_that_is_not_used_keeps_its_weight():
    used = np.ones(len(FEATURES), dtype=bool)
    used[COLUMN["votes"]] = False
    start = np.full(len(FEATURES), 0.5)
    found = fit_weights(queries(200, np.ones(len(FEATURES))), start=start, used=used, ridge=0.1)
    assert found[COLUMN["votes"]] == 0.5
    assert not np.isclose(found[COLUMN["title_words"]], 0.5, atol=1e-3)


def test_stated_probabilities_are_the_observed_shares():
    rng = np.random.default_rng(0)
    evidence = np.column_stack([np.ones(20_000), *rng.standard_normal((len(EVIDENCE) - 1, 20_000))])
    truth = np.linspace(-1, 1, len(EVIDENCE))
    right = rng.random(20_000) < probability(evidence, truth)
    zero = np.zeros(len(EVIDENCE))
    found = fit_logistic(evidence, right, counts=np.ones(20_000), start=zero, ridge=0.1)
    assert np.allclose(found, truth, atol=0.1)


def test_rows_count_as_often_as_said():
    evidence = np.ones((2, len(EVIDENCE)))
    evidence[:, 1:] = 0
    right, zero = np.array([True, False]), np.zeros(len(EVIDENCE))
    found = fit_logistic(evidence, right, counts=np.array([9.0, 1.0]), start=zero, ridge=0.0)
    assert probability(evidence, found)[0] == pytest.approx(0.9, abs=0.01)


def candidates(scores, articles):
    features = np.zeros((len(scores), len(FEATURES)), dtype=np.float32)
    features[:, COLUMN["text_words"]] = scores
    return Candidates(np.arange(len(scores)) + 100, np.array(articles), features)


def test_each_article_is_ranked_by_its_best_passage():
    found = candidates([0.1, 0.9, 0.5, 0.7], [1, 1, 2, 3])
    ranked = rank(found, KEYWORD_ONLY.weight_vector(), k=5)
    assert found.passages[ranked.places].tolist() == [101, 103, 102]
    lead = ranked.evidence[:, EVIDENCE.index("lead")]
    assert lead[0] > 0 > lead[1] > lead[2]


def test_every_field_says_how_far_it_is_ahead_of_the_best_other_article_or_behind_it():
    found = candidates([0.9, 0.5, 0.8, 0.4], [1, 2, 1, 3])
    found.features[:, COLUMN["title_cosine"]] = [0.1, 0.7, 0.6, 0.2]
    evidence = rank(found, KEYWORD_ONLY.weight_vector(), k=2).evidence

    def said(name):
        return evidence[:, EVIDENCE.index(name)].tolist()

    assert said("text_words_ahead") == pytest.approx([0.4, 0.0])  # its article's other passage is no rival
    assert said("text_words_behind") == pytest.approx([0.0, -0.4])
    assert said("title_cosine_ahead") == pytest.approx([0.0, 0.1])
    assert said("title_cosine_behind") == pytest.approx([-0.6, 0.0])
    assert said("text_words") == pytest.approx([0.9, 0.5])


def test_by_default_a_follow_up_is_less_sure_than_a_question_that_stands_alone():
    alone, behind = candidates([0.9, 0.2], [1, 2]), candidates([0.9, 0.2], [1, 2])
    behind.features[:, COLUMN["context_text_cosine"]] = (
        0.1  # both passages alike: neither order nor lead changes
    )
    ranking = replace(DEFAULT, evidence={**DEFAULT.evidence, "score": 0.0})
    stated = []
    for asked in (alone, behind):
        ranked = rank(asked, ranking.weight_vector(), k=2)
        stated.append(probability(ranked.evidence, ranking.evidence_vector()))
        assert set(ranked.evidence[:, EVIDENCE.index("follow_up")]) == {float(asked is behind)}
    assert (stated[1] < stated[0]).all()


def test_by_words_alone_a_rival_that_says_nearly_the_same_makes_the_first_hit_unsure():
    far, near = candidates([0.5, 0.1, 0.0], [1, 2, 3]), candidates([0.5, 0.45, 0.0], [1, 2, 3])
    stated = []
    for asked in (far, near):
        evidence = rank(asked, KEYWORD_ONLY.weight_vector(), k=1).evidence
        stated.append(float(probability(evidence, KEYWORD_ONLY.evidence_vector())[0]))
    assert stated[0] > 0.75 > 0.6 > stated[1]


def test_a_single_candidate_and_none_can_be_ranked():
    assert len(rank(candidates([0.4], [1]), KEYWORD_ONLY.weight_vector(), k=5).places) == 1
    assert len(rank(candidates([], []), KEYWORD_ONLY.weight_vector(), k=5).places) == 0


def test_taking_an_article_away_leaves_the_others():
    left = candidates([0.1, 0.9, 0.5], [1, 1, 2]).without({1})
    assert left.articles.tolist() == [2] and left.features.shape == (1, len(FEATURES))


def test_a_model_comes_back_as_it_was_saved(tmp_path):
    model = SearchModel({"en": LanguageRanking({"votes": 2.0}, {"lead": 1.0}, 7)})
    model.save(tmp_path / "search.json")
    back = SearchModel.load(tmp_path / "search.json")
    assert back.ranking("en", dense=True, passages=9) == model.ranking("en", dense=True, passages=9)
    assert back.ranking("zh", dense=True, passages=9) == default_ranking(9, "zh")
    assert back.ranking("zh", dense=False, passages=9) == KEYWORD_ONLY


def test_words_count_less_by_default_where_few_passages_tell_how_rare_they_are():
    few, many = default_ranking(70, "en"), default_ranking(100_000, "en")
    assert few.weights["text_words"] < 0.4 * DEFAULT.weights["text_words"] < many.weights["text_words"]
    assert few.weights["text_cosine"] == many.weights["text_cosine"] == DEFAULT.weights["text_cosine"]


def test_by_default_a_crowded_place_counts_against_a_passage_in_chinese_alone():
    chinese, english = default_ranking(500, "zh"), default_ranking(500, "en")
    assert (
        chinese.weight_vector()[COLUMN["crowd_cosine"]] < 0 == english.weight_vector()[COLUMN["crowd_cosine"]]
    )
    assert chinese.evidence["constant"] < english.evidence["constant"]


def test_by_default_an_encoder_that_was_adapted_to_the_documents_is_less_sure():
    model = SearchModel()
    for lang in ("en", "zh"):
        plain, adapted = (
            model.ranking(lang, dense=True, passages=90, adapted=turned) for turned in (False, True)
        )
        assert adapted.evidence["constant"] < plain.evidence["constant"]
        assert adapted.weights == plain.weights
    assert model.ranking("en", dense=False, passages=90, adapted=True) == KEYWORD_ONLY


@pytest.mark.parametrize("text", ["{}", "[1]", "no json", '{"format": 9, "languages": {}}'])
def test_a_foreign_file_is_refused(tmp_path, text):
    (tmp_path / "search.json").write_text(text)
    with pytest.raises(BundleError):
        SearchModel.load(tmp_path / "search.json")
