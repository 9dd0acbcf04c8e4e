"""Which conversations the inbox marks as a displeased customer's: those that the company's own labels say, and none
without such labels."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chatbot.errors import BundleError
from chatbot.inference.label_sets import FOLDER, REPORT_FILE, SENTIMENT, remove_label_set
from chatbot.inference.mood import Mood
from chatbot.learning.classifier_data import Recipe
from chatbot.learning.label_sets import LabelledText, train_label_set
from chatbot.settings import Settings
from web.admin import mood_by_day
from web.context import parts_of
from web.inbox.words import words
from web.language import catalogue
from web.mood import LOOK_SECONDS, Moods

TINY = Recipe(steps=120, least_epochs=1, embedding=24, hidden=12, buckets=256, encoder_vectors=False)
TEXTS = {
    ("en", "positive"): ("the {} was lovely", "thanks, the {} is great", "a perfect {}"),
    ("en", "negative"): ("the {} was awful", "your {} is broken again", "such a rude {}"),
    ("zh", "positive"): ("{}很好，谢谢", "{}不错", "很喜欢这个{}"),
    ("zh", "negative"): ("{}太差了", "{}又坏了", "{}真让人失望"),
}
THINGS = {
    "en": "parcel driver shop box lamp chair table bike food soup",
    "zh": "包裹 司机 商店 盒子 台灯 椅子 桌子 单车 饭菜 汤",
}
ROWS = [
    LabelledText(text.format(thing), label, lang)
    for (lang, label), texts in TEXTS.items()
    for text in texts
    for thing in THINGS[lang].split()
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("mood")
    report = train_label_set(data, SENTIMENT, ROWS, device="cpu", recipe=TINY)
    assert report.accuracy >= 0.9 and report.unhappy == ("negative",)
    return data


@pytest.mark.parametrize(
    ("locale", "angry", "calm", "words_of_it"),
    [
        (
            "en",
            "the lamp was awful and your driver was rude",
            "thanks, the lamp is lovely",
            "Seems displeased",
        ),
        ("zh", "台灯太差了，又坏了", "台灯很好，谢谢", "似有不满"),
    ],
)
def test_the_queue_and_the_conversation_mark_who_reads_displeased(
    app: Flask,
    client: FlaskClient,
    settings: Settings,
    signed_in: Callable[..., FlaskClient],
    trained: Path,
    locale: str,
    angry: str,
    calm: str,
    words_of_it: str,
):
    app.config["WTF_CSRF_ENABLED"] = False
    parts_of(app).moods._clock = clock = Clock()
    waiting = [wait(client, locale, text) for text in (angry, calm)]
    mei = signed_in("agent", "Mei")

    def marks() -> list[bool]:
        found = mei.get(f"/admin/inbox/snapshot?open={first}").get_json()
        marked = [line["displeased"] for line in found["queue"]["lines"]]
        assert found["conversation"]["displeased"] == marked[0]
        return marked

    first = mei.get("/admin/inbox/snapshot").get_json()["queue"]["lines"][0]["id"]
    assert marks() == [False, False]  # nobody has trained such labels
    (settings.data / FOLDER).mkdir(parents=True, exist_ok=True)
    (settings.data / FOLDER / SENTIMENT).symlink_to(trained / FOLDER / SENTIMENT)
    assert marks() == [False, False]  # not looked at every second
    clock.now += LOOK_SECONDS
    assert marks() == [True, False]
    with app.test_request_context(headers={"Accept-Language": locale}):
        assert words()["displeased"] == words_of_it
    waiting[0]("/messages", {"text": calm})
    waiting[0]("/messages", {"text": calm})
    assert marks() == [False, False]  # what was said last counts most
    waiting[1]("/messages", {"text": angry})
    assert marks() == [False, True]


def test_labels_that_were_trained_anew_are_read_and_removed_ones_forgotten(tmp_path: Path):
    clock, loaded = Clock(), []

    class Everybody(Mood):
        def __init__(self) -> None:
            loaded.append(clock.now)

        def displeased(self, said: Any) -> bool:
            return True

    moods = Moods(tmp_path, load=lambda folder: Everybody(), clock=clock)
    assert not moods.displeased(("a",)) and loaded == []
    report = tmp_path / FOLDER / SENTIMENT / REPORT_FILE
    report.parent.mkdir(parents=True)
    report.write_text("{}")
    clock.now += LOOK_SECONDS
    assert moods.displeased(("a",)) and moods.displeased(("b",)) and len(loaded) == 1
    clock.now += LOOK_SECONDS
    assert moods.displeased(("a",)) and len(loaded) == 1
    os.utime(report, ns=(1, 1))
    clock.now += LOOK_SECONDS
    assert moods.displeased(("a",)) and len(loaded) == 2
    remove_label_set(tmp_path, SENTIMENT)
    clock.now += LOOK_SECONDS
    assert not moods.displeased(("a",))


def test_damaged_labels_mark_nothing_and_the_log_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    folder = tmp_path / FOLDER / SENTIMENT
    folder.mkdir(parents=True)
    (folder / REPORT_FILE).write_text("{}")
    with pytest.raises(BundleError):
        Mood.load(folder)
    clock = Clock()
    moods = Moods(tmp_path, clock=clock)
    for _ in range(3):
        assert not moods.displeased(("awful",))
        clock.now += LOOK_SECONDS
    told = [record for record in caplog.records if "displeased" in record.getMessage()]
    assert len(told) == 1


@pytest.mark.parametrize(("accept", "words_of_it"), [("en", "Seems displeased"), ("zh", "似有不满")])
def test_the_overview_draws_who_seems_displeased_day_by_day(
    app: Flask,
    client: FlaskClient,
    signed_in: Callable[..., FlaskClient],
    monkeypatch: pytest.MonkeyPatch,
    accept: str,
    words_of_it: str,
):
    for locale, text in (("en", "this is broken again"), ("en", "thank you"), ("zh", "又坏了 again")):
        wait(client, locale, text)
    viewer = signed_in("viewer")
    title = (
        catalogue("zh").get("Share of the customers who seem displeased", "")
        if accept == "zh"
        else "Share of the customers who seem displeased"
    )
    page = viewer.get("/admin/?days=7", headers={"Accept-Language": accept}).text
    assert title not in page and words_of_it not in page  # nobody has trained such labels

    monkeypatch.setattr(Moods, "known", True)
    monkeypatch.setattr(Moods, "displeased", lambda self, said: "again" in said[-1])
    page = viewer.get("/admin/?days=7", headers={"Accept-Language": accept}).text
    assert title and title in page and words_of_it in page

    def told(query: str) -> tuple[str, ...]:
        file = viewer.get(f"/admin/figures/mood_days.csv?days=7{query}").get_data().decode("utf-8-sig")
        *_, today = csv.reader(io.StringIO(file))
        return tuple(today[1:])

    assert told("") == ("3", "2", "0.667")
    assert told("&lang=en") == ("2", "1", "0.5")
    monkeypatch.setattr(mood_by_day, "MOST_READ", 2)
    assert told("") == ("2", "2", "1.0")  # the first and the third


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def wait(client: FlaskClient, locale: str, text: str) -> Callable[[str, Any], None]:
    """A visitor who has written ``text`` and waits for a person."""
    begun = client.post("/api/v1/conversations", json={"locale": locale}).get_json()
    headers = {"Authorization": f"Bearer {begun['token']}"}

    def post(path: str, body: Any) -> None:
        answer = client.post(f"/api/v1/conversations/{begun['id']}{path}", json=body, headers=headers)
        assert answer.status_code < 300, answer.text

    post("/messages", {"text": text})
    post("/handover", {})
    return post
