"""What the response generator learns from: an agent's turns, cleaned, each with what it could draw on.

Agents greet, thank and sign off; a bot that learns this says little. A target keeps the sentences that its sources
support and loses the rest. A turn whose snapshot names no sources gets the passage that supports it, if one does.
Each epoch sees the same turns with other numbers and names (replaced alike in sources, history and reply) and other
distracting passages, so that facts are copied from the source and not remembered. Passages teach by themselves, too:
their title asks, their first sentences answer.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random
from typing import Any

from chatbot.dialogue.trace import Message
from chatbot.neural.source_layout import content_units, passage_source, sentences

_GREETING = r"(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day))(?: (?:\[name\w*\]|\w+))?"
_COURTESIES = (
    _GREETING,
    r"(?:hi|hello|hey)[ ,]+(?:how can i help(?: you)?|thanks? (?:you )?for [^.!?,]{0,50})",
    r"(?:many )?thank(?:s| you)(?: (?:so|very) much)?(?: for [^.!?,]{0,60})?",
    r"(?:you(?:'re| are) (?:very |most )?welcome|my pleasure|no problem|no worries)(?: [^.!?,]{0,30})?",
    r"(?:i'm |i am |we're |we are )?(?:always )?(?:glad|happy) to help[^.!?,]{0,30}",
    r"(?:is|was) there anything else[^.!?]*",
    r"(?:can|may|how can|how may) i (?:help|assist)[^.!?]*",
    r"(?:have|enjoy) (?:a|the|your)[^.!?,]{0,40}(?:day|evening|weekend|afternoon|week)",
    r"(?:kind|best|warm)? ?regards[^.!?]{0,40}",
    r"(?:bye|goodbye|take care|cheers)(?: [^.!?,]{0,20})?",
    r"let me (?:check|look|see)[^.!?,]{0,50}",
    r"one moment[^.!?,]{0,30}",
    r"(?:please )?(?:feel free|don't hesitate|do not hesitate) to (?:ask|contact|write|reach|let)[^.!?]*",
    r"(?:i'm |i am |we're |we are )?(?:so |very )?sorry(?: (?:about|for|to hear) [^.!?,]{0,60})?",
    r"(?:ok|okay|sure|certainly|of course|great|perfect|got it|alright)",
)
_GREETING_ZH = r"(?:亲亲?|您好|你好|早上好|下午好|晚上好|哈喽)"
_COURTESIES_ZH = (
    rf"{_GREETING_ZH}(?:[，,\s]*(?:在的|在呢|请讲|请说|很高兴为您服务|欢迎[^，。！？]{{0,10}}))?",
    r"在的?(?:哦|呢|呀|哈|的)?",
    r"(?:非常)?(?:感谢|谢谢|多谢)(?:您|你)?(?:的[^，。！？]{0,12})?",
    r"不客气(?:的|哦|呀|哈)?",
    r"(?:请问)?还?有(?:什么|其他|别的)[^。！？]{0,20}(?:帮|问题)[^。！？]{0,12}",
    r"祝[^。！？]{0,16}",
    r"再见(?:哦|啦)?",
    r"请?(?:您)?稍等(?:一下|片刻|哦|哈)?(?:[，,]?我(?:帮您)?(?:看|查)[^，。！？]{0,6})?",
    r"(?:非常|很|十分)?抱歉(?:给您[^，。！？]{0,14}|让您久等(?:了)?)?",
    r"不好意思(?:[，,]?让您久等(?:了)?)?",
    r"(?:好的|没问题)(?:呢|哦|哈)?",
    r"(?:很高兴|随时)(?:为您|欢迎|联系|找我)[^，。！？]{0,14}",
)
_COURTESY = re.compile(rf"^\W*(?:{'|'.join(_COURTESIES)})\W*$", re.IGNORECASE)
_COURTESY_ZH = re.compile(rf"^\W*(?:{'|'.join(_COURTESIES_ZH)})\W*$")
_OPENING = re.compile(
    rf"^(?:{_GREETING}|sorry|thanks|thank you|ok|okay|sure|certainly|of course|no problem)\s*[,!–-]\s+(?=\w)",
    re.IGNORECASE,
)
_OPENING_ZH = re.compile(
    rf"^(?:{_GREETING_ZH}|在的?(?:哦|呢|呀|哈)?|好的|没问题|抱歉|不好意思)[，,！!～~\s]+(?=\S)"
)
_NUMBER = re.compile(r"(?<![A-Za-z0-9_\[])\d+(?:[.,:]\d+)*(?![A-Za-z0-9_\]])")
_NAME = re.compile(r"(?<![A-Za-z])[A-Z][a-z]{2,}(?![A-Za-z])")
_LONGEST, _LONGEST_ZH = 260, 90  # characters of a reply
_HEADING_PATH = re.compile(r"\s*[>›]\s*")
_SUPPORTED = 0.5  # share of a sentence's content found in its sources, for it to be learned


@dataclass(frozen=True)
class Sample:
    """One reply to learn.

    passages: sources, right ones first; others: passages that could distract; past_answers: what agents said in the
    nearest past situations; group: the conversation it is from.
    """

    turns: tuple[Message, ...]
    passages: tuple[str, ...]
    reply: str
    lang: str
    intent: str = ""
    others: tuple[str, ...] = ()
    past_answers: tuple[str, ...] = ()
    group: str = ""


@dataclass(frozen=True)
class Passage:
    id: str
    title: str
    text: str
    lang: str

    @property
    def source(self) -> str:
        return passage_source(self.title, self.text)


def read_passages(rows: Iterable[Mapping[str, Any]]) -> dict[str, Passage]:
    """Rows of the snapshot's passages.jsonl by id (as text)."""
    found = {}
    for row in rows:
        title = row.get("title_path") or row.get("title") or ""
        passage = Passage(
            str(row["id"]), str(title), str(row.get("text") or ""), str(row.get("lang") or "en")
        )
        if passage.text.strip():
            found[passage.id] = passage
    return found


