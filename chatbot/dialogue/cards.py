"""Cards: a title, a few words, a picture and links, shown under what was said.

They are stored and sent as JSON (``Card.as_json``). People write them as text, one after the other with a line of
``---`` between::

    Express delivery
    Ordered before 14:00, with you tomorrow.
    ![A courier on a bicycle](https://images.example.com/express.jpg)
    [How it works](https://www.example.com/delivery)

Links are https, or a path on this installation; so are pictures, which come from the hosts that the operator allows
(``FRONTDESK_IMAGE_HOSTS``) and never without words for whoever does not see them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import quote, urlsplit

from chatbot.errors import InputError

MOST_CARDS = 10
MOST_LINKS = 3
LONGEST_TITLE = 100
LONGEST_TEXT = 400
LONGEST_LABEL = 60  # of a link
LONGEST_ALT = 200
LONGEST_ADDRESS = 1_000
RULE = "---"
_PICTURE = re.compile(r"!\[([^\]\n]*)\]\(([^()\n]+)\)")
_LINK = re.compile(r"\[([^\]\n]*)\]\(([^()\n]+)\)")
_SLOT = re.compile(r"\{[^{}]*\}")
_HOST = re.compile(r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?")


@dataclass(frozen=True, slots=True)
class CardLink:
    title: str
    url: str

    def __post_init__(self) -> None:
        _length("title", self.title, LONGEST_LABEL, needed="A link needs words")
        check_address(self.url, "url")


@dataclass(frozen=True, slots=True)
class Card:
    """``image`` is empty where there is no picture. Raises InputError for what cannot be shown."""

    title: str
    text: str = ""
    image: str = ""
    alt: str = ""
    links: tuple[CardLink, ...] = ()

    def __post_init__(self) -> None:
        _length("title", self.title, LONGEST_TITLE, needed="A card needs a title")
        _length("text", self.text, LONGEST_TEXT)
        _length("alt", self.alt, LONGEST_ALT)
        if self.image:
            check_address(self.image, "image")
            if not self.alt:
                raise InputError(
                    "A picture needs words for whoever does not see it",
                    field="alt",
                    value=self.image,
                    remedy="Say in a few words what it shows: ![a red bicycle](https://…)",
                )
        if len(self.links) > MOST_LINKS:
            raise InputError(
                "A card has too many links",
                field="links",
                value=len(self.links),
                remedy=f"Use at most {MOST_LINKS}",
            )

    @property
    def texts(self) -> tuple[str, ...]:
        """Everything that is written on it, addresses as well."""
        links = (text for link in self.links for text in (link.title, link.url))
        return (self.title, self.text, self.image, self.alt, *links)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"links": [asdict(link) for link in self.links]}


def _length(field: str, text: str, most: int, *, needed: str = "") -> None:
    if needed and not text:
        raise InputError(needed, field=field, remedy="Write it")
    if len(text) > most:
        raise InputError(
            "Too long for a card", field=field, value=text[:60], remedy=f"Use at most {most} characters"
        )


def check_address(address: str, field: str) -> None:
    """Raises InputError for an address that is neither https nor a path on this installation. Slots are let through:
    a template has them (``_without_slots``)."""
    bare = "/" if _SLOT.fullmatch(address) else _SLOT.sub("x", address)
    try:
        parts = urlsplit(bare)
        on_the_web = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
        _ = parts.port
    except ValueError:
        on_the_web = False
    path_here = bare.startswith("/") and not bare.startswith(("//", "/\\"))
    if (
        len(address) > LONGEST_ADDRESS
        or not (on_the_web or path_here)
        or any(
            character.isspace() or character in '<>"\\' or not character.isprintable() for character in bare
        )
    ):
        raise _no_address(address, field)


def _no_address(address: str, field: str) -> InputError:
    return InputError(
        "Not an address that a card may lead to",
        field=field,
        value=address[:120],
        remedy="Use one that begins with https://, or with / for a page of this installation",
    )


def image_hosts(setting: str) -> tuple[str, ...]:
    """The hosts of ``FRONTDESK_IMAGE_HOSTS``, as a policy names them. Raises InputError for what is no host."""
    hosts = tuple(part.strip().lower() for part in setting.split(",") if part.strip())
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise InputError(
                "Not a host",
                field="FRONTDESK_IMAGE_HOSTS",
                value=host,
                remedy="Write names with commas between, for example images.example.com, *.cdn.example.com",
            )
    return hosts


def check_images(cards: Iterable[Card], hosts: Sequence[str]) -> None:
    """Raises InputError for a picture from a host that the pages' policy does not let in."""
    for card in cards:
        host = urlsplit(card.image).netloc.lower().removesuffix(":443")
        if host and not any(
            host == one or (one.startswith("*.") and host.endswith(one[1:])) for one in hosts
        ):
            raise InputError(
                "Pictures from this host are not shown",
                field="image",
                value=host,
                remedy="Use a picture of this installation, or add the host to FRONTDESK_IMAGE_HOSTS",
            )


