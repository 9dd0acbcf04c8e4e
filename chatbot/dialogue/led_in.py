"""A passage that begins with steps, with what leads to them.

An article's cut can begin with "1. Take out the filter": without its heading nobody knows what these are the steps of,
and "pour in the solution" refers to a mixture of which the article's opening speaks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from chatbot.dialogue.sections import heading_of
from chatbot.dialogue.trace import Hit
from chatbot.dialogue.wording import sentences
from chatbot.neural.source_layout import Line, read_lines

LONGEST = (
    400  # letters of what leads to the steps, a Chinese character as two; of more only the last sentences
)


def with_lead_in(hit: Hit, passages_of: Callable[[], Sequence[Hit]]) -> Hit:
    """The passage as it is, unless it begins with steps: then behind what stands before them, under their heading.

    passages_of: the article's, in reading order; asked only where there are steps.
    """
    lines = read_lines(hit.text)
    if not lines or not lines[0].mark[:1].isdigit():
        return hit
    passages = passages_of()
    at = next((i for i, one in enumerate(passages) if one.passage_id == hit.passage_id), 0)
    heading = heading_of(hit)
    # a section that was cut goes on from its own last lines, one that begins here from the article's opening
    before = passages[at - 1] if at and heading_of(passages[at - 1]) == heading else None
    if before is not None:
        led = _last_prose(read_lines(before.text))
    else:
        led = _first_prose(read_lines(passages[0].text)) if at else []
    parts = [_short(led), f"{heading}\n{hit.text}" if heading else hit.text]
    return replace(hit, text="\n\n".join(part for part in parts if part))


def _first_prose(lines: Sequence[Line]) -> list[Line]:
    found: list[Line] = []
    for line in lines:
        if line.mark or line.heading:
            break
        found.append(line)
    return found


def _last_prose(lines: Sequence[Line]) -> list[Line]:
    return _first_prose(lines[::-1])[::-1]


def _short(lines: Sequence[Line]) -> str:
    told: list[str] = []
    for line in reversed(lines):
        for part in reversed(sentences(line.text)):
            told.insert(0, part)
            if sum(_width(one) for one in told) > LONGEST:
                kept = told[1:] or told
                return _joined(kept)
    return _joined(told)


def _joined(parts: Sequence[str]) -> str:
    return "".join(part if not i or part[0] > "\u2e80" else f" {part}" for i, part in enumerate(parts))


def _width(text: str) -> int:
    return sum(2 if character > "\u2e80" else 1 for character in text)
