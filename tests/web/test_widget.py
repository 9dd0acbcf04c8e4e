"""The widget's files: small, strict, kept by browsers, and every word in every language."""

from __future__ import annotations

import gzip
import json
import re

import pytest
from flask.testing import FlaskClient

from web.tokens import tokens
from web.widget import assets
from web.widget.languages import Languages

LANGUAGES = Languages()
STATIC = assets.PACKAGE / "static"
SCRIPTS = {entry.name: entry.read_text("utf-8") for entry in STATIC.iterdir() if entry.name.endswith(".js")}
LIMIT_BYTES = 30_000


def keys(words: dict[str, object], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for name, value in words.items():
        found |= keys(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name}
    return found


def test_loader_and_app_are_at_most_30_kb_gzipped() -> None:
    sent = [assets.read(name) for name in ("widget.js", "app.css", *assets.MODULES)]
    sent.append(LANGUAGES.chat_json("zh"))
    assert sum(len(gzip.compress(content)) for content in sent) <= LIMIT_BYTES


_COMMENTS = re.compile(r"(?:^|\s)//[^\n]*|^[ \t]*/\*.*?\*/[ \t]*$|\s/\* [^\n]* \*/", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_what_is_sent_is_what_was_written_without_comments_and_space(name: str) -> None:
    sent, written = assets.read(name).decode("utf-8"), _COMMENTS.sub("", SCRIPTS[name])
    sent = re.sub(r"^:host\{--.*", "", sent, flags=re.MULTILINE)  # the tokens that its style uses
    assert "".join(sent.split()) == "".join(written.split())
    assert len(sent) < len(SCRIPTS[name])
    texts = re.findall(r"""(?<=[(:,=\[ ])"(?:[^"\n,]* [^"\n]*)"(?=[),:;\]])""", written)
    assert [text for text in texts if text not in sent] == []


def test_a_style_keeps_the_spaces_that_mean_something() -> None:
    sent = assets.read("app.css").decode("utf-8")
    assert "calc(100% + 4px)" in sent
    assert "@media (pointer:coarse)" in sent
    assert "/*" not in sent


@pytest.mark.parametrize("name", ["app.css", "help.css"])
def test_a_style_brings_the_tokens_that_it_uses_and_no_colour_of_its_own(name: str) -> None:
    written, sent = (STATIC / name).read_text("utf-8"), assets.read(name).decode("utf-8")
    used = set(re.findall(r"var\(--([\w-]+)", written))
    assert used <= set(tokens())
    brought = set(re.findall(r"--([\w-]+):", sent)) - set(re.findall(r"--([\w-]+):", written))
    by_script = {"accent", "accent-strong", "on-accent"} if name == "app.css" else set()
    assert brought - used == set() and used - brought <= by_script | {"bubble", "pill", "dot"}
    assert (
        f"--surface:{tokens()['surface'].light}" in sent and f"--surface:{tokens()['surface'].dark}" in sent
    )
    assert re.findall(r"#[0-9a-f]{3,8}\b", written) in ([], ["#000"])  # a mask's


def test_the_button_on_a_companys_page_is_made_of_the_tokens() -> None:
    written, sent = SCRIPTS["widget.js"], assets.read("widget.js").decode("utf-8")
    style = written.split("=> `")[1].split("`;")[0]
    assert re.findall(r"#[0-9a-f]{3,8}\b|\brgb|(?<!\w)[.\d]*[1-9]m?s\b", style) == []
    known, (_, light, dark, *more) = tokens(), sent.split(":host{")
    for name in ("bad", "surface", "float", "quick"):
        assert f"--{name}:{known[name].light}".replace(" ", "") in light.replace(" ", "")
        changes = known[name].dark != known[name].light
        assert (f"--{name}:{known[name].dark}".replace(" ", "") in dark.replace(" ", "")) == changes, name
    assert more == [] and "--accent:" not in sent


def test_every_module_is_served_and_preloaded() -> None:
    imported = {name for text in SCRIPTS.values() for name in re.findall(r'from "\./([\w.]+)"', text)}
    assert imported <= set(assets.MODULES)
    assert set(assets.MODULES) == set(SCRIPTS) - {"widget.js", "help.js", "preview.js", "sound.js"}


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_no_script_makes_markup_of_text_or_speaks_to_just_anybody(name: str) -> None:
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser"
    to_anybody = r"postMessage\([^)]*['\"]\*['\"]"
    code = re.sub(r"^\s*(//|\*).*$", "", SCRIPTS[name], flags=re.M)
    assert not re.findall(f"{forbidden}|{to_anybody}", code)


def test_page_and_frame_use_the_one_table_of_messages() -> None:
    table = SCRIPTS["messages.js"]
    to_frame, to_page = (
        set(re.findall(r'"(\w+)"', re.search(rf"{name} = \[(.*?)\]", table).group(1)))  # type: ignore[union-attr]
        for name in ("TO_FRAME", "TO_PAGE")
    )
    loader, app = SCRIPTS["widget.js"], SCRIPTS["app.js"]
    sent = set(re.findall(r'(?:tell|post)\(\s*"(\w+)"', loader)) | set(
        re.findall(r'\? "(show)" : "(hide)"', loader)[0]
    )
    assert sent == to_frame
    handled = re.search(r"const received = \{(.*?)\n\};", app, re.S).group(1)  # type: ignore[union-attr]
    assert set(re.findall(r"^  (\w+):", handled, re.M)) == to_frame
    assert set(re.findall(r'toPage\("(\w+)"', app)) == to_page
    assert set(re.findall(r'type === "(\w+)"', loader)) == to_page


def test_every_language_has_every_word_with_the_same_places() -> None:
    english = LANGUAGES.words("en")
    for language in LANGUAGES.codes:
        words = LANGUAGES.words(language)
        assert keys(words) == keys(english)
        for path in keys(english):
            one, other = english, words
            for part in path.split("."):
                one, other = one[part], other[part]
            assert set(re.findall(r"\{\w+\}", str(one))) == set(re.findall(r"\{\w+\}", str(other))), path


def test_a_sentence_about_a_nameless_colleague_begins_as_a_sentence() -> None:
    words = LANGUAGES.words("en")
    told = words["human"].replace("{agent}", words["colleague"])
    assert told == "Now a colleague is on it."


def test_every_word_that_a_script_asks_for_is_there() -> None:
    known = keys(json.loads(LANGUAGES.chat_json("en")))
    asked = {key for text in SCRIPTS.values() for key in re.findall(r'\bt\("([\w.]+)"', text)}
    assert asked
    assert asked <= known


def test_files_are_kept_for_a_year_under_an_address_of_their_content(client: FlaskClient) -> None:
    page = client.get("/chat").get_data(as_text=True)
    addresses = set(re.findall(r'(?:src|href)="(/widget/[^"]+)"', page))
    assert len(addresses) >= len(assets.MODULES) + 1
    for address in addresses:
        response = client.get(address)
        assert response.status_code == 200
        assert "immutable" in response.headers["Cache-Control"]
    old = client.get("/widget/000000000000/app.js")
    assert old.headers["Cache-Control"] == "no-store"


def test_the_loader_is_for_every_site_and_asked_for_again_soon(client: FlaskClient) -> None:
    first = client.get("/widget.js")
    assert first.mimetype == "text/javascript"
    assert first.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert int(re.search(r"max-age=(\d+)", first.headers["Cache-Control"]).group(1)) <= 600  # type: ignore[union-attr]
    assert client.get("/widget.js", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize(
    ("address", "header", "language"),
    [
        ("/chat", "zh-TW,en;q=0.5", "zh"),
        ("/chat?locale=zh-Hans-CN", "en", "zh"),
        ("/chat?locale=fr", "zh", "zh"),
        ("/chat", "fr", "en"),
        ("/chat?locale=%3Cscript%3E", "", "en"),
    ],
)
def test_the_language_is_the_one_asked_for_else_the_browsers(
    client: FlaskClient, address: str, header: str, language: str
) -> None:
    page = client.get(address, headers={"Accept-Language": header}).get_data(as_text=True)
    assert f'<html lang="{language}">' in page
    config = json.loads(re.search(r'id="config">(.*?)</script>', page, re.S).group(1))  # type: ignore[union-attr]
    assert config["locale"] == language
    assert config["words"] == json.loads(LANGUAGES.chat_json(language))
