"""An article cut into passages: pieces that are found, quoted and read by themselves.

Passages follow the headings: a section's words never stand under another one's. Only a short answer, a lead with few
small sections below it, is read as one, under the lead's own heading and with those of the sections in its text. Lists,
tables and steps stay whole, and a list stays with the sentence that announces it; a long section is cut between
paragraphs, a long paragraph between sentences; a piece too small to stand alone joins the one before it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

from chatbot.records.knowledge import PassageDraft
from ingest.articles.links import absolute_in_markdown

PATH = " › "


@dataclass(frozen=True, slots=True)
class ChunkSizes:
    """In English words; a Chinese character counts ``han`` words (280 characters are 160 words)."""

    least: float = 40
    most: float = 160
    whole: float = 320  # up to here a list or a table is not cut
    han: float = 160 / 280
    sections: int = 3  # so many below a lead are still one answer; where there are more, each is one


@dataclass(frozen=True, slots=True)
class Block:
    """A top-level piece of Markdown as plain text. ``level`` is a heading's, else 0."""

    kind: str  # heading, text, list, table, code
    text: str
    level: int = 0


@dataclass(frozen=True, slots=True)
class _Chunk:
    """``path``: the title and the headings above the text."""

    path: tuple[str, ...]
    text: str


_MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_MARKDOWN.validateLink = lambda url: True  # type: ignore[method-assign]  # read as links, for `links` to judge
_WORD = re.compile(r"[A-Za-z\u00c0-\u024f0-9][\w'’.\-]*")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？；])")
_TAGS = re.compile(r"<[^<>]+>")
_UNSEEN = re.compile(r"<(script|style|del|strike|s)\b.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_TARGET = re.compile(r"""<a\b[^>]*?\bhref\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"<[A-Z][a-z]{2,}>")  # "<Settings>": no element is written so
_POWER = re.compile(r"(?:(?:^|[^\w.,£$€¥])(?P<base>10|2)|(?:^|[^A-Za-z])(?P<unit>mm|cm|dm|km|m|ft|in|yd))$")
_LINE = 80  # characters of a title
_TELLING = 3  # words that a title needs
_ANNOUNCES = (":", "：")


def passages_of(
    title: str, body: str, *, base: str = "", sizes: ChunkSizes = ChunkSizes()
) -> tuple[PassageDraft, ...]:
    """The passages of a Markdown article, in order; empty where it has no text. ``base``: the article's address, from
    which its relative links lead."""
    chunks = _joined(list(_chunks(blocks_of(body, base=base), title, sizes)), sizes)
    return tuple(PassageDraft(PATH.join(chunk.path), chunk.text) for chunk in chunks)


def first_heading(body: str) -> str | None:
    """The text of the first heading of level 1, if the document begins with one."""
    first = next(iter(blocks_of(body)), None)
    return first.text if first and first.kind == "heading" and first.level == 1 else None


def opening(body: str) -> str:
    """How a text without a title begins: its first sentence, with the next ones while that says nothing by itself
    ("Yes."), cut to a line."""
    first = next((block.text for block in blocks_of(body)), "")
    told = ""
    for sentence in _SENTENCE_END.split(first.partition("\n")[0]):
        told = f"{told} {sentence}".strip() if sentence[:1].isascii() else told + sentence
        if word_count(told) >= _TELLING:
            break
    return told if len(told) <= _LINE else told[: _LINE - 2].rsplit(" ", 1)[0].rstrip() + " …"


def word_count(text: str, sizes: ChunkSizes = ChunkSizes()) -> float:
    return len(_WORD.findall(text)) + sizes.han * len(_HAN.findall(text))


def blocks_of(body: str, *, base: str = "") -> Iterator[Block]:
    """The document's top-level blocks as plain text, empty ones left out. ``base`` as above."""
    tokens = _MARKDOWN.parse(body)
    absolute_in_markdown(tokens, base)
    at = 0
    while at < len(tokens):
        end = at
        if tokens[at].nesting == 1:
            depth = 1
            while depth:
                end += 1
                depth += tokens[end].nesting
        block = _block(tokens[at : end + 1])
        if block.text:
            yield block
        at = end + 1


def _block(tokens: Sequence[Token]) -> Block:
    first = tokens[0]
    if first.type == "heading_open":
        return Block("heading", _inline(tokens[1], targets=False), int(first.tag[1:]))
    if first.type in ("bullet_list_open", "ordered_list_open"):
        return Block("list", "\n".join(_list_lines(tokens)))
    if first.type == "table_open":
        return Block("table", "\n".join(_table_rows(tokens)))
    if first.type in ("fence", "code_block"):
        return Block("code", first.content.strip())
    if first.type == "html_block":
        return Block("text", re.sub(r"\s+", " ", _TAGS.sub(" ", _UNSEEN.sub(" ", first.content))).strip())
    return Block("text", "\n".join(_inline(token) for token in tokens if token.type == "inline").strip())


