"""A provisional intent before it is made live: which of its examples are any good, and what it would take from others.

Every example is read four ways. It may say nearly the same as another one; none of its words may occur in anything
that the company's customers have written (keyboard noise, another language); it may resemble none of the others; and
the live release may be sure already that it asks for something else. Such an example is left out and named, unless
whoever adds it insists: a new intent may be cut out of an old one, and a product may have a name that nobody has
written yet. What says the same twice counts once, insisted upon or not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from chatbot.dialogue.provisional import Provisional, Taken
from chatbot.dialogue.readers import Classifier
from chatbot.errors import InputError
from chatbot.language.normalise import fold, is_han
from chatbot.records.database import Database
from chatbot.records.provisional import (
    LEAST,
    Sample,
    approved_answers,
    check_new,
    create_provisional,
    known_texts,
    provisional_samples,
    read_examples,
    repeats,
)

FROZEN = 500  # test messages of a language that it is held against
ALONE = 0.05  # probability by the other examples: below it, an example resembles none of them
SURE = 0.8  # of the live release, that an example asks for something else
RECOGNISED = (
    0.25  # probability from which the others recognise an example: PRIOR is what they say of anything at all
)
ENOUGH_OTHERS = (
    50  # messages of other intents, from which on it means something that no example is recognised
)
ENOUGH_WORDS = 300  # of the company's, from which on a word that is not among them means something

DoubtKind = Literal["repeated", "strange", "alone", "known", "unanswered"]
_SAID: dict[DoubtKind, tuple[str, str]] = {
    "repeated": ("Two of the examples say nearly the same", f"Give at least {LEAST} that differ"),
    "strange": (
        "No customer has written any of the words of this example",
        "Write what a customer would write, or insist on it",
    ),
    "alone": (
        "This example resembles none of the others",
        "Leave it out, or make a second intent of it, or insist on it",
    ),
    "known": (
        "The live release is sure that this example asks for something else",
        "Add it to that intent, or leave it out, or insist on it",
    ),
    "unanswered": (
        "In the language of this example the intent has no answer",
        "Write an answer in this language, or leave the example out",
    ),
}
_NEVER: tuple[DoubtKind, ...] = ("repeated", "unanswered")  # insisting does not help
_PLACEHOLDER = re.compile(r"\[[A-Z]+(?:_\d+)?\]")
_RUN = re.compile(r"[\u3400-\u9fff]+|[^\W\d_\u3400-\u9fff]{2,}")


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is wrong with an example. ``other``: the example that it repeats, or what it is known as, with its
    ``probability``.
    """

    kind: DoubtKind
    text: str
    lang: str
    other: str = ""
    probability: float | None = None

    @property
    def message(self) -> str:
        return _SAID[self.kind][0]

    @property
    def remedy(self) -> str:
        return _SAID[self.kind][1]

    @property
    def value(self) -> str:
        """The example, with what stands against it."""
        share = f" ({self.probability:.2f})" if self.probability is not None else ""
        return f"{self.text} → {self.other}{share}" if self.other else self.text

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"message": self.message, "remedy": self.remedy}


