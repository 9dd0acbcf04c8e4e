"""What the response generator reads, as one sequence of pieces: look-ups, passages, past answers, then the
turns.

Training and serving lay their sources out here, so that the network sees at serving what it was trained on.
Every segment begins with its role tag and has a budget of pieces; what is over budget is cut where it hurts
least: a passage loses the sentences that share least with the customer's message, a turn loses its beginning.
Needs no torch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from chatbot.dialogue.trace import Message
from chatbot.errors import InputError
from chatbot.neural.tokenizer import SubwordTokenizer

_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=\S)|(?<=[。！？；])|\n+")
_UNIT = re.compile(r"[a-z0-9]+|[\u3400-\u4dbf\u4e00-\u9fff]")
_LIST_MARK = re.compile(r"^(?:[-*•·]\s*|\(?\d{1,2}[.)、）]\s*(?=\D))")
_ENDED = re.compile(r"[.!?;:,。！？；：，…][\"'”’)）]?$")
_LONGEST_HEADING = 80
_JSON_START = re.compile(r"[\[{]")
_FILLER = """
    a an the is are was be been to of in on at for from by with and or not no do does did can could will would i you
    we it my your our this that these those have has had what how when where which who why if as so me
    的 了 是 我 你 您 在 吗 呢 吧 啊 请 们 有 和 就 这 那 个
"""
FILLER = frozenset(_FILLER.split())


@dataclass(frozen=True)
class SourceLayout:
    """Budgets in pieces. ``last_tokens`` is for the message that is being answered."""

    turns: int = 4
    turn_tokens: int = 24
    last_tokens: int = 48
    lookups: int = 2
    query_tokens: int = 28
    result_tokens: int = 72
    passages: int = 2
    passage_tokens: int = 120
    further_passage_tokens: int = 64
    past_answers: int = 2
    past_tokens: int = 32
    reply_tokens: int = 80

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            if getattr(self, name) < (0 if name in ("lookups", "passages", "past_answers") else 1):
                raise InputError(f"{name} is too small", field=name, value=getattr(self, name))


def lay_out(
    tokenizer: SubwordTokenizer,
    layout: SourceLayout,
    *,
    turns: Sequence[Message],
    passages: Sequence[str] = (),
    past_answers: Sequence[str] = (),
) -> list[int]:
    """Piece ids of everything the reply may draw on.

    turns: oldest first; the last customer turn is the message to answer; ``action`` turns are look-ups.
    passages: best first, each as ``passage_source`` writes it, or plain text.
    past_answers: what agents said in the nearest past situations, best first.
    """
    tags = tokenizer.tags
    spoken = [turn for turn in turns if turn.role != "action"]
    query = next((turn.text for turn in reversed(spoken) if turn.role == "customer"), "")
    ids: list[int] = []
    for text, fresh in _lookups(turns, layout.lookups):
        budget = layout.query_tokens if text.startswith("query ") else layout.result_tokens
        ids += [tags.fresh if fresh else tags.stale, *tokenizer.encode(readable_lookup(text))[:budget]]
    for rank, passage in enumerate(passages[: layout.passages]):
        budget = layout.passage_tokens if rank == 0 else layout.further_passage_tokens
        ids += [tags.passage, *_condense(tokenizer, passage, query, budget)]
    for text in past_answers[: layout.past_answers]:
        ids += [tags.past, *tokenizer.encode(text)[: layout.past_tokens]]
    recent = spoken[-layout.turns :]
    for position, turn in enumerate(recent):
        budget = layout.last_tokens if position == len(recent) - 1 else layout.turn_tokens
        tag = tags.customer if turn.role == "customer" else tags.agent
        ids += [tag, *tokenizer.encode(turn.text)[-budget:]]
    return ids or [tags.customer]


def passage_source(title: str, text: str) -> str:
    """A passage as a source of the generator and of the check: its title on the first line, then its sentences.

    List markers go, an item without a full stop gets one, and a heading among the lines is left out: a reply is
    written in sentences.
    """
    title = " ".join(title.split())
    kept = [line.text for line in read_lines(text) if not line.heading]
    return "\n".join([title, *kept] if title and (not kept or kept[0] != title) else kept)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a passage: without its list ``mark`` ("1.", "-"; empty: no item), with a full stop, unless it is a
    heading. ``raw``: as it stands there."""

    text: str
    raw: str
    mark: str = ""
    heading: bool = False


