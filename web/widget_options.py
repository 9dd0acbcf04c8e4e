"""How a site's widget looks and what it offers, as its admin set it: ``options["widget"]`` of the site, as JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from chatbot.errors import InputError

POSITIONS = ("right", "left")
THEMES = ("auto", "light", "dark")
CORNERS = ("round", "soft", "square")
CONTACT = ("name", "email", "phone")  # fields that the widget has words for in every language
MOST_FIELDS = 6
MOST_ATTACHMENT_MB = 25
LONGEST_DETAIL = 200  # characters
_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,29}")
_PATTERNS = {
    "email": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    "phone": re.compile(r"\+?[\d ()./-]{5,30}"),
}
_ANYTHING = re.compile(r".*", re.DOTALL)
_LIKE = {"email": "name@example.com", "phone": "+44 20 7946 0000"}


@dataclass(frozen=True, slots=True)
class PrechatField:
    """One field of the form before the chat. ``label`` by language; empty for those of CONTACT."""

    name: str
    required: bool = False
    label: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _FIELD_NAME.fullmatch(self.name):
            raise InputError(
                "Not a field name",
                field="prechat",
                value=self.name,
                remedy="Use small letters, digits and _, at most 30",
            )
        if self.name not in CONTACT and not self.label:
            raise InputError(
                "A field of your own needs a label",
                field="prechat",
                value=self.name,
                remedy="Give it a label",
            )

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> PrechatField:
        label = stored.get("label") or {}
        return cls(stored["name"], bool(stored.get("required")), tuple(sorted(label.items())))

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "required": self.required, "label": dict(self.label)}


@dataclass(frozen=True, slots=True)
class WidgetOptions:
    """``attachment_mb`` is the largest file a visitor may send, in MiB; 0: none at all. Sound is for visitors to
    switch on; nothing here can do it for them."""

    position: Literal["right", "left"] = "right"
    theme: Literal["auto", "light", "dark"] = "auto"
    corners: Literal["round", "soft", "square"] = "round"
    csat: bool = True  # ask for a mark when a conversation has ended
    attachment_mb: int = 10
    prechat: tuple[PrechatField, ...] = ()
    open_channels: bool = False  # the Rasa and deep-chat addresses answer without an API key

    def __post_init__(self) -> None:
        for name, allowed in (("position", POSITIONS), ("theme", THEMES), ("corners", CORNERS)):
            if getattr(self, name) not in allowed:
                raise InputError(
                    f"Unknown {name}",
                    field=name,
                    value=getattr(self, name),
                    remedy=f"Use one of {', '.join(allowed)}",
                )
        if not isinstance(self.attachment_mb, int) or not 0 <= self.attachment_mb <= MOST_ATTACHMENT_MB:
            raise InputError(
                "Not a size for files",
                field="attachment_mb",
                value=self.attachment_mb,
                remedy=f"Give 0 (no files) to {MOST_ATTACHMENT_MB} MiB",
            )
        names = [field.name for field in self.prechat]
        if len(names) > MOST_FIELDS or len(set(names)) < len(names):
            raise InputError(
                "Too many fields before the chat, or one twice",
                field="prechat",
                value=", ".join(names),
                remedy=f"Ask for at most {MOST_FIELDS} different things",
            )

    @classmethod
    def of_site(cls, site_options: Mapping[str, Any]) -> WidgetOptions:
        """From all the options of a site; what this version does not know is left alone."""
        stored = dict(site_options.get("widget") or {})
        known = {f.name for f in fields(cls)}
        values = {key: value for key, value in stored.items() if key in known}
        values["prechat"] = tuple(PrechatField.from_json(entry) for entry in values.get("prechat", ()))
        return cls(**values)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"prechat": [field.as_json() for field in self.prechat]}

    def labelled(self, details: Mapping[str, Any], lang: str) -> dict[str, Any]:
        """What a visitor told, under the site's own words for it instead of the fields' names."""
        words = {field.name: dict(field.label) for field in self.prechat}
        return {
            words.get(name, {}).get(lang) or words.get(name, {}).get("en") or name.capitalize(): value
            for name, value in details.items()
        }

    def read_details(
        self, given: Mapping[str, Any], *, enforce: bool, known: frozenset[str] = frozenset()
    ) -> dict[str, str]:
        """What a visitor told before the chat, cleaned. ``enforce``: required fields must be there, except those
        ``known`` already. Raises InputError that names the field."""
        fields_by_name = {field.name: field for field in self.prechat}
        found: dict[str, str] = {}
        for name, value in given.items():
            if name not in fields_by_name:
                raise InputError(
                    "This site does not ask for that",
                    field=f"details.{name}"[:60],
                    remedy=f"It asks for: {', '.join(fields_by_name) or 'nothing'}",
                )
            text = str(value).strip()
            if len(text) > LONGEST_DETAIL:
                raise InputError(
                    "That is too long",
                    field=f"details.{name}",
                    remedy=f"Use at most {LONGEST_DETAIL} characters",
                )
            if text and not _PATTERNS.get(name, _ANYTHING).fullmatch(text):
                raise InputError(
                    "That cannot be right",
                    field=f"details.{name}",
                    value=text,
                    remedy=f"Write it like {_LIKE[name]}",
                )
            if text:
                found[name] = text
        for field in self.prechat if enforce else ():
            if field.required and field.name not in found and field.name not in known:
                raise InputError(
                    "Needed before the chat", field=f"details.{field.name}", remedy="Fill it in and try again"
                )
        return found