def read_samples(
    dialogues: Iterable[Mapping[str, Any]],
    passages: Mapping[str, Passage],
    *,
    splits: Sequence[str],
    clean: bool = True,
    most_turns: int = 14,
) -> list[Sample]:
    """The agents' turns of the dialogues in ``splits`` (rows without a split count as ``train``).

    clean: keep what the sources support, drop courtesies (module's docstring); False: every turn as it was said.
    """
    index = PassageIndex(passages.values())
    samples = []
    for row in dialogues:
        if (row.get("split") or "train") not in splits:
            continue
        lang, intent = str(row.get("lang") or "en"), str(row.get("intent") or "")
        history: list[Message] = []
        for turn in row["turns"]:
            role, text = str(turn["role"]), str(turn.get("text") or "").strip()
            if not text:
                continue
            if role == "agent" and any(past.role == "customer" for past in history):
                named = [passages[str(one)] for one in turn.get("sources") or () if str(one) in passages]
                sample = _sample(history[-most_turns:], text, lang, intent, named, index if clean else None)
                if sample:
                    samples.append(replace(sample, group=str(row.get("id", ""))))
            role = role if role in ("customer", "action") else "agent"
            history.append(Message(role, text))  # type: ignore[arg-type]
    return samples


def passage_samples(passages: Iterable[Passage], *, most_units: int = 60) -> list[Sample]:
    """What a passage teaches by itself: the title asks for its first sentences, a snippet asks for its sentence."""
    found = list(passages)
    index = PassageIndex(found)
    samples = []
    for passage in found:
        parts = sentences(passage_source("", passage.text))
        if not parts:
            continue
        question = _HEADING_PATH.split(passage.title)[-1].strip()
        others = index.like(f"{question} {passage.text}", passage.lang, {passage.id})
        lead = parts[0]
        if len(parts) > 1 and len(content_units(lead)) < 6:
            lead = f"{lead}{'' if passage.lang == 'zh' else ' '}{parts[1]}"
        asked = [(question, lead)] if question else []
        for number, part in enumerate(parts):
            units = _ordered_units(part)
            if 3 <= len(units) <= most_units:
                start = number % max(1, len(units) - 4)
                snippet = units[start : start + 5]
                asked.append(("".join(snippet) if passage.lang == "zh" else " ".join(snippet), part))
        samples += [
            Sample((Message("customer", query),), (passage.source,), answer, passage.lang, "", others)
            for query, answer in asked
        ]
    return samples


