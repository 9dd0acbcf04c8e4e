"""What a company's own questions find, each judged as if it came new.

Many of them are in the index themselves, as past questions of their article, and taught the encoder's adapter: each is
judged by an index and an adapter that have not seen its wording (left out by folds), or it would find itself. Some
articles are judged as if they had been written yesterday, without any past question: else the search would learn to
find only what was asked before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from chatbot.dialogue.trace import Message
from chatbot.errors import InputError
from chatbot.inference.encode import AdaptedEncoder
from chatbot.language.normalise import fold
from chatbot.learning.domain_encoder import Positive
from chatbot.learning.encoder_adapter import MIN_POSITIVES, AdapterSettings, fit_adapter
from chatbot.retrieval.knowledge import PassageEntry, QuestionEntry
from chatbot.retrieval.language_index import Candidates, LanguageIndex
from chatbot.retrieval.reading import read_query
from chatbot.retrieval.search import Encoder

_WHOLES = 4  # passages of an article that a question of it is brought near to
_DOCUMENTS = 4000  # passages that show how a company's titles and texts belong together
_HALF_WAY = 0.5  # of what these show: the whole of it finds less on three of four sets (docs/retrieval.md)

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SearchPair:
    """A question and the articles that answer it; none: nothing in the knowledge does.

    ``seen``: training may use it; the others are what is judged by, where they are enough.
    """

    query: str
    lang: str
    articles: frozenset[int]
    history: tuple[Message, ...] = ()
    seen: bool = False


def joined(pairs: Sequence[SearchPair]) -> list[SearchPair]:
    """The pairs of one wording, and the same turns before, as one pair with the articles of all, in order.

    Customers word a question alike and several articles answer it. Taken one by one, each pair says that the others'
    articles are wrong, and the probability learns to refuse what any of them answers.
    """
    found: dict[tuple[str, str, tuple[Message, ...], bool], SearchPair] = {}
    for pair in pairs:
        key = (fold(pair.query), pair.lang, pair.history, bool(pair.articles))
        first = found.get(key)
        found[key] = (
            pair
            if first is None
            else replace(first, articles=first.articles | pair.articles, seen=first.seen or pair.seen)
        )
    return list(found.values())


@dataclass(frozen=True, slots=True)
class JudgingSettings:
    folds: int = 5
    adapter_folds: int = 3
    new_articles: float = 0.1  # share of the articles that are judged without their past questions
    adapter: AdapterSettings = field(default_factory=AdapterSettings)
    seed: int = 13

    def __post_init__(self) -> None:
        for name in ("folds", "adapter_folds"):
            if getattr(self, name) < 2:
                raise InputError("At least two folds are needed", field=name, value=getattr(self, name))
        if not 0 <= self.new_articles < 1:
            raise InputError("A share from 0 to below 1", field="new_articles", value=self.new_articles)


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found for a pair."""

    pair: SearchPair
    candidates: Candidates


def judge(
    passages: Sequence[PassageEntry],
    pairs: Sequence[SearchPair],
    encoder: Encoder,
    *,
    questions: Sequence[QuestionEntry] = (),
    settings: JudgingSettings | None = None,
) -> list[Judged]:
    """What each pair's question finds in one language's index, questions of its fold's wordings taken out."""
    settings = settings or JudgingSettings()
    index = LanguageIndex(encoder.dimension)
    index.put_passages(
        passages,
        encoder.encode([entry.title for entry in passages]),
        encoder.encode([entry.whole for entry in passages]),
    )
    vectors = encoder.encode([entry.text for entry in questions])
    index.put_questions(questions, vectors)
    judged = []
    for places, held in _folds(pairs, questions, settings):
        index.remove_questions([questions[place].id for place in held])
        for place in places:
            pair = pairs[place]
            query = read_query(pair.query, encoder, history=pair.history)
            if query is not None:
                judged.append(Judged(pair, index.candidates(query)))
        index.put_questions([questions[place] for place in held], vectors[held])
    return judged


def _folds(
    pairs: Sequence[SearchPair], questions: Sequence[QuestionEntry], settings: JudgingSettings
) -> list[tuple[list[int], list[int]]]:
    """Places of the pairs that are judged together, and of the questions that are taken out meanwhile."""
    rng = np.random.default_rng(settings.seed)
    asked = [fold(entry.text) for entry in questions]
    wordings = [fold(pair.query) for pair in pairs]
    number_of = {text: number for number, text in enumerate(dict.fromkeys(wordings))}
    fold_of = rng.integers(settings.folds, size=len(number_of))
    articles = sorted({entry.article for entry in questions})
    new = set(rng.permutation(articles)[: int(settings.new_articles * len(articles))].tolist())
    found: list[tuple[list[int], list[int]]] = [([], []) for _ in range(settings.folds + 1)]
    for place, pair in enumerate(pairs):
        as_new = bool(pair.articles) and pair.articles <= new
        found[settings.folds if as_new else fold_of[number_of[wordings[place]]]][0].append(place)
    alone = {wordings[place] for place in found[-1][0]}
    for place, (text, entry) in enumerate(zip(asked, questions, strict=True)):
        if text in number_of:
            found[fold_of[number_of[text]]][1].append(place)
        if entry.article in new or text in alone:
            found[-1][1].append(place)
    return [part for part in found if part[0]]