def cards_from_json(rows: Iterable[Mapping[str, Any]] | None) -> tuple[Card, ...]:
    """Cards as stored or as the API takes them; what this version does not know is left alone. Raises InputError."""
    cards = tuple(
        Card(
            str(row.get("title") or "").strip(),
            str(row.get("text") or "").strip(),
            str(row.get("image") or "").strip(),
            str(row.get("alt") or "").strip(),
            tuple(
                CardLink(str(link.get("title") or "").strip(), str(link.get("url") or "").strip())
                for link in row.get("links") or ()
            ),
        )
        for row in rows or ()
    )
    return _without_slots(_few(cards))


def cards_from_text(text: str, *, slots: bool = False) -> tuple[Card, ...]:
    """Cards as people write them; ``slots``: of a template, so that addresses may have some. Raises InputError."""
    cards = []
    block: list[str] = []
    for line in [*text.strip().splitlines(), RULE]:
        if line.strip() != RULE:
            block.append(line.strip())
        elif any(block):
            cards.append(_card(block))
            block = []
        else:
            block = []
    found = _few(tuple(cards))
    return found if slots else _without_slots(found)


def _card(lines: Sequence[str]) -> Card:
    words: list[str] = []
    links: list[CardLink] = []
    image, alt = "", ""
    for line in lines:
        if picture := _PICTURE.fullmatch(line):
            alt, image = picture[1].strip(), picture[2]
        elif link := _LINK.fullmatch(line):
            links.append(CardLink(link[1].strip(), link[2]))
        else:
            words.append(line)
    title, _, text = "\n".join(words).strip().partition("\n")
    return Card(title.strip(), text.strip(), image, alt, tuple(links))


def _few(cards: tuple[Card, ...]) -> tuple[Card, ...]:
    if len(cards) > MOST_CARDS:
        raise InputError(
            "Too many cards", field="cards", value=len(cards), remedy=f"Use at most {MOST_CARDS}"
        )
    return cards


def _without_slots(cards: tuple[Card, ...]) -> tuple[Card, ...]:
    for card in cards:
        for field, address in (("image", card.image), *(("url", link.url) for link in card.links)):
            if "{" in address or "}" in address:
                raise _no_address(address, field)
    return cards


def cards_to_text(cards: Iterable[Card]) -> str:
    """As ``cards_from_text`` reads it."""
    blocks = []
    for card in cards:
        lines = [card.title, card.text, f"![{card.alt}]({card.image})" if card.image else ""]
        lines += [f"[{link.title}]({link.url})" for link in card.links]
        blocks.append("\n".join(line for line in lines if line))
    return f"\n{RULE}\n".join(blocks)


def cards_of(role: str, reply: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """The cards of a stored turn, as JSON: the bot's stand in the parts of its reply, an agent's beside his words."""
    if role == "agent":
        return list((reply or {}).get("cards") or ())
    parts = (reply or {}).get("parts", ()) if role == "bot" else ()
    return [card for part in parts for card in part.get("cards", ())]


def in_plain_words(cards: Iterable[Mapping[str, Any]] | None) -> str:
    """Cards (as JSON) for whoever cannot show them: title, words and links in Markdown, without the picture."""
    blocks = []
    for card in cards or ():
        links = [f"[{link['title']}]({link['url']})" for link in card["links"]]
        blocks.append("\n".join(line for line in (f"**{card['title']}**", card["text"], *links) if line))
    return "\n\n".join(blocks)


def with_cards(text: str, cards: Iterable[Mapping[str, Any]] | None) -> str:
    """``text`` and under it its cards in plain words."""
    return "\n\n".join(block for block in (text, in_plain_words(cards)) if block)


def filled(cards: Iterable[Card], fill: Callable[[str], str]) -> tuple[Card, ...]:
    """Cards with their slots filled in by ``fill``. Inside an address a value is quoted; an address that is nothing
    but a slot is the value itself. Raises InputError where an address leads nowhere then."""

    def address(given: str) -> str:
        if _SLOT.fullmatch(given):
            return fill(given)
        return _SLOT.sub(lambda match: quote(fill(match[0]), safe=""), given)

    return _without_slots(
        tuple(
            replace(
                card,
                title=fill(card.title)[:LONGEST_TITLE],
                text=fill(card.text)[:LONGEST_TEXT],
                image=address(card.image),
                alt=fill(card.alt)[:LONGEST_ALT],
                links=tuple(
                    CardLink(fill(link.title)[:LONGEST_LABEL], address(link.url)) for link in card.links
                ),
            )
            for card in cards
        )
    )