def vary(sample: Sample, random: Random, *, names: Sequence[str], most_passages: int = 2) -> Sample:
    """The sample as one epoch sees it: other numbers and names, other distractors, another order of passages."""
    passages = list(sample.passages[:most_passages])
    room = most_passages - len(passages)
    if passages and sample.others and room > 0:
        passages += random.sample(sample.others, min(len(sample.others), random.randint(0, room)))
        if random.random() < 0.35:
            random.shuffle(passages)
    shown = replace(sample, passages=tuple(passages), others=())
    grounds = "\n".join((*shown.passages, *(turn.text for turn in shown.turns)))
    swaps: dict[str, str] = {}
    if random.random() < 0.6:
        for number in set(_NUMBER.findall(shown.reply)) & set(_NUMBER.findall(grounds)):
            swaps[number] = _other_number(number, random)
    if names and random.random() < 0.3:
        inner = set(_NAME.findall(shown.reply[1:])) & set(_NAME.findall(grounds))
        for name in inner:
            swaps[name] = random.choice(names)
    return _swapped(shown, swaps) if swaps else shown


def names_in(texts: Iterable[str]) -> list[str]:
    """Capitalised words inside sentences: what names look like in this company's texts."""
    counts: dict[str, int] = defaultdict(int)
    for text in texts:
        for match in _NAME.finditer(text):
            if match.start() > 1 and text[match.start() - 2] not in ".!?:\n":
                counts[match.group()] += 1
    return sorted(counts)


def without_courtesies(text: str) -> str:
    """``text`` without sentences that only greet, thank, apologise or sign off; empty if nothing is left."""
    lines = [joined(kept) for line in text.split("\n") if (kept := spoken_sentences(line))]
    return " ".join(lines)


def spoken_sentences(line: str) -> list[str]:
    """The sentences of a line that say something, without what opens them politely."""
    return [part for whole in sentences(line) if (part := _spoken(whole))]


@lru_cache(maxsize=16_384)  # agents say the same sentences again and again
def _spoken(part: str) -> str:
    """A sentence without its polite opening; empty where it is nothing but courtesy."""
    return "" if _COURTESY.match(part) or _COURTESY_ZH.match(part) else _without_opening(part)


def _without_opening(part: str) -> str:
    """ "Hi, it takes 5 days." → "It takes 5 days." """
    rest = _OPENING_ZH.sub("", _OPENING.sub("", part))
    return rest[:1].upper() + rest[1:] if rest != part else part


def _sample(
    history: Sequence[Message],
    reply: str,
    lang: str,
    intent: str,
    named: Sequence[Passage],
    index: PassageIndex | None,
) -> Sample | None:
    turns = tuple(history)
    if index is None:
        return Sample(turns, tuple(passage.source for passage in named), reply, lang, intent)
    text = without_courtesies(reply)
    if not text:
        return None
    query = next((turn.text for turn in reversed(history) if turn.role == "customer"), "")
    supporting = list(named) or index.supporting(text, lang)
    if not supporting:
        return Sample(turns, (), text, lang, intent)
    spoken = "\n".join(turn.text for turn in history)
    grounds = content_units("\n".join(passage.source for passage in supporting)) | content_units(spoken)
    kept = [part for part in sentences(text) if _share(content_units(part), grounds) >= _SUPPORTED]
    if not kept:
        return None
    supporting.sort(key=lambda passage: -len(content_units(text) & content_units(passage.source)))
    others = index.like(query, lang, {passage.id for passage in supporting})
    said = _shortened(kept)
    said = said[:1].upper() + said[1:]
    return Sample(turns, tuple(passage.source for passage in supporting), said, lang, intent, others)