def _inline(token: Token, *, targets: bool = True) -> str:
    """The words of an inline token: emphasis without its marks, pictures by their description, struck words not at all.
    Behind a link's words stands where it leads, unless not ``targets``; a raised number is a power or a note's."""
    parts: list[str] = []
    unseen = ""  # the end of a script, a style or struck words that have begun in the line
    struck = 0
    raised: int | None = None  # where a raised part begins
    links: list[tuple[int, str]] = []  # where each begins, and leads
    for child in token.children or ():
        tag = child.content.lower() if child.type == "html_inline" else ""
        struck += (child.type == "s_open") - (child.type == "s_close")
        if unseen:
            unseen = "" if tag.startswith(unseen) else unseen
        elif struck or child.type == "s_close":
            continue
        elif begun := _UNSEEN.match(tag):
            unseen = f"</{begun[1]}"
        elif tag.startswith("<sup"):
            raised = len(parts)
        elif tag.startswith("</sup") and raised is not None:
            parts[raised:] = [_raised("".join(parts[:raised]), "".join(parts[raised:]))]
            raised = None
        elif child.type == "link_open":
            links.append((len(parts), str(child.attrs.get("href", ""))))
        elif found := _TARGET.match(child.content) if tag else None:
            links.append((len(parts), found[1]))
        elif (child.type == "link_close" or tag.startswith("</a")) and links:
            begin, target = links.pop()
            parts.append(_target("".join(parts[begin:]), target) if targets else "")
        elif child.type in ("text", "code_inline", "image") or _PLACEHOLDER.fullmatch(child.content):
            parts.append(child.content)
        elif child.type == "softbreak":
            parts.append("\x00")
        elif child.type == "hardbreak":
            parts.append("\n")
    text = "".join(parts)
    if "~~" in token.content or "<" in token.content:
        text = re.sub(r"(?<=\S) {2,}", " ", text)  # around what is left out
    text = re.sub(r"(?<=[\u3000-\u9fff\uff00-\uffef])\x00(?=[\u3000-\u9fff\uff00-\uffef])", "", text)
    return text.replace("\x00", " ").strip()


def _target(words: str, target: str) -> str:
    """Where a link leads, in brackets behind its words; nothing where the words say it, or it leads nowhere outside."""
    scheme, _, rest = target.partition(":")
    if scheme.lower() not in ("http", "https", "mailto", "tel") or not words.strip():
        return ""
    shown = target if scheme.lower().startswith("http") else unquote(rest.partition("?")[0])
    told, said = (
        re.sub(r"^https?://(?:www\.)?|[\s()/-]", "", text.lower()) for text in (shown, unquote(words))
    )
    return "" if told in said else f" ({shown})"


def _raised(before: str, mark: str) -> str:
    """A raised mark as text: "m²", "10^6", "£5 (1)", "1st"."""
    number = mark.strip().strip("[]()")
    if not number.isascii() or not number.isdigit():
        return mark
    power = _POWER.search(before)
    if power and power["unit"] and number in ("2", "3"):
        return "²" if number == "2" else "³"
    return f"^{number}" if power and power["base"] else f" ({number})"


def _list_lines(tokens: Sequence[Token]) -> Iterator[str]:
    counters: list[int | None] = []
    marker = ""
    for token in tokens:
        if token.type == "ordered_list_open":
            counters.append(int(token.attrs.get("start", 1)))
        elif token.type == "bullet_list_open":
            counters.append(None)
        elif token.type in ("ordered_list_close", "bullet_list_close"):
            counters.pop()
        elif token.type == "list_item_open":
            number = counters[-1]
            marker = "- " if number is None else f"{number}. "
            if number is not None:
                counters[-1] = number + 1
        elif token.type in ("inline", "fence", "code_block"):
            text = _inline(token) if token.type == "inline" else token.content.strip()
            indent = "  " * (len(counters) - 1)
            yield f"{indent}{marker or '   '}{text}"
            marker = ""


def _table_rows(tokens: Sequence[Token]) -> Iterator[str]:
    row: list[str] = []
    for token in tokens:
        if token.type == "inline":
            row.append(_inline(token))
        elif token.type == "tr_close":
            yield " | ".join(row) if any(row[1:]) else row[0]
            row = []


