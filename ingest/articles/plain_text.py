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
    below = "##"  # what a question is headed by: "###" in a section of questions
    for block, behind in zip(blocks, [*blocks[1:], ""], strict=True):
        if _is_question(behind) and "\n" not in block.strip() and _is_heading(block):
            made.append(f"## {block.strip()}")
            below = "###"
            continue
        text = _block(block, below)
        below = below if _is_question(block) else "##"
        made.append(text)
    return "\n\n".join(made)


def _is_question(block: str) -> bool:
    return bool(_QUESTION.fullmatch(block.strip().partition("\n")[0].strip()))


def _block(block: str, below: str) -> str:
    first, *rest = block.strip().split("\n")
    question = _QUESTION.fullmatch(first.strip())
    if question:
        answer = "\n".join(rest).lstrip()
        begun = _ANSWER.match(answer)
        return f"{below} {question[1]}\n\n{answer[begun.end() :] if begun else answer}"
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
