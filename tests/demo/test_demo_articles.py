"""The demo company's help articles against its fact sheet.

The bot copies and cites single sentences of the articles, and the test set expects the facts of `topics.yaml`;
a figure that is missing or wrong in one language would make the bot wrong in that language.
"""

import re
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

DEMO = Path(str(files("ingest.demo")))
TOPICS = {topic["slug"]: topic for topic in yaml.safe_load((DEMO / "topics.yaml").read_text("utf-8"))}
LANGUAGES = ("en", "zh")
MONTHS = {"January": 1, "November": 11, "December": 12}
NUMBER = re.compile(r"\d[\d,.]*\d|\d")
LITERAL = re.compile(
    r"[\w.]+@kettleandcrane\.example|kettleandcrane\.example/\w+|E-\d{4}|Swiftline|PayPal"
    r"|Crane (?:Mini|One|Duo|Canister)|Heron (?:40|Hand|Parcel)|Ibis Kettle"
)


class Article(NamedTuple):
    front: dict
    body: str


def read_article(slug: str, lang: str) -> Article:
    _, front, body = (DEMO / "articles" / lang / f"{slug}.md").read_text("utf-8").split("---\n", 2)
    return Article(yaml.safe_load(front), body)


def figures_of(topic: dict, lang: str) -> set[str]:
    """The numbers an article must give; step numbers are the numbering of its list."""
    facts = re.sub(r"[Ss]tep \d+(?=:)", "", " ".join(topic["facts"]))
    figures = set(NUMBER.findall(facts))
    if lang == "zh":  # months are written as numbers
        figures |= {str(number) for month, number in MONTHS.items() if month in facts}
    return figures


def length_of(body: str, lang: str) -> int:
    """Words in English; Chinese characters plus Latin words and numbers in Chinese."""
    text = re.sub(r"^(?:#+|-|\d\.) ", "", body, flags=re.M)
    if lang == "en":
        return len(text.split())
    return len(re.findall(r"[\u4e00-\u9fff]|[A-Za-z0-9][A-Za-z0-9@.+:,/-]*", text))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_topic_has_its_article_and_no_article_is_left_over(lang):
    assert {path.stem for path in (DEMO / "articles" / lang).glob("*.md")} == set(TOPICS)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_section_has_one_name_that_visitors_can_read(lang):
    named = {(topic["section"], read_article(slug, lang).front["section"]) for slug, topic in TOPICS.items()}
    sections, names = zip(*sorted(named), strict=True)
    assert len(set(sections)) == len(set(names)) == len(named)
    readable = re.compile(r"[\u4e00-\u9fff]+" if lang == "zh" else r"[A-Z][a-z ]+")
    assert all(readable.fullmatch(name) for name in names)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("slug", TOPICS)
def test_an_article_agrees_with_the_fact_sheet(slug, lang):
    topic, article = TOPICS[slug], read_article(slug, lang)
    prefix = "zh/" if lang == "zh" else ""
    assert article.front["slug"] == slug
    assert article.front["lang"] == lang
    assert article.front["title"] == topic[f"title_{lang}"]
    assert article.front["url"] == f"https://kettleandcrane.example/{prefix}help/{slug}"
    assert figures_of(topic, lang) - set(NUMBER.findall(article.body)) == set()
    assert {name for name in LITERAL.findall(" ".join(topic["facts"])) if name not in article.body} == set()


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("slug", TOPICS)
def test_an_article_states_no_figure_beyond_the_fact_sheet(slug, lang):
    topic, article = TOPICS[slug], read_article(slug, lang)
    body = re.sub(r"^\d\. ", "", article.body, flags=re.M)
    counted_out = set("12345")  # zones and steps referred to by number
    assert set(NUMBER.findall(body)) - figures_of(topic, lang) - counted_out == set()


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("slug", TOPICS)
def test_an_article_answers_before_its_first_heading_and_stays_short(slug, lang):
    article = read_article(slug, lang)
    opening = article.body.strip().split("\n## ", 1)[0]
    assert not opening.startswith(("#", "-", "1."))
    assert 1 <= article.body.count("\n## ") <= 3
    low, high = (80, 180) if lang == "en" else (130, 320)
    assert low <= length_of(article.body, lang) <= high
