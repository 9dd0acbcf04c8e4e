"""A conversation in two lines, for the person who takes it over: what the customer wants, and what was tried.

Extractive: every word about the matter is the customer's own, the title of something that was shown or the name of an
action that was run, in quotation marks; only the words around them are ours. Nothing is guessed, so nothing can be
invented.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chatbot.dialogue.own_words import is_dropped, is_question, tries_again, yes_or_no
from chatbot.dialogue.person_wish import only_asks_for_person
from chatbot.dialogue.smalltalk import smalltalk
from chatbot.language.entities import find_entities
from chatbot.language.normalise import fold, has_letters

QUOTE_LIMIT = 160  # characters of a quoted message
MOST_TITLES = 2  # of one step
MOST_STEPS = 3  # the last ones; two lines stay two lines after sixty turns
TITLE_LIMIT = 60  # characters
DID_NOT_HELP = "did_not_help"  # the rule behind a message that says nothing but that
UNHELPED = (DID_NOT_HELP, "asked_again", "sent_before")  # a person is offered instead of the same again
ANSWERS = ("approved", "passage", "generated")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")

_WORDS = {
    "en": {
        "open": "“",
        "close": "”",
        "and": ", ",
        "then": "; ",
        "wants": "Wants: {quotes}",
        "later": "{first}, later: {last}",
        "only_person": "Asked for a person without saying what for",
        "nothing_said": "Has not written anything yet",
        "tried": "Tried: {steps}",
        "answered": "the bot answered from {titles}",
        "answered_untitled": "the bot answered",
        "disliked": " (marked as no help)",
        "liked": " (marked as helpful)",
        "offered": "offered {titles}",
        "unhelped": "the customer said that it did not help",
        "unknown": "did not know",
        "unknown_times": "did not know {count} times",
        "asked": "asked back for a detail",
        "looked_up": "looked up {titles}",
        "carried_out": "carried out {titles}",
        "not_found": "looked up {titles}: not found",
        "not_found_times": "looked up {titles}: {count} times not found",
        "refused": "looked up {titles}: the proof was not accepted",
        "refused_times": "looked up {titles}: {count} times the proof was not accepted",
        "failed": "the request {titles} failed",
        "failed_times": "the request {titles} failed {count} times",
        "agent": "{name} has written",
        "nothing_tried": "Nothing was tried yet",
        "before": "{count} more before that",
        "somebody": "a colleague",
    },
    "zh": {
        "open": "“",
        "close": "”",
        "and": "、",
        "then": "；",
        "wants": "诉求：{quotes}",
        "later": "{first}，后来：{last}",
        "only_person": "直接要求人工，没有说明原因",
        "nothing_said": "还没有发送任何内容",
        "tried": "已尝试：{steps}",
        "answered": "机器人引用{titles}作答",
        "answered_untitled": "机器人已作答",
        "disliked": "（客户表示没有帮助）",
        "liked": "（客户表示有帮助）",
        "offered": "给出选项{titles}",
        "unhelped": "客户表示没有解决",
        "unknown": "机器人不知道答案",
        "unknown_times": "机器人 {count} 次不知道答案",
        "asked": "追问过细节",
        "looked_up": "已查询{titles}",
        "carried_out": "已办理{titles}",
        "not_found": "查询{titles}：未找到",
        "not_found_times": "查询{titles}：{count} 次未找到",
        "refused": "查询{titles}：身份验证未通过",
        "refused_times": "查询{titles}：{count} 次身份验证未通过",
        "failed": "请求{titles}失败",
        "failed_times": "请求{titles}失败 {count} 次",
        "agent": "{name}已回复",
        "nothing_tried": "尚未尝试任何办法",
        "before": "此前还有 {count} 步",
        "somebody": "同事",
    },
}


@dataclass(frozen=True, slots=True)
class Said:
    """A turn as the summary reads it. ``titles`` are of the sources it showed or the choices it offered, ``requests``
    what the actions it ran came to, each ``looked_up``, ``carried_out``, ``not_found``, ``refused`` or ``failed`` with
    the action's name. ``took``: whether it took the message before it for the answer to what it had asked.
    ``rule``: which one decided it."""

    role: str
    text: str
    kind: str | None = None
    titles: tuple[str, ...] = ()
    vote: str | None = None
    name: str | None = None
    requests: tuple[tuple[str, str], ...] = ()
    took: bool = False
    rule: str = ""

    @classmethod
    def of_turn(
        cls,
        role: str,
        text: str,
        *,
        kind: str | None,
        reply: dict[str, Any] | None,
        vote: str | None = None,
        name: str | None = None,
        trace: Mapping[str, Any] | None = None,
        actions: Mapping[str, str] | None = None,
    ) -> Said:
        """From a stored turn; ``reply`` as the API sends it, ``trace`` as it is stored. ``actions``: their titles by
        name, where known."""
        parts = (reply or {}).get("parts", ()) if role == "bot" else ()
        shown = [source["title"] for part in parts for source in part["sources"]]
        offered = [
            choice["title"]
            for part in parts
            for choice in part["choices"]
            if choice["payload"] != "/handover"
        ]
        titles = tuple(dict.fromkeys(shown or offered))
        decided = (trace or {}).get("parts", ()) if role == "bot" else ()
        named = actions or {}
        requests = tuple((what, named.get(action, action)) for what, action in _requests(trace or {}))
        took = bool(decided) and all(_took(part) for part in decided)
        rule = str(decided[0].get("rule", "")) if decided else ""
        return cls(role, text, kind, titles, vote, name, requests, took, rule)


def _took(part: Mapping[str, Any]) -> bool:
    """Whether a part of a trace goes on with an action, and no model was asked what its message means."""
    classification = part.get("classification") or {}
    return bool(part.get("action")) and classification.get("tier", "none") == "none"


def _requests(trace: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for part in trace.get("parts", ()):
        action = part.get("action") or {}
        outcome = action.get("outcome")
        # what another question pauses, or the customer drops, only remembers the request before
        if outcome and action["state"] not in ("paused", "dropped"):
            if outcome == "done":
                outcome = "carried_out" if action.get("changes") else "looked_up"
            yield outcome, action["name"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was tried: ``answered``, ``offered``, ``unknown``, ``unhelped``, ``asked``, ``agent``, or what a
    request came to."""

    what: str
    titles: tuple[str, ...] = ()
    vote: str | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Summary:
    """``wants`` holds the customer's own words, at most two; ``said_anything`` is whether he wrote at all."""

    wants: tuple[str, ...]
    tried: tuple[Step, ...]
    said_anything: bool

    def lines(self, lang: str) -> tuple[str, str]:
        """What the customer wants, and what was tried, in words of ``lang``."""
        words = _WORDS.get(lang, _WORDS["en"])

        def quoted(texts: Iterable[str]) -> str:
            return words["and"].join(f"{words['open']}{text}{words['close']}" for text in texts)

        if self.wants:
            quotes = [quoted([text]) for text in self.wants]
            both = words["later"].format(first=quotes[0], last=quotes[-1]) if len(quotes) > 1 else quotes[0]
            first = words["wants"].format(quotes=both)
        else:
            first = words["only_person" if self.said_anything else "nothing_said"]
        steps = []
        for step in self.tried[-MOST_STEPS:]:
            titles = quoted(clip(title, TITLE_LIMIT) for title in step.titles[:MOST_TITLES])
            if step.what == "answered":
                said = words["answered"].format(titles=titles) if titles else words["answered_untitled"]
            elif step.what == "agent":
                said = words["agent"].format(name=words["and"].join(step.titles) or words["somebody"])
            else:
                times = f"{step.what}_times"
                counted = step.count > 1 and times in words
                said = words[times if counted else step.what].format(titles=titles, count=step.count)
            steps.append(said + {"down": words["disliked"], "up": words["liked"]}.get(step.vote or "", ""))
        if earlier := len(self.tried) - len(steps):
            steps.append(words["before"].format(count=earlier))
        second = words["tried"].format(steps=words["then"].join(steps)) if steps else words["nothing_tried"]
        return first, second


