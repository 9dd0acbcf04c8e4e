"""Rasa training data: each example of an intent is a labelled customer message.

Read are YAML (``nlu: - intent: … examples: | - …``) and the old JSON (``rasa_nlu_data.common_examples``). Entity
marks (``[Rotterdam](city)``, ``[two]{"entity": "number"}``) are kept beside the text; where a file has any, what it
leaves unmarked is no entity. Retrieval intents (``faq/opening_hours``) keep their whole name. Synonyms, regexes,
look-ups, stories and rules say nothing about what customers write and are left.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from chatbot.errors import FileError
from chatbot.language.entity_marks import kind_name, read_marks
from ingest.files import RowError, TextFile
from ingest.transcripts.transcript import Transcript, Turn

MAX_FILE = 64 * 1024 * 1024  # bytes
_TOP = re.compile(r"^(?:version|nlu|stories|rules|domain|responses)\s*:", re.MULTILINE)


def accepts(file: TextFile, record: dict[str, Any] | None) -> bool:
    if record is not None or file.head.lstrip()[:1] in ("{", "["):
        return '"rasa_nlu_data"' in file.head
    return (
        _TOP.search(file.head) is not None
        and re.search(r"^\s*-\s+intent\s*:", file.head, re.MULTILINE) is not None
    )


def read(file: TextFile) -> Iterator[Transcript | RowError]:
    """Raises FileError where the file is no YAML or JSON, or holds no examples."""
    text = file.text(limit=MAX_FILE)
    if file.head.lstrip().startswith("{"):
        yield from _old_json(file, text)
        return
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise FileError(
            f"{file.path.name} is no YAML" + (f" in line {mark.line + 1}" if mark else ""),
            value=getattr(error, "problem", None) or text[:60],
            remedy="Check it with: rasa data validate",
        ) from error
    items = _entry(node, "nlu")
    if not isinstance(items, yaml.SequenceNode):
        raise FileError(
            f"{file.path.name} has no nlu section", value=text[:60], remedy="Give the NLU training data"
        )
    marked = any(read_marks(line)[1] for line in text.splitlines())
    for item in items.value:
        name = _entry(item, "intent")
        examples = _entry(item, "examples")
        if isinstance(name, yaml.ScalarNode):
            yield from _examples(str(name.value), examples, item.start_mark.line + 1, marked=marked)


def _examples(
    intent: str, examples: yaml.Node | None, line: int, *, marked: bool
) -> Iterator[Transcript | RowError]:
    if isinstance(examples, yaml.ScalarNode):
        first = examples.start_mark.line + 2  # the block begins below "examples: |"
        for number, row in enumerate(str(examples.value).split("\n")):
            if row.strip().startswith("-"):
                yield _message(row.strip()[1:], intent, first + number, marked=marked)
    elif isinstance(examples, yaml.SequenceNode):
        for node in examples.value:
            text = _entry(node, "text") if isinstance(node, yaml.MappingNode) else node
            value = text.value if isinstance(text, yaml.ScalarNode) else ""
            yield _message(
                str(value).strip().removeprefix("- "), intent, node.start_mark.line + 1, marked=marked
            )
    else:
        yield RowError(line, "An intent without examples", intent, "Write examples: | and a list of messages")


def _message(written: str, intent: str, line: int, *, marked: bool) -> Transcript | RowError:
    plain, marks = read_marks(written)
    if not plain.strip():
        return RowError(line, "The example has no text", intent, "Leave the line out")
    named = tuple((mark.kind, plain[mark.start : mark.end]) for mark in marks)
    return Transcript("", (Turn("customer", plain.strip()),), tag=intent, entities=named if marked else None)


def _old_json(file: TextFile, text: str) -> Iterator[Transcript | RowError]:
    try:
        examples = json.loads(text)["rasa_nlu_data"]["common_examples"]
    except (ValueError, KeyError, TypeError) as error:
        raise FileError(
            f"{file.path.name} is no Rasa training data: {error}", value=text[:60], remedy="Export it again"
        ) from error
    examples = examples if isinstance(examples, list) else []
    marked = any(isinstance(example, dict) and example.get("entities") for example in examples)
    for number, example in enumerate(examples, 1):
        if (
            isinstance(example, dict)
            and isinstance(example.get("text"), str)
            and isinstance(example.get("intent"), str)
        ):
            yield _old_message(example, number, marked=marked)
        else:
            yield RowError(
                number, f"Example {number} has no text and intent", str(example)[:80], "Leave it out"
            )


def _old_message(example: dict[str, Any], number: int, *, marked: bool) -> Transcript | RowError:
    """Its entities stand beside the text, by their places in it."""
    text = example["text"]
    if not text.strip():
        return RowError(number, "The example has no text", example["intent"], "Leave it out")
    named = []
    for entity in example.get("entities") or ():
        if isinstance(entity, dict):
            start, end, kind = entity.get("start"), entity.get("end"), kind_name(str(entity.get("entity")))
            if isinstance(start, int) and isinstance(end, int) and kind and text[start:end].strip():
                named.append((start, kind, text[start:end]))
    return Transcript(
        "",
        (Turn("customer", text.strip()),),
        tag=example["intent"],
        entities=tuple((kind, words) for _, kind, words in sorted(named)) if marked else None,
    )


def _entry(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """The value under ``key`` of a YAML mapping."""
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if isinstance(name, yaml.ScalarNode) and name.value == key:
                return value
    return None
