"""docs/settings.md against the settings: each documented, with the right default, and nothing invented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from chatbot.settings import Settings

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
ROW = re.compile(r"^\| `(?P<name>[A-Z_]+)` \| `?(?P<default>[^|`]*)`? \| (?P<help>.+) \|$", re.MULTILINE)


def variable(name: str) -> str:
    alias = Settings.model_fields[name].validation_alias
    return alias if isinstance(alias, str) else f"FRONTDESK_{name.upper()}"


def documented() -> dict[str, tuple[str, str]]:
    rows = ROW.finditer(DOCUMENT.read_text("utf-8"))
    return {row["name"]: (row["default"].strip(), row["help"].strip()) for row in rows}


def test_every_setting_is_documented_and_nothing_else() -> None:
    assert set(documented()) == {variable(name) for name in Settings.model_fields}


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_the_document_states_the_default_and_the_help(name: str) -> None:
    field = Settings.model_fields[name]
    default, text = documented()[variable(name)]
    assert default == str(field.default)
    assert text == (field.description or "").replace("|", "\\|")


def test_every_setting_says_what_it_is_for() -> None:
    assert all((field.description or "").endswith(".") for field in Settings.model_fields.values())


def test_a_setting_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_WEB_THREADS", "4")
    monkeypatch.setenv("PORT", "6001")
    read = Settings(_env_file=None)
    assert (read.web_threads, read.port) == (4, 6001)


def test_an_unusable_value_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_DEVICE", "abacus")
    with pytest.raises(ValidationError, match="device"):
        Settings(_env_file=None)


def test_the_data_folder_decides_where_everything_lies(tmp_path: Path) -> None:
    read = Settings(_env_file=None, data=tmp_path)
    folders = (read.releases, read.encoders, read.uploads)
    assert all(folder.parent == tmp_path for folder in folders)
    assert read.database == f"sqlite:///{tmp_path / 'frontdesk.db'}"
