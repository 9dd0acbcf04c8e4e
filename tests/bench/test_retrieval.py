import json

import pytest
from click.testing import CliRunner

from chatbot.errors import FileError, InputError
from chatbot.learning.search_calibration import calibrate_search
from chatbot.retrieval.certain import EXACTLY_ASKED
from chatbot.retrieval.ranking import KEYWORD_ONLY, LanguageRanking
from web.bench import retrieval_setup
from web.bench.retrieval import command, measure
from web.bench.retrieval_setup import AskedQuery, passages_of, prepare
from web.bench.retrieval_training import lesson_of
from web.bench.rows import joined

TOPICS = ["退款", "发票", "配送", "优惠券", "换货", "会员", "地址", "密码", "维修", "支付"]
KEYS = {
    "n_documents", "n_queries", "recall_at_1", "recall_at_5", "mrr_at_10", "ndcg_at_10", "refusal", "keyword",
    "dense", "latency", "latency_without_encoder", "build_seconds", "index_bytes",
}  # fmt: skip


def documents():
    return [
        {"id": f"d{n}", "question": f"{topic}怎么办理", "answer": f"{topic}在页面{n}申请。", "lang": "zh"}
        for n, topic in enumerate(TOPICS)
    ]


def queries(tail="吗"):
    return [{"query": f"我要{topic}{tail}", "faq_id": f"d{n}"} for n, topic in enumerate(TOPICS)]