class PassageIndex:
    """Passages by the content they share with a text. Small on purpose: training has no search engine."""

    def __init__(self, passages: Iterable[Passage]) -> None:
        self._passages = list(passages)
        self._units = [content_units(passage.source) for passage in self._passages]
        self._holding: dict[str, list[int]] = defaultdict(list)
        for place, units in enumerate(self._units):
            for unit in units:
                self._holding[unit].append(place)
        self._common = max(20, len(self._passages) // 4)  # a unit in so many passages tells nothing

    def _shared(self, units: set[str], lang: str) -> dict[int, int]:
        counts: dict[int, int] = defaultdict(int)
        for unit in units:
            places = self._holding.get(unit, ())
            if len(places) <= self._common:
                for place in places:
                    if self._passages[place].lang == lang:
                        counts[place] += 1
        return counts

    def supporting(self, text: str, lang: str, *, least: float = _SUPPORTED) -> list[Passage]:
        """The passage that holds most of ``text``'s content, if it holds the share ``least`` of it."""
        units = content_units(text)
        if len(units) < 3:
            return []
        counts = self._shared(units, lang)
        best = max(counts, key=lambda place: (len(units & self._units[place]), -place), default=None)
        if best is None or _share(units, self._units[best]) < least:
            return []
        return [self._passages[best]]

    def like(self, text: str, lang: str, without: set[str], most: int = 6) -> tuple[str, ...]:
        """Sources that a search for ``text`` might find instead of the right ones."""
        counts = self._shared(content_units(text), lang)
        places = sorted(counts, key=lambda place: (-counts[place], place))
        wrong = [self._passages[place].source for place in places if self._passages[place].id not in without]
        return tuple(wrong[:most])


def _share(units: set[str], grounds: set[str]) -> float:
    return len(units & grounds) / len(units) if units else 0.0


def _ordered_units(text: str) -> list[str]:
    return re.findall(r"[A-Za-z0-9]{3,}|[\u3400-\u4dbf\u4e00-\u9fff]", text)


def _shortened(parts: Sequence[str]) -> str:
    """The first sentences, as many as a chat message takes; at least one."""
    text = parts[0]
    for part in parts[1:]:
        longer = joined([text, part])
        if len(longer) > (_LONGEST_ZH if _is_chinese(longer) else _LONGEST):
            break
        text = longer
    return text


def _is_chinese(text: str) -> bool:
    return sum(ch >= "\u3400" for ch in text) > len(text) // 3


def joined(parts: Sequence[str]) -> str:
    """Sentences as one text, with a space where the script has one."""
    text = ""
    for part in parts:
        text += part if not text or ord(text[-1]) > 0x2E80 else f" {part}"
    return text


def _other_number(number: str, random: Random) -> str:
    digits = [str(random.randint(0, 9)) if ch.isdigit() else ch for ch in number]
    if digits[0] == "0" and not number.startswith("0"):
        digits[0] = str(random.randint(1, 9))
    return "".join(digits)


def _swapped(sample: Sample, swaps: Mapping[str, str]) -> Sample:
    pattern = re.compile("|".join(rf"(?<![A-Za-z0-9_\[]){re.escape(old)}(?![A-Za-z0-9_\]])" for old in swaps))

    def swap(text: str) -> str:
        return pattern.sub(lambda match: swaps[match.group()], text)

    return replace(
        sample,
        turns=tuple(Message(turn.role, swap(turn.text)) for turn in sample.turns),
        passages=tuple(swap(passage) for passage in sample.passages),
        past_answers=tuple(swap(answer) for answer in sample.past_answers),
        reply=swap(sample.reply),
    )