def _chunks(blocks: Iterator[Block], title: str, sizes: ChunkSizes) -> Iterator[_Chunk]:
    headings: list[tuple[int, str]] = [(0, title)]
    titled = False  # the title is a heading of level 1: the next such heading is a title of its own
    held: list[Block] = []
    for block in blocks:
        if block.kind != "heading":
            held.append(block)
            continue
        yield from _section(tuple(text for _, text in headings), held, sizes)
        held = []
        if block.level == 1 and block.text.strip() == title.strip():
            headings, titled = [(0, title)], True
        elif block.level == 1 and titled:
            headings = [(1, block.text)]
        else:
            headings = [(level, text) for level, text in headings if level < block.level]
            headings.append((block.level, block.text))
    yield from _section(tuple(text for _, text in headings), held, sizes)


def _section(path: tuple[str, ...], blocks: Sequence[Block], sizes: ChunkSizes) -> Iterator[_Chunk]:
    """The blocks under one heading, packed into chunks."""
    taken: list[str] = []
    size = 0.0
    for unit in _units(blocks, sizes):
        more = word_count(unit, sizes)
        if taken and size + more > sizes.most:
            yield _Chunk(path, "\n\n".join(taken))
            taken, size = [], 0.0
        taken.append(unit)
        size += more
    if taken:
        yield _Chunk(path, "\n\n".join(taken))


def _units(blocks: Sequence[Block], sizes: ChunkSizes) -> Iterator[str]:
    """Texts that are never cut."""
    at = 0
    while at < len(blocks):
        lead, block = "", blocks[at]
        if (
            block.kind == "text"
            and block.text.endswith(_ANNOUNCES)
            and at + 1 < len(blocks)
            and blocks[at + 1].kind != "text"
        ):
            at += 1
            lead, block = block.text, blocks[at]
        at += 1
        text = f"{lead}\n{block.text}" if lead else block.text
        if word_count(text, sizes) <= (sizes.most if block.kind == "text" else sizes.whole):
            yield text
        elif block.kind == "text":
            yield from _cut_text(text, sizes)
        else:
            yield from _cut_lines(lead, block, sizes)


def _cut_text(text: str, sizes: ChunkSizes) -> Iterator[str]:
    """A text that is too long, between its sentences."""
    glue = "" if _HAN.search(text) else " "
    taken: list[str] = []
    for sentence in filter(None, _SENTENCE_END.split(text)):
        if taken and word_count(glue.join([*taken, sentence]), sizes) > sizes.most:
            yield glue.join(taken)
            taken = []
        taken.append(sentence)
    if taken:
        yield glue.join(taken)


def _cut_lines(lead: str, block: Block, sizes: ChunkSizes) -> Iterator[str]:
    """A list, a table or code that is too long, in parts of about one size, so that no last step stands alone. Each
    begins with what announces the whole, and a table's with its first row; an item keeps what is indented below it."""
    lines = block.text.split("\n")
    head = [lead] if lead else []
    if block.kind == "table":
        head.append(lines.pop(0))
    items: list[str] = []
    for line in lines:
        if items and block.kind == "list" and line.startswith(" "):
            items[-1] += f"\n{line}"
        else:
            items.append(line)
    counts = [word_count(item, sizes) for item in items]
    room = max(sizes.most - sum(word_count(line, sizes) for line in head), sizes.least)
    share = sum(counts) / math.ceil(sum(counts) / room)
    taken: list[str] = []
    before, parts = 0.0, 1
    for item, count in zip(items, counts, strict=True):
        if taken and before + count / 2 > parts * share:
            yield "\n".join([*head, *taken])
            taken, parts = [], parts + 1
        taken.append(item)
        before += count
    if taken:
        yield "\n".join([*head, *taken])


def _joined(chunks: Sequence[_Chunk], sizes: ChunkSizes) -> list[_Chunk]:
    """Chunks too small to stand alone join the one before: within a section, and into the lead of a short answer, where
    each section's headings become lines of the text."""
    below: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for path in {chunk.path for chunk in chunks}:
        for depth in range(1, len(path)):
            below.setdefault(path[:depth], set()).add(path)
    found: list[_Chunk] = []
    for chunk in chunks:
        if found:
            before = found[-1]
            depth = len(before.path)
            related = chunk.path[:depth] == before.path and (
                len(chunk.path) == depth or len(below[before.path]) <= sizes.sections
            )
            counts = word_count(before.text, sizes), word_count(chunk.text, sizes)
            if related and min(counts) < sizes.least and sum(counts) <= sizes.most:
                text = "\n".join((*chunk.path[depth:], chunk.text))
                found[-1] = _Chunk(before.path, f"{before.text}\n\n{text}")
                continue
        found.append(chunk)
    return found