def judge_adapting(
    passages: Sequence[PassageEntry],
    pairs: Sequence[SearchPair],
    encoder: Encoder,
    *,
    questions: Sequence[QuestionEntry] = (),
    settings: JudgingSettings | None = None,
    most: int | None = None,
    adapting: bool = True,
    progress: Callable[[float], None] | None = None,
) -> list[Judged]:
    """As `judge`, each fold with an adapter that was trained on the pairs of the others; ``most`` pairs at most.

    Not ``adapting``: the same folds over the same questions by the encoder as it is, for a comparison in which the
    adapter is the only difference.
    """
    settings = settings or JudgingSettings()
    wordings = [fold(pair.query) for pair in pairs]
    number_of = {text: number for number, text in enumerate(dict.fromkeys(wordings))}
    rng = np.random.default_rng(settings.seed + 1)
    fold_of = rng.integers(settings.adapter_folds, size=len(number_of))
    folds = np.array([fold_of[number_of[text]] for text in wordings], dtype=np.int64)
    judged = []
    for number in range(settings.adapter_folds):
        held = np.flatnonzero(folds == number).tolist()
        words = {wordings[place] for place in held}
        if most is not None:
            held = rng.permutation(held)[: -(-most // settings.adapter_folds)].tolist()
        rest = [pairs[place] for place in np.flatnonzero(folds != number).tolist()]
        turned = adapt(passages, rest, encoder, settings=settings) if adapting else None
        judged += judge(
            passages,
            [pairs[place] for place in held],
            turned or encoder,
            questions=[entry for entry in questions if fold(entry.text) not in words],
            settings=settings,
        )
        if progress:
            progress((number + 1) / settings.adapter_folds)
    return judged


def adapt(
    passages: Sequence[PassageEntry],
    pairs: Sequence[SearchPair],
    encoder: Encoder,
    *,
    settings: JudgingSettings | None = None,
) -> AdaptedEncoder | None:
    """``encoder`` adapted to the pairs of one language; None where they are too few to learn from."""
    settings = settings or JudgingSettings()
    matrix = _fitted(_positives(passages, pairs), encoder, settings)
    return AdaptedEncoder(encoder, matrix, lang=passages[0].lang) if matrix is not None else None


def adapt_to_documents(
    passages: Sequence[PassageEntry], encoder: Encoder, *, settings: JudgingSettings | None = None
) -> AdaptedEncoder | None:
    """``encoder`` adapted to the documents of one language, where nobody's questions are there to learn from; None
    where too few of them have a title and a text.

    A text is brought near its own title and away from those of other articles (the inverse cloze task of Lee et al.
    2019, a title as the question), so that what all documents are about counts less than what tells them apart.
    """
    settings = settings or JudgingSettings()
    both = [entry for entry in passages if entry.title.strip() and entry.text.strip()]
    if len(both) > _DOCUMENTS:
        chosen = np.random.default_rng(settings.seed).permutation(len(both))[:_DOCUMENTS]
        both = [both[place] for place in np.sort(chosen)]
    positives = [Positive(entry.title, entry.text, str(entry.article)) for entry in both]
    matrix = _fitted(positives, encoder, settings)
    if matrix is None:
        return None
    whole = np.eye(len(matrix), dtype=np.float32)
    return AdaptedEncoder(encoder, whole + np.float32(_HALF_WAY) * (matrix - whole), lang=both[0].lang)


def _fitted(
    positives: Sequence[Positive], encoder: Encoder, settings: JudgingSettings
) -> NDArray[np.float32] | None:
    """The adapter's matrix, float32 [dimension, dimension]; nothing is encoded for too few positives."""
    if len(positives) < MIN_POSITIVES:
        return None
    texts = list(dict.fromkeys(text for item in positives for text in (item.first, item.second)))
    vectors = dict(zip(texts, encoder.encode(texts), strict=True))
    return fit_adapter(positives, vectors, seed=settings.seed, settings=settings.adapter)


def _positives(passages: Sequence[PassageEntry], pairs: Sequence[SearchPair]) -> list[Positive]:
    """A question and its article's title and texts; two questions for the same article."""
    of_article: dict[int, list[PassageEntry]] = defaultdict(list)
    for entry in passages:
        of_article[entry.article].append(entry)
    positives = []
    last: dict[int, str] = {}
    for pair in pairs:
        for article in sorted(pair.articles):
            group = str(article)
            entries = of_article.get(article, [])
            texts = [entry.title for entry in entries[:1]]
            texts += [entry.whole for entry in entries[:_WHOLES] if entry.text.strip()]
            if article in last:
                texts.append(last[article])
            positives += [Positive(pair.query, text, group) for text in texts if text.strip()]
            last[article] = pair.query
    return positives
