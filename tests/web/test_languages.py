"""A company's own languages: a file in the data folder."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chatbot.errors import FileError
from chatbot.records.database import Database
from chatbot.settings import Settings
from web.doctor import examine
from web.widget.languages import Languages, packaged, read_file

FRENCH = {
    "name": "Français",
    "openChat": "Ouvrir le chat",
    "field": {"email": "Courriel"},
    "page": {"title": "Aide"},
}


def put(data: Path, words: Any, name: str = "fr.json") -> Path:
    folder = data / "locales"
    folder.mkdir(exist_ok=True)
    text = words if isinstance(words, str) else json.dumps(words, ensure_ascii=False)
    (folder / name).write_text(text, "utf-8")
    return folder / name


@pytest.fixture
def french_file(settings: Settings) -> None:
    put(settings.data, FRENCH)


@pytest.fixture
def app(french_file: None, app: Flask) -> Flask:
    """An application that has found the French file at its start."""
    return app


def config_of(page: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(re.search(r'id="config">(.*?)</script>', page, re.S).group(1))  # type: ignore[union-attr]
    return found


def test_a_file_in_the_data_folder_is_a_language_of_the_chat_and_the_help_pages(client: FlaskClient) -> None:
    page = client.get("/chat?locale=fr-CA").get_data(as_text=True)
    assert '<html lang="fr">' in page
    config = config_of(page)
    assert config["locales"] == {"en": "English", "fr": "Français", "zh": "中文"}
    assert config["words"]["openChat"] == "Ouvrir le chat"
    assert config["words"]["field"] == {
        "name": "Name",
        "email": "Courriel",
        "phone": "Phone",
    }  # what it lacks
    assert client.get(f"{config['assets']}/locales/fr.json").get_json() == config["words"]
    assert "Aide" in client.get("/?locale=fr").get_data(as_text=True)


def test_a_file_of_a_packaged_language_changes_the_words_it_holds(tmp_path: Path) -> None:
    before = Languages(tmp_path)
    put(tmp_path, {"person": "Talk to Mei"}, "en.json")
    after = Languages(tmp_path)
    assert after.words("en") == before.words("en") | {"person": "Talk to Mei"}
    assert after.words("zh") == before.words("zh") == packaged()["zh"]
    assert after.version != before.version  # browsers keep the old words under the old address


@pytest.mark.parametrize(
    ("words", "name", "named", "remedy"),
    [
        ({"name": "Français", "opnChat": "x"}, "fr.json", "fr.json: opnChat", "openChat"),
        ({"name": "Français", "human": "On s'en occupe."}, "fr.json", "fr.json: human", "{agent}"),
        ({"name": "Français", "send": "{agent}"}, "fr.json", "fr.json: send", "no {…}"),
        ({"name": "Français", "send": 7}, "fr.json", "fr.json: send", "Send"),
        ({"name": "Français", "field": "x"}, "fr.json", "fr.json: field", "name, email, phone"),
        ({"send": "Envoyer"}, "fr.json", "fr.json: name", "Français"),
        (["Envoyer"], "fr.json", "fr.json", "object"),
        ("{", "fr.json", "fr.json", "JSON"),
        (FRENCH, "french.json", "french.json", "fr.json"),
    ],
)
def test_a_file_that_is_wrong_is_not_used_and_the_word_is_named_with_what_to_write(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, words: Any, name: str, named: str, remedy: str
) -> None:
    path = put(tmp_path, words, name)
    with pytest.raises(FileError) as raised:
        read_file(path)
    assert raised.value.field == named
    assert remedy in (raised.value.remedy or "")
    with caplog.at_level(logging.ERROR):
        assert Languages(tmp_path).codes == ("en", "zh")
    assert named in caplog.text


def test_the_doctor_names_what_is_wrong_and_what_is_still_english(
    settings: Settings, database: Database
) -> None:
    put(settings.data, FRENCH)
    put(settings.data, FRENCH | {"opnChat": "x"}, "de.json")
    put(settings.data, {"send": "Go"}, "en.json")
    found = {one.level: one for one in examine(settings) if one.what == "languages"}
    assert "de.json: opnChat" in found["error"].message
    assert found["error"].remedy == "Call it openChat"
    assert "fr.json lacks" in found["warning"].message
    assert found["warning"].remedy.startswith("Translate assistant, attach")
    assert "en.json" in found["fine"].message


def test_the_form_before_the_chat_asks_in_every_language_of_the_site(
    app: Flask, client: FlaskClient, signed_in: Callable[..., FlaskClient]
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    admin = signed_in("admin")
    form = admin.get("/admin/widget").get_data(as_text=True)
    assert 'name="label_fr"' in form and 'name="greeting_fr"' in form
    asked = {"accent": "#0f766e", "ask_extra": "required", "label_en": "Order", "label_fr": "Commande"}
    assert admin.post("/admin/widget", data=asked).status_code == 303
    (field,) = config_of(client.get("/chat").get_data(as_text=True))["prechat"]
    assert field["label"] == {"en": "Order", "fr": "Commande"}