def summarise(turns: Sequence[Said]) -> Summary:
    """The summary of a conversation, oldest turn first."""
    own = [place for place, turn in enumerate(turns) if turn.role == "customer" and turn.text.strip()]
    matter = [turns[place].text for place in own if _says_what(turns, place)]
    wants: tuple[str, ...] = ()
    if matter:
        first, last = clip(matter[0]), clip(matter[-1])
        wants = (first,) if fold(first) == fold(last) else (first, last)
    return Summary(wants, tuple(_steps(turns)), bool(own))


def _says_what(turns: Sequence[Said], place: int) -> bool:
    """Whether the customer's turn at ``place`` says what he wants: no yes, no "still there", and no detail that the bot
    had asked for, unless it names the order."""
    text = turns[place].text
    if (
        smalltalk(text) is not None
        or only_asks_for_person(text)
        or yes_or_no(text) is not None
        or is_dropped(text)
        or tries_again(text)
        or (not has_letters(text) and not any(map(str.isdigit, text)))
    ):
        return False
    asked = next((turn for turn in reversed(turns[:place]) if turn.role != "customer"), None)
    answered = next((turn for turn in turns[place + 1 :] if turn.role != "customer"), None)
    if answered is not None and answered.rule == DID_NOT_HELP:
        return False
    if asked is None or asked.kind != "ask" or answered is None or not answered.took:
        return True
    return is_question(text) or bool(find_entities(text, kinds=("order",)))


def _steps(turns: Sequence[Said]) -> list[Step]:
    """What was tried, in the order in which each was tried last; the same again is one step, its newest vote counts."""
    found: dict[tuple[str, tuple[str, ...]], Step] = {}
    for step in (step for turn in turns for step in _steps_of(turn)):
        key = (step.what, step.titles)
        before = found.pop(key, None)
        count = before.count + 1 if before else 1
        found[key] = Step(step.what, step.titles, step.vote or (before.vote if before else None), count)
    return list(found.values())


def _steps_of(turn: Said) -> list[Step]:
    if turn.role == "bot" and turn.requests:
        return [Step(what, (name,), turn.vote) for what, name in turn.requests]
    step = _step(turn)
    return [step] if step is not None else []


def _step(turn: Said) -> Step | None:
    if turn.role == "agent":
        return Step("agent", (turn.name,) if turn.name else ())
    if turn.role != "bot":
        return None
    if turn.kind in ANSWERS:
        return Step("answered", turn.titles, turn.vote)
    if turn.rule in UNHELPED:
        return Step("unhelped")
    if turn.kind == "choices" and turn.titles:
        return Step("offered", turn.titles)
    return {"unknown": Step("unknown"), "choices": Step("unknown"), "ask": Step("asked")}.get(turn.kind or "")


def clip(text: str, limit: int = QUOTE_LIMIT) -> str:
    """The beginning of ``text`` in at most ``limit`` characters: whole sentences where one fits, else cut at a word
    with an ellipsis."""
    plain = " ".join(text.split())
    if len(plain) <= limit:
        return plain
    taken = ""
    for sentence in _SENTENCE_END.split(text):
        longer = f"{taken} {' '.join(sentence.split())}".strip()
        if len(longer) > limit - 2:
            break
        taken = longer
    if taken:
        return f"{taken} …"
    cut = plain[: limit - 1]
    return f"{cut.rpartition(' ')[0] or cut}…"
