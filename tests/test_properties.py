"""Properties that hold for whatever is thrown in: readers, redaction, the two indexes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatbot.errors import FrontdeskError
from chatbot.language.redaction import PLACEHOLDER, Redactor, find_personal, redact
from chatbot.retrieval.keyword_index import KeywordIndex
from chatbot.retrieval.vector_index import VectorIndex
from ingest.files import RowError
from ingest.transcripts.formats import open_transcripts
from ingest.transcripts.transcript import Transcript

QUICK = settings(
    max_examples=60,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
WORDS = st.sampled_from(["refund", "parcel", "late", "退", "款", "订单", "order", "a", "the", "of", "快递"])

# --- redaction -------------------------------------------------------------------------------------------

EMAILS = st.builds(
    "{}@{}.example".format, st.from_regex(r"[a-z]{2,8}[0-9]{1,3}", fullmatch=True), st.just("mail")
)
PHONES = st.sampled_from(["+49 30 1234567", "13812345678", "+1 415 555 2671"])
CARDS = st.just("4111 1111 1111 1111")
SAID = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=40)


@QUICK
@given(SAID, st.one_of(EMAILS, PHONES, CARDS), SAID)
def test_a_personal_value_never_survives_whatever_stands_around_it(
    before: str, value: str, after: str
) -> None:
    clean = redact(f"{before} \n {value} \n {after}")
    assert value not in clean.replace(before, "").replace(after, "")


@QUICK
@given(st.lists(st.one_of(SAID, EMAILS, PHONES), max_size=5))
def test_restoring_gives_back_what_was_written_and_redacting_again_changes_nothing(texts: list[str]) -> None:
    redactor = Redactor()
    # a placeholder that the customer typed himself stands for nothing of his
    texts = [text for text in texts if "[" not in text and "<" not in text and "{" not in text]
    clean = [redactor.redact(text) for text in texts]
    assert [redact(text) if not PLACEHOLDER.search(text) else text for text in clean] == clean
    for text in texts:
        spans = [(one.start, one.end) for one in find_personal(text)]
        assert all(end <= start for (_, end), (start, _) in pairwise(spans))


# --- the indexes against their plainest form -------------------------------------------------------------

CHANGES = st.lists(
    st.tuples(st.integers(0, 12), st.one_of(st.none(), st.lists(WORDS, min_size=1, max_size=6))), max_size=40
)


@QUICK
@given(CHANGES, st.lists(WORDS, min_size=1, max_size=4))
def test_a_keyword_index_after_any_changes_is_one_made_anew(
    changes: list[tuple[int, list[str] | None]], asked: list[str]
) -> None:
    index, truth = KeywordIndex(), dict[int, list[str]]()
    for identity, terms in changes:
        if terms is None:
            index.remove([identity])
            truth.pop(identity, None)
        else:
            index.add([(identity, terms)])
            truth[identity] = terms
    anew = KeywordIndex()
    anew.add(truth.items())
    assert sorted(index.ids) == sorted(truth)
    found, expected = dict(index.search(asked, 20)), dict(anew.search(asked, 20))
    assert found.keys() == expected.keys() == {one for one, terms in truth.items() if set(terms) & set(asked)}
    assert all(found[one] == pytest.approx(expected[one], rel=1e-4) for one in found)


@QUICK
@given(
    st.lists(st.tuples(st.integers(0, 12), st.one_of(st.none(), st.integers(0, 999))), max_size=40),
    st.integers(0, 999),
)
def test_a_vector_index_after_any_changes_finds_what_is_nearest(
    changes: list[tuple[int, int | None]], asked: int
) -> None:
    index, truth = VectorIndex(8), dict[int, int]()
    for identity, seed in changes:
        if seed is None:
            index.remove([identity])
            truth.pop(identity, None)
        else:
            index.add([identity], _unit([seed]))
            truth[identity] = seed
    assert sorted(index.ids) == sorted(truth) and len(index) == len(truth)
    if truth:
        scores, ids = index.search(_unit([asked]), len(truth))
        expected = {one: float(_unit([seed])[0] @ _unit([asked])[0]) for one, seed in truth.items()}
        assert set(ids[0].tolist()) == set(truth)
        assert list(scores[0]) == sorted(scores[0], reverse=True)
        assert all(
            score == pytest.approx(expected[one], abs=2e-3)
            for one, score in zip(ids[0].tolist(), scores[0], strict=True)
        )


def _unit(seeds: Sequence[int]) -> np.ndarray:
    rows = np.stack([np.random.default_rng(seed).normal(size=8) for seed in seeds]).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


# --- readers ---------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=10)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["id", "turns", "messages", "role", "text", "comments", "body", "events", "x"]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=8,
)
FILES = st.one_of(
    st.binary(max_size=300),
    st.lists(JSON, max_size=5).map(lambda rows: "\n".join(map(json.dumps, rows)).encode()),
    JSON.map(lambda row: json.dumps(row).encode()),
    st.lists(st.lists(st.text(max_size=8), max_size=4).map(",".join), max_size=5).map(
        lambda rows: ("conversation_id,role,text\n" + "\n".join(rows)).encode("utf-8", "replace")
    ),
)


@QUICK
@given(content=FILES, name=st.sampled_from(["a.json", "a.jsonl", "a.csv", "a.txt", "a.yml"]))
def test_whatever_a_file_holds_it_is_read_or_refused_in_words(
    content: bytes, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = Path(tmp_path_factory.mktemp("file")) / name
    path.write_bytes(content)
    try:
        rows = list(open_transcripts(path).rows())
    except FrontdeskError as error:
        assert error.message and error.as_json()
        return
    assert all(isinstance(row, Transcript | RowError) for row in rows)