def read_lines(text: str) -> list[Line]:
    """The lines of a passage that hold something."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    found = []
    for place, line in enumerate(lines):
        match = _LIST_MARK.match(line)
        item = line[match.end() :] if match else line
        ends = bool(_ENDED.search(item))
        last = place == len(lines) - 1
        if not ends and match is None and not last and len(item) <= _LONGEST_HEADING:
            found.append(Line(item, line, heading=True))
        else:
            stop = "" if ends else "。" if _is_han(item[-1:]) else "."
            found.append(Line(item + stop, line, match[0].strip() if match else ""))
    return found


def sentences(text: str) -> list[str]:
    """The sentences of ``text``, English and Chinese; a line break ends one."""
    return [part.strip() for part in _SENTENCE_END.split(text) if part and part.strip()]


def content_units(text: str) -> set[str]:
    """What can be compared between a question and a sentence: words cut to six letters, Han pairs, no filler."""
    found = _UNIT.findall(text.casefold())
    units = {unit[:6] for unit in found if unit not in FILLER and not _is_han(unit)}
    for first, second in pairwise(found):
        if _is_han(first) and _is_han(second) and not (first in FILLER and second in FILLER):
            units.add(first + second)
    return units


def readable_lookup(text: str) -> str:
    """A look-up as words: JSON in it becomes ``Key: value; Key: value`` so that values have the pieces of
    speech.
    """
    start = _JSON_START.search(text)
    if not start:
        return text
    try:
        value = json.loads(text[start.start() :])
    except ValueError:
        return text
    return f"{text[: start.start()].strip()} {'; '.join(_flatten(value))}".strip()


def _flatten(value: object, name: str = "") -> list[str]:
    if isinstance(value, dict):
        return [line for key, item in value.items() for line in _flatten(item, str(key))]
    if isinstance(value, list):
        if all(not isinstance(item, dict | list) for item in value):
            return [
                f"{name}: {', '.join(_plain(item) for item in value)}"
                if name
                else ", ".join(map(_plain, value))
            ]
        return [line for item in value for line in _flatten(item, name)]
    return [f"{name}: {_plain(value)}" if name else _plain(value)]


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(str(value).replace('"', " ").replace("(", " ").replace(")", " ").split())


def _lookups(turns: Sequence[Message], most: int) -> list[tuple[str, bool]]:
    """The last ``most`` look-ups with what they belong to: a query directly before its result counts with it."""
    last_spoken = max((place for place, turn in enumerate(turns) if turn.role != "action"), default=-1)
    found = [(turn.text, place > last_spoken) for place, turn in enumerate(turns) if turn.role == "action"]
    return found[-most:] if most else []


def _condense(tokenizer: SubwordTokenizer, passage: str, query: str, budget: int) -> list[int]:
    """The pieces of ``passage`` within ``budget``: whole if it fits, else without its least related
    sentences.
    """
    lines = [line.strip() for line in passage.split("\n") if line.strip()]
    ids = tokenizer.encode(" ".join(line if _ENDED.search(line) else f"{line}." for line in lines))
    if len(ids) <= budget:
        return ids
    parts = sentences(passage)
    wanted = content_units(query)
    encoded = tokenizer.encode_batch(parts)
    # Earlier sentences win ties: articles put the answer first.
    order = sorted(range(len(parts)), key=lambda i: (-len(wanted & content_units(parts[i])), i))
    kept: list[int] = []
    left = budget
    for index in order:
        if len(encoded[index]) <= left or not kept:
            kept.append(index)
            left -= len(encoded[index])
    return [piece for index in sorted(kept) for piece in encoded[index]][:budget]


def _is_han(unit: str) -> bool:
    return unit >= "\u3400"
