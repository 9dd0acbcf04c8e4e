"""Plain text as Markdown: a title, headings and questions are told by how their lines look."""

from __future__ import annotations

import re

_MARKED = re.compile(r"^(?:#{1,6} |```|\|.*\|$|(?:=|-){3,}$)", re.MULTILINE)
_ITEM = re.compile(r"\s*(?:[-*•]|\d+[.)、])\s*\S")
_SENTENCE = re.compile(r"[.!,;:。！，；：…]$")
_ENDED = re.compile(r"[.!?。！？]$")
_QUESTION = re.compile(r"(?:Q|Question|问|问题)\s*[:：]\s*(\S.*)", re.IGNORECASE)
_ANSWER = re.compile(r"(?:A|Answer|答|答案)\s*[:：]\s*", re.IGNORECASE)
_LINE = 80  # characters of a heading


def plain_markdown(text: str) -> str:
    """The text with its headings marked; as it is where it has marks of Markdown."""
    if _MARKED.search(text):
        return text
    blocks = [block for block in re.split(r"\n\s*\n|\n(?=(?:Q|问)\s*[:：])", text.strip()) if block.strip()]
    titled = len(blocks) > 1 and "\n" not in blocks[0] and _is_heading(blocks[0])
    made = [f"# {blocks.pop(0).strip()}"] if titled else []
    return "\n\n".join((*made, *map(_block, blocks)))


def _block(block: str) -> str:
    first, *rest = block.strip().split("\n")
    question = _QUESTION.fullmatch(first.strip())
    if question:
        answer = "\n".join(rest).lstrip()
        begun = _ANSWER.match(answer)
        return f"## {question[1]}\n\n{answer[begun.end() :] if begun else answer}"
    if rest and _is_heading(first) and (_ITEM.match(rest[0]) or _ENDED.search(rest[-1].strip())):
        return f"## {first.strip()}\n\n" + "\n".join(rest)
    return block


def _is_heading(line: str) -> bool:
    line = line.strip()
    return (
        len(line) <= _LINE
        and len(line.split()) <= 10
        and not (_SENTENCE.search(line) or _ITEM.match(line) or _QUESTION.match(line) or _ANSWER.match(line))
    )
