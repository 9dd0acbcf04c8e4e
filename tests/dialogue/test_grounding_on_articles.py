"""The check on the demo company's articles: what they say passes, what is changed in them is caught.

Every fourth sentence, each changed in every way that applies. The shares are measured floors, not wishes.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatbot.dialogue.grounding import check
from chatbot.dialogue.wording import sentences

ARTICLES = Path(__file__).parents[2] / "ingest" / "demo" / "articles"
SWAPS = {
    "en": {
        "unit": [("working days", "days"), ("months", "years"), ("€", "$"), ("Heron Parcel", "Swift Express")],
        "negated": [(" can be ", " cannot be "), (" is ", " is not "), (" are ", " are not ")],
        "plain": [("cannot", "can"), ("is not", "is"), ("are not", "are"), ("no longer ", ""), ("without", "with")],
    },
    "zh": {
        "unit": [("个工作日", "天"), ("小时", "天"), ("个月", "年"), ("欧元", "美元"), ("Heron Parcel", "顺丰")],
        "negated": [("可以", "不可以"), ("会", "不会"), ("需要", "不需要")],
        "plain": [("不能", "能"), ("无法", "可以"), ("不会", "会"), ("无需", "需要")],
    },
}  # fmt: skip
FLOORS = {"number": 0.93, "unit": 0.9, "negated": 0.95, "plain": 0.93, "promise": 1.0}


def statements(lang: str, *, every: int = 4) -> Iterator[tuple[str, str]]:
    """(sentence, its article as a source), every so many sentences."""
    number = 0
    for file in sorted((ARTICLES / lang).glob("*.md")):
        _, front, body = file.read_text(encoding="utf-8").split("---", 2)
        title = re.search(r"title: (.*)", front)
        source = f"{title.group(1) if title else ''}\n" + re.sub(r"^#+ ", "", body, flags=re.MULTILINE)
        for sentence in sentences(re.sub(r"^#+ .*$", "", body, flags=re.MULTILINE)):
            number += 1
            if number % every == 0:
                yield sentence, source


def changed(sentence: str, lang: str) -> Iterator[tuple[str, str]]:
    for match in re.finditer(r"\d+", sentence):
        yield "number", sentence[: match.start()] + str(int(match.group()) + 7) + sentence[match.end() :]
    for kind, swaps in SWAPS[lang].items():
        for old, new in swaps:
            if old in sentence and not (kind == "negated" and "不" + old in sentence):
                yield kind, sentence.replace(old, new, 1)
    yield (
        "promise",
        sentence.rstrip(".。")
        + {"en": " and we guarantee a full refund.", "zh": "，我们保证全额退款。"}[lang],
    )


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_an_article_says_passes_and_what_is_changed_in_it_is_caught(lang: str) -> None:
    passed = total = 0
    caught: dict[str, int] = dict.fromkeys(FLOORS, 0)
    tried: dict[str, int] = dict.fromkeys(FLOORS, 0)
    for sentence, source in statements(lang):
        total += 1
        passed += check(sentence, sources=[source], customer=[], lang=lang).passed
        for kind, draft in changed(sentence, lang):
            tried[kind] += 1
            caught[kind] += not check(draft, sources=[source], customer=[], lang=lang).passed
    assert total > 100
    assert passed / total >= 0.97
    for kind, floor in FLOORS.items():
        assert tried[kind] >= 5
        assert caught[kind] / tried[kind] >= floor, (kind, caught[kind], tried[kind])


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_hardly_a_sentence_of_the_articles_is_refused(lang: str) -> None:
    """All but the shortest (可以。), which no draft is."""
    all_of_them = [found for found in statements(lang, every=1) if sum(map(str.isalnum, found[0])) > 3]
    refused = [
        (sentence, held.reasons)
        for sentence, source in all_of_them
        if not (held := check(sentence, sources=[source], customer=[], lang=lang)).passed
    ]
    assert len(all_of_them) > 500
    assert len(refused) <= 0.01 * len(all_of_them), refused
    assert not [one for one in refused if "no look-up" in str(one) or "restriction" in str(one)]