@dataclass(frozen=True, slots=True)
class LanguageCheck:
    """One language: how many examples count, how many of these the others recognise (None: there is too little to
    tell), and which of the ``frozen`` test messages it would take; None where no release is live.
    """

    lang: str
    counting: int
    recognised: int | None = None
    frozen: int | None = None
    taken: tuple[Taken, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """``kept``: the new examples that would be stored; ``left_out``: whether the doubtful ones are."""

    intent: str
    release: str | None
    languages: tuple[LanguageCheck, ...]
    kept: tuple[Sample, ...]
    doubts: tuple[Doubt, ...] = ()
    left_out: bool = True
    answers: Mapping[str, str] = field(default_factory=dict)

    def leaves_out(self, doubt: Doubt) -> bool:
        return self.left_out or doubt.kind in _NEVER

    @property
    def takes(self) -> dict[str, int] | None:
        """Live intent → how many frozen messages, the most first; None where no release is live."""
        if self.release is None:
            return None
        taken = [one.intent for found in self.languages for one in found.taken]
        return dict(
            sorted(((name, taken.count(name)) for name in set(taken)), key=lambda one: (-one[1], one[0]))
        )

    @property
    def problem(self) -> InputError | None:
        """Why it cannot be made live so; the first doubt is named."""
        enough = [one for one in self.languages if one.counting >= LEAST]
        if enough:
            dull = all(one.recognised == 0 for one in enough)
            if not (dull and self.left_out):
                return None
            return InputError(
                "These examples have nothing in common: by the others, none of them is recognised",
                field="examples",
                value=self.kept[0].text if self.kept else None,
                remedy="Give examples that ask for one thing, or insist on these",
            )
        if self.doubts:
            doubt = next((one for one in self.doubts if one.kind != "repeated"), self.doubts[0])
            return InputError(doubt.message, field="examples", value=doubt.value, remedy=doubt.remedy)
        most = max(self.languages, key=lambda one: one.counting, default=None)
        return InputError(
            "A provisional intent needs different examples of how customers ask",
            field="examples",
            value=most.counting if most else 0,
            remedy=f"Give at least {LEAST} in one language",
        )

    def as_json(self) -> dict[str, Any]:
        problem = self.problem
        return {
            "intent": self.intent,
            "release": self.release,
            "takes": self.takes,
            "languages": [asdict(one) for one in self.languages],
            "examples": [{"text": one.text, "lang": one.lang} for one in self.kept],
            "doubts": [doubt.as_json() for doubt in self.doubts],
            "doubtful_left_out": self.left_out,
            "problem": problem.as_json() if problem else None,
        }


@dataclass(frozen=True, slots=True)
class Known:
    """What examples are held against: the live release, as far as there is one."""

    release: str | None = None
    provisional: Provisional | None = None
    classifier: Classifier | None = None


def check_examples(
    database: Database,
    name: str,
    *,
    examples: Sequence[str],
    answers: Mapping[str, str],
    lang: str = "",
    insist: bool = False,
    known: Known = Known(),
) -> Check:
    """Hold the examples of a provisional intent, with those that it has, against what is known; nothing is changed.

    Raises like ``read_examples`` and ``check_new`` (chatbot/records/provisional.py).
    """
    with database.read() as session:
        intent = check_new(session, name, answers)
        given = read_examples(session, examples, intent=name, lang=lang)
        before = [one for one in provisional_samples(session) if one.intent == name]
        answered = {one for one, text in answers.items() if text.strip()}
        if intent is not None:
            answered |= set(approved_answers(session, intent.id))
        told = {fold(one.text) for one in before}
        new = [one for one in given if fold(one.text) not in told]
        languages = sorted({one.lang for one in (*before, *new)})
        words = {one: _words_of(known_texts(session, lang=one)) for one in languages}
    doubts: list[Doubt] = []
    kept: list[Sample] = []
    checked = []
    for one in languages:
        old = [sample.text for sample in before if sample.lang == one]
        found, wrong = _judge(
            old, [s.text for s in new if s.lang == one], one, name, words[one], answered, known
        )
        doubts += wrong
        insisted = [d.text for d in wrong if insist and d.kind not in _NEVER]
        counting = [*old, *found, *insisted]
        kept += [Sample(name, one, text) for text in (*found, *insisted)]
        checked.append(_hold(counting, one, name, known))
    return Check(name, known.release, tuple(checked), tuple(kept), tuple(doubts), not insist, dict(answers))


def add_provisional(
    database: Database,
    name: str,
    *,
    examples: Sequence[str],
    answers: Mapping[str, str],
    titles: Mapping[str, str] | None = None,
    lang: str = "",
    insist: bool = False,
    known: Known = Known(),
    person_id: int | None = None,
    noted: Mapping[str, Any] | None = None,
) -> Check:
    """Check the examples and make the intent live with those that are kept. Raises like ``check_examples``, and
    InputError where too few count.
    """
    check = check_examples(
        database, name, examples=examples, answers=answers, lang=lang, insist=insist, known=known
    )
    if check.problem is not None:
        raise check.problem
    with database.write() as session:
        create_provisional(
            session,
            name,
            examples=check.kept,
            answers=answers,
            titles=titles,
            person_id=person_id,
            noted={**(noted or {}), "takes": check.takes},
        )
    return check


def _judge(
    old: Sequence[str],
    new: Sequence[str],
    lang: str,
    name: str,
    words: Collection[str],
    answered: Collection[str],
    known: Known,
) -> tuple[list[str], list[Doubt]]:
    """The examples ``new`` that count, and what is wrong with the others."""
    found: list[str] = []
    doubts: list[Doubt] = []
    for text in new:
        if lang not in answered:
            doubts.append(Doubt("unanswered", text, lang))
        elif (same := repeats(text, [*old, *found])) is not None:
            doubts.append(Doubt("repeated", text, lang, same))
        elif len(words) >= ENOUGH_WORDS and not _words_of([text]) & set(words):
            doubts.append(Doubt("strange", text, lang))
        else:
            found.append(text)
    if known.provisional is not None and len(old) + len(found) >= LEAST:
        trial = known.provisional.try_out(name, [*old, *found], lang=lang)
        enough = trial.background >= ENOUGH_OTHERS
        alone = [t for t, p in zip(found, trial.recognised[len(old) :], strict=True) if enough and p < ALONE]
        if len(alone) < len(found):  # where it is all of them, they have nothing in common at all
            doubts += [Doubt("alone", text, lang) for text in alone]
            found = [text for text in found if text not in alone]
    if known.classifier is not None:
        for text in list(found):
            classification = known.classifier.classify(text, lang=lang)
            top = classification.top
            sure = top.confidence * classification.in_scope if top is not None else 0.0
            if top is not None and top.name != name and sure >= SURE:
                doubts.append(Doubt("known", text, lang, top.name, round(sure, 4)))
                found.remove(text)
    return found, doubts


def _hold(counting: Sequence[str], lang: str, name: str, known: Known) -> LanguageCheck:
    if known.provisional is None or len(counting) < LEAST:
        return LanguageCheck(lang, len(counting))
    trial = known.provisional.try_out(name, counting, lang=lang, frozen=FROZEN)
    recognised = sum(probability >= RECOGNISED for probability in trial.recognised)
    told = recognised if trial.background >= ENOUGH_OTHERS else None
    return LanguageCheck(lang, len(counting), told, trial.frozen, trial.taken)


def _words_of(texts: Sequence[str]) -> set[str]:
    """Words of two letters or more, and the pairs of Chinese characters."""
    found: set[str] = set()
    for text in texts:
        for run in _RUN.findall(fold(_PLACEHOLDER.sub(" ", text))):
            found |= {run[i : i + 2] for i in range(len(run) - 1)} if is_han(run[0]) else {run}
    return found