def write(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def test_the_command_writes_every_figure(tmp_path, packaged_chinese_encoder):
    out = tmp_path / "out.json"
    arguments = ["--documents", write(tmp_path / "d.jsonl", documents()), "--json", str(out)]
    arguments += ["--encoder-store", str(packaged_chinese_encoder.parent)]  # its export takes half a minute
    arguments += ["--queries", write(tmp_path / "q.jsonl", queries())]
    arguments += ["--train", write(tmp_path / "t.jsonl", [row for tail in "呢啊呀" for row in queries(tail)])]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    figures = json.loads(out.read_text())
    assert set(figures) >= KEYS
    assert figures["recall_at_1"] == 100 and figures["n_queries"] == 10
    assert figures["hybrid_against_part"]["part"] in ("keyword", "dense")
    assert f"hybrid against {figures['hybrid_against_part']['part']}: " in result.output
    assert "float" not in figures
    assert set(figures["refusal"]) == {
        "auroc", "answered_at_10pct_wrong", "false_answer_rate", "ece", "ece_by_chance",
    }  # fmt: skip


def test_packaged_is_the_packaged_encoder_of_the_documents_language(packaged_chinese_encoder):
    store = packaged_chinese_encoder.parent
    figures = measure(documents(), lambda: queries(), encoder="packaged", store=store)
    assert figures["encoder"].startswith("packaged-chinese") and figures["recall_at_1"] == 100


def test_hybrid_is_held_against_the_part_that_finds_more_on_the_same_questions():
    figures = measure(documents(), queries, encoder="domain")
    against = figures["hybrid_against_part"]
    better = max(("keyword", "dense"), key=lambda mode: figures[mode]["recall_at_1"])
    assert figures[against["part"]]["recall_at_1"] == figures[better]["recall_at_1"]
    difference = figures["hybrid"]["recall_at_1"] - figures[better]["recall_at_1"]
    assert against["difference"] == pytest.approx(difference)
    assert against["gained"] - against["lost"] == pytest.approx(difference * figures["n_queries"] / 100)


def test_the_search_that_is_served_is_measured_with_what_is_certain(tmp_path):
    prepared = prepare(
        documents(), train=[], train_documents=[], valid=[], encoder="domain", seed=13, work=tmp_path,
        tell=lambda stage, share: None,
    )  # fmt: skip
    unsure = LanguageRanking(weights=KEYWORD_ONLY.weights, evidence={"constant": -3.0})
    prepared.rankings = dict.fromkeys(prepared.rankings, unsure)
    found = prepared.find(AskedQuery("退款怎么办理", frozenset({0})))  # word for word as the first document's
    assert prepared.hits(found, "hybrid", 1) == [(0, EXACTLY_ASKED)]
    assert prepared.hits(found, "keyword", 1)[0][1] < 0.1  # neither part knows it by itself
    assert prepared.hits(found.without(frozenset({0})), "hybrid", 1)[0][1] < 0.1
    nothing = prepared.find(AskedQuery("?!", frozenset()))
    assert all(prepared.hits(nothing, mode, 1) == [] for mode in ("keyword", "dense", "hybrid"))


def test_another_seed_trains_and_folds_anew(monkeypatch):
    seen = []

    def noted(*arguments, settings, **rest):
        seen.append((settings.seed, settings.judging.seed))
        return calibrate_search(*arguments, settings=settings, **rest)

    monkeypatch.setattr(retrieval_setup, "calibrate_search", noted)
    measure(documents(), queries, train=queries("呢"), encoder="domain", seed=7)
    assert seen == [(7, 7)]


def test_what_int8_loses_is_told_beside_the_encoder_in_single_precision(packaged_encoder):
    pairs = {
        "How do I return a parcel?": "How can I send my parcel back?",
        "Where is my invoice?": "I cannot find the invoice",
        "Which cards do you take?": "Which credit cards can I pay with?",
    }
    rows = [{"id": title, "question": title, "answer": "", "lang": "en"} for title in pairs]
    asked = [{"query": query, "faq_id": title} for title, query in pairs.items()]
    figures = measure(rows, lambda: asked, single=True, store=packaged_encoder.parent)
    single = figures["float"]
    assert set(single) == {"dense", "hybrid"}
    for mode, of_float in single.items():
        lost = figures[mode]["recall_at_1"] - of_float["recall_at_1"]
        assert of_float["int8_against_float"]["difference"] == pytest.approx(lost, abs=0.02)
    assert single["dense"]["recall_at_1"] == 100  # three questions that are far from each other


def test_an_encoder_without_an_int8_form_has_nothing_to_compare():
    with pytest.raises(InputError, match="no int8 form") as error:
        measure(documents(), queries, encoder="domain", single=True)
    assert error.value.field == "float"


@pytest.mark.parametrize(("lang", "encoder"), [("de", "packaged"), ("en", "packaged-chinese")])
def test_an_encoder_of_another_language_is_refused(packaged_chinese_encoder, lang, encoder):
    rows = [{"id": "a", "question": "Where?", "answer": "Here.", "lang": lang}]
    with pytest.raises(InputError, match=f"language {lang}") as error:
        measure(rows, list, encoder=encoder, store=packaged_chinese_encoder.parent)
    assert error.value.value == encoder and "domain" in error.value.remedy


def test_questions_without_an_answer_are_left_out_of_recall_and_must_be_refused():
    asked = [*queries(), {"query": "今天天气", "faq_id": None}, {"query": "足球比赛", "faq_id": None}]
    figures = measure(documents(), lambda: asked, encoder="domain")
    assert figures["n_queries"] == 10 and figures["recall_at_1"] == 100
    assert figures["refusal"]["auroc"] > 80


def test_rows_of_one_wording_can_be_read_as_one_question_that_any_of_their_documents_answers():
    twice = [{"query": "我要退款吗", "faq_id": "d3"}, {"query": "我要退款吗", "faq_id": "d4", "also": ["d5"]}]
    asked = [*queries(), *twice, {"query": "今天天气", "faq_id": None}, {"query": "今天天气", "faq_id": None}]
    figures = measure(documents(), lambda: asked, encoder="domain", join_questions=True)
    assert figures["n_queries"] == 10 and figures["join_questions"]
    assert 0 < figures["refusal"]["ece_by_chance"] < 40  # of so few questions
    together = joined(asked)
    assert together[0] == {"query": "我要退款吗", "faq_id": "d0", "also": ["d3", "d4", "d5"]}
    assert together[1:10] == queries()[1:] and together[10:] == asked[12:]
    assert joined([{**asked[0], "context": "您好"}, asked[0]]) == [{**asked[0], "context": "您好"}, asked[0]]
    assert asked[0] == {"query": "我要退款吗", "faq_id": "d0"}


def test_a_question_file_that_names_unknown_documents_is_refused():
    with pytest.raises(FileError, match="not there"):
        measure(documents(), lambda: [{"query": "退款", "faq_id": "nowhere"}], encoder="domain")


def lesson(rows, others=()):
    passages = passages_of(documents(), "zh")
    numbers = {row["id"]: number for number, row in enumerate(documents())}
    return lesson_of(passages, numbers, rows, others, "zh")


def test_pair_rows_become_clusters_and_never_questions_of_other_documents():
    rows = [
        {"text1": "甲一", "text2": "甲二", "label": 1},
        {"text1": "甲二", "text2": "甲三", "label": 1},
        {"text1": "甲一", "text2": "乙一", "label": 0},
        {"text1": "乙一", "text2": "乙二", "label": 1},
    ]
    made = lesson(rows)
    assert not made.same_documents
    assert len(made.positives) == 3
    assert {pair.group for pair in made.pairs} == {item.group for item in made.positives}
    assert len({pair.group for pair in made.pairs}) == 2


def test_pair_rows_that_hold_our_titles_become_their_questions():
    rows = [
        {"text1": f"{ask}{topic}", "text2": f"{topic}怎么办理", "label": 1}
        for topic in TOPICS
        for ask in ("想问", "请教")
    ]
    made = lesson(rows)
    assert made.same_documents
    assert {min(pair.pair.articles) for pair in made.pairs} == set(range(10))


def test_training_rows_of_other_documents_need_those_documents():
    rows = [{"query": "别的", "faq_id": "other"}]
    with pytest.raises(FileError, match="other documents"):
        lesson(rows)
    made = lesson(rows, [{"id": "other", "question": "别的问题", "answer": None}])
    assert not made.same_documents and made.passages[0].title == "别的问题"


def test_what_is_held_out_leaves_no_trace_in_what_is_trained_on():
    made = lesson([row for tail in "呢啊" for row in queries(tail)])
    held = made.held_out(0.2, seed=1)
    left = made.without(held)
    gone = {pair.pair.query for pair in made.pairs} - {pair.pair.query for pair in left.pairs}
    assert len(held) == len(gone) == 4
    assert not gone & {text for item in left.positives for text in (item.first, item.second)}
    others = lesson([{"text1": f"甲{n}", "text2": f"乙{n}", "label": 1} for n in "一二三四五"])
    held = others.held_out(0.4, seed=1)
    assert len(others.without(held).pairs) == 3
    assert not {item.group for item in others.without(held).positives} & held


def test_rows_of_neither_shape_are_refused():
    with pytest.raises(FileError, match="neither"):
        lesson([{"text": "?"}])
