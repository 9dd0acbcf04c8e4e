"""What may become a past answer: agents' turns of a snapshot, cleaned, with how many conversations they were given in.

An answer loses its courtesies and every sentence that agents say whatever they were asked. A personal placeholder may
stay only where the customer had written that value, and no other of its kind, before the answer: then the value of
another conversation can stand in its place; an answer with any other is left out. Answers that differ in filler words
and punctuation alone are one answer. No torch, no database.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from chatbot.dialogue.trace import Message
from chatbot.language.normalise import fold, has_letters
from chatbot.language.redaction import PLACEHOLDER
from chatbot.learning.generator_data import Passage, PassageIndex, Sample, joined, spoken_sentences
from chatbot.neural.source_layout import content_units

MOST_CHARACTERS = 600
MOST_ANSWERS = 20_000  # the most frequent; 8 MB of vectors
MOST_TURNS = 14
_LEAST_UNITS = 2  # of content: "Yes, it does." fits everywhere
_OFTEN = 8  # times a sentence must have been said to tell by its questions whether it answers any
# a sentence said whatever was asked: no word of the questions is so much more frequent before it
_ASIDE = 0.25
_HELD = 0.75  # share of a sentence's content that one passage holds, for it to be no aside in any case
_LOOKED_AT = 200  # questions before a sentence
_BASE_TURNS = 4_000  # that tell how frequent words are before any answer
_HOLE = re.compile(r"\[[A-Z][A-Z_]*(?:_?\d+)?\]|\{[^{}\s]{1,30}\}")
_FILLER = re.compile(
    r"\b(?:a|an|the|please|just|also|then|so|well|now|kindly|simply)\b|[的了呢哦哈呀啊吧啦嘛哟亲您你请]"
)
_NO_WORD = re.compile(r"[^\w\[\].,:%€$£¥@/°+-]+|[.,:](?!\d)")


@dataclass(frozen=True)
class PastReplies:
    """Situations with the answer given, as ``Sample.reply``, and how many conversations of ``train`` have each."""

    train: list[Sample]
    valid: list[Sample]
    times: Counter[str]
    languages: dict[str, str]

    @property
    def answers(self) -> list[str]:
        """The answers to choose from, the most frequent first."""
        return sorted(self.times, key=lambda text: (-self.times[text], text))


def read_past_replies(
    dialogues: Iterable[Mapping[str, Any]],
    passages: Mapping[str, Passage],
    *,
    seed: int = 13,
    situations: int | None = None,
    most: int = MOST_ANSWERS,
) -> PastReplies:
    """The snapshot's agents' turns as situations with answers; dialogues of the ``test`` split are never read.

    passages: as ``generator_data.read_passages`` reads them; what they hold is no aside. situations: so many are drawn
    to learn from; the answers and their counts are of all. Where no dialogue is of the ``valid`` split, a tenth of
    the conversations is held back.
    """
    random = Random(seed)
    told = [
        turn
        for number, row in enumerate(dialogues)
        if row.get("split") != "test"
        for turn in _agents_turns(row, number)
    ]
    aside = _asides(told, PassageIndex(passages.values()), random)
    known: dict[tuple[str, ...], str] = {}
    given: list[tuple[_AgentsTurn, str]] = []
    for turn in told:
        if turn.sentences not in known:
            known[turn.sentences] = _answer([part for part in turn.sentences if part not in aside])
        answer = known[turn.sentences]
        filled = with_fillable_holes(answer, turn.customer) if _HOLE.search(answer) else answer
        if filled:
            given.append((turn, filled))
    held = {turn.group for turn, _ in given if turn.row.get("split") == "valid"}
    if not held:
        numbers = sorted({turn.group for turn, _ in given})
        held = set(random.sample(numbers, len(numbers) // 10))
    conversations: dict[str, set[int]] = defaultdict(set)
    for turn, answer in given:
        if turn.group not in held:
            conversations[answer].add(turn.group)
    same = merged({text: len(groups) for text, groups in conversations.items()})
    whole: dict[str, set[int]] = defaultdict(set)
    for text, groups in conversations.items():
        whole[same.get(text, text)] |= groups
    counts = {text: len(groups) for text, groups in whole.items()}
    times = Counter(
        {text: counts[text] for text in sorted(counts, key=lambda text: (-counts[text], text))[:most]}
    )
    same |= merged({text: counts.get(text, 0) for text in {*counts, *(answer for _, answer in given)}})
    given = [(turn, same[answer]) for turn, answer in given]
    taught = [one for one in given if one[0].group not in held and one[1] in times]
    tested = [one for one in given if one[0].group in held]
    if situations is not None and situations < len(taught):
        taught = random.sample(taught, situations)
    sources = {name: passage.source for name, passage in passages.items()}
    languages = {answer: turn.lang for turn, answer in reversed(given)}
    return PastReplies(
        [turn.sample(answer, sources) for turn, answer in taught],
        [turn.sample(answer, sources) for turn, answer in tested],
        times,
        {text: languages[text] for text in times},
    )


def gist(text: str) -> str:
    """What near-duplicates have in common: the text folded, without filler words and punctuation. Numbers, names and
    negations stay, so that two answers of one gist say the same."""
    return " ".join(_NO_WORD.sub(" ", _FILLER.sub(" ", fold(text))).split())


def merged(times: Mapping[str, int]) -> dict[str, str]:
    """Each text of ``times`` → the most frequent text of its gist."""
    best: dict[str, str] = {}
    gists = {text: gist(text) for text in times}
    for text in sorted(times, key=lambda text: (-times[text], text)):
        best.setdefault(gists[text], text)
    return {text: best[gists[text]] for text in times}


def with_fillable_holes(answer: str, customer: Sequence[str]) -> str | None:
    """``answer`` with each placeholder as ``[KIND]``, or None where one cannot be filled in another conversation.

    customer: the customer's own turns before the answer, redacted alike. A value that he had not written came from
    elsewhere (the agent's name, a tracking number), and of two of a kind nobody knows which is meant.
    """
    own: dict[str, set[str]] = defaultdict(set)
    for text in customer:
        for match in PLACEHOLDER.finditer(text):
            own[match[1]].add(match[0])
    for hole in set(_HOLE.findall(answer)):
        whole = PLACEHOLDER.fullmatch(hole)
        if whole is None or own[whole[1]] != {hole}:
            return None
    return PLACEHOLDER.sub(lambda match: f"[{match[1]}]", answer)


@dataclass(frozen=True)
class _AgentsTurn:
    row: Mapping[str, Any]
    place: int  # of the turn in it
    group: int  # the conversation
    lang: str
    question: str
    sentences: tuple[str, ...]

    @property
    def customer(self) -> list[str]:
        return [str(turn["text"]) for turn in self.row["turns"][: self.place] if turn["role"] == "customer"]

    def sample(self, answer: str, sources: Mapping[str, str]) -> Sample:
        before = tuple(
            Message(turn["role"] if turn["role"] in ("customer", "action") else "agent", str(turn["text"]))
            for turn in self.row["turns"][: self.place]
            if str(turn.get("text") or "").strip()
        )
        named = (str(one) for one in self.row["turns"][self.place].get("sources") or ())
        passages = tuple(sources[one] for one in named if one in sources)
        return Sample(before[-MOST_TURNS:], passages, answer, self.lang, group=str(self.group))


def _agents_turns(row: Mapping[str, Any], group: int) -> Iterable[_AgentsTurn]:
    lang, question = str(row.get("lang") or "en"), ""
    for place, turn in enumerate(row["turns"]):
        text = str(turn.get("text") or "").strip()
        if turn["role"] == "customer":
            question = text or question
        elif turn["role"] == "agent" and text and question:
            parts = tuple(part for line in text.split("\n") for part in spoken_sentences(line))
            yield _AgentsTurn(row, place, group, lang, question, parts)


def _answer(parts: Sequence[str]) -> str:
    """What is left of a turn as an answer; empty where that says too little, or too much for a chat."""
    said = joined(parts)
    if not has_letters(said) or len(said) > MOST_CHARACTERS or len(content_units(said)) < _LEAST_UNITS:
        return ""
    return said[:1].upper() + said[1:]


def _asides(told: Sequence[_AgentsTurn], articles: PassageIndex, random: Random) -> set[str]:
    """Sentences that agents say whatever they were asked: names, closings, transfers, requests to wait.

    A sentence that answers something follows questions that share a word: of the words before it one is far more
    frequent than before other answers. What an article holds is kept in any case.
    """
    often = Counter(part for turn in told for part in set(turn.sentences))
    lang = {part: turn.lang for turn in told for part in turn.sentences}
    doubted = {
        part
        for part, count in often.items()
        if count >= _OFTEN and not articles.supporting(part, lang[part], least=_HELD)
    }
    if not doubted:
        return set()
    usual: dict[str, Counter[str]] = defaultdict(Counter)
    seen: Counter[str] = Counter()
    for turn in random.sample(told, min(len(told), _BASE_TURNS)):
        usual[turn.lang].update(content_units(turn.question))
        seen[turn.lang] += 1
    asked: dict[str, Counter[str]] = {part: Counter() for part in doubted}
    looked_at: Counter[str] = Counter()
    for turn in random.sample(told, len(told)):
        fresh = [part for part in doubted.intersection(turn.sentences) if looked_at[part] < _LOOKED_AT]
        units = content_units(turn.question) if fresh else set()
        for part in fresh:
            asked[part].update(units)
            looked_at[part] += 1

    def lift(part: str) -> float:
        base, total = usual[lang[part]], max(1, seen[lang[part]])
        return max((n / looked_at[part] - base[unit] / total for unit, n in asked[part].items()), default=0.0)

    return {part for part in doubted if lift(part) < _ASIDE}
