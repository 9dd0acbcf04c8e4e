"""Texts that ask for none of the company's intents, for training and calibrating the "outside" decision.

Outlier exposure (Hendrycks et al. 2019): a classifier that has seen some outliers recognises others. Four
sources: off-topic sentences (written for this purpose, files beside this module), other languages, gibberish
(typed noise, made-up words, characters drawn at random, bare numbers), and salad (the company's own words in random
company). An off-topic sentence that resembles a training message is left out: what is off-topic for a shop
may be an assistant's intent.
"""

from __future__ import annotations

import math
import random
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from chatbot.language.tokens import tokenise, word_of

RESEMBLANCE = (
    0.5  # cosine of idf-weighted words above which an off-topic sentence is taken for an in-scope one
)
ENOUGH_REAL = 20  # real out-of-scope messages from which on they stand for their kind
_STRANGERS = 3  # texts of known Chinese characters in random company, for each random one
_HELD = 4  # every fourth off-topic sentence is kept for calibration
_COMMON_HAN = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里"
    "用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实"
)
# the 3,755 characters in everyday use: GB 2312-1980, level 1, which the code's rows 16 to 55 hold
_EVERYDAY_HAN = "".join(
    bytes((row, cell)).decode("gb2312", errors="ignore")
    for row in range(0xB0, 0xD8)
    for cell in range(0xA1, 0xFF)
)
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_SYLLABLES = (
    "ba",
    "dro",
    "fli",
    "gur",
    "ka",
    "lomp",
    "mi",
    "nex",
    "po",
    "quo",
    "rin",
    "sta",
    "tev",
    "vul",
    "zor",
)


@dataclass(frozen=True)
class OutlierPools:
    """Outliers for training, and others of the same sources for calibration; ``noise``: those of ``held`` that
    mean nothing, ``trained_noise``: of ``train``.
    """

    train: tuple[str, ...]
    held: tuple[str, ...]
    noise: tuple[str, ...] = ()
    trained_noise: frozenset[str] = frozenset()

    def to_calibrate_with(self, real: Sequence[str]) -> list[str]:
        """The company's ``real`` out-of-scope messages, and what they lack.

        Few of them: everything held. Enough of them: noise beside, or a threshold that was fitted on sentences
        alone lets typed gibberish pass.
        """
        if len(real) < ENOUGH_REAL:
            return [*real, *self.held]
        return [*real, *self.noise[: max(ENOUGH_REAL, len(real) // 2)]]


def off_topic(name: str) -> tuple[str, ...]:
    """The packaged sentences: ``en``, ``zh`` or ``other`` (languages that are neither)."""
    source = resources.files("chatbot.learning").joinpath(f"off_topic.{name}.txt")
    return tuple(line for line in source.read_text(encoding="utf-8").splitlines() if line)


def outlier_pools(texts: Sequence[str], languages: Sequence[str], *, seed: int, size: int) -> OutlierPools:
    """About ``size`` outliers to train on and a third as many to calibrate with, given the in-scope
    ``texts``.

    Sentences of the files are split between the two; gibberish and salad are drawn anew for each.
    """
    random_ = random.Random(seed)
    sentences: list[str] = []
    for name in ("en", "zh", "other"):
        sentences += off_topic(name)
    tokens = [tokenise(text) for text in texts]
    fresh = _unlike(sentences, tokens)
    random_.shuffle(fresh)
    held, kept = fresh[::_HELD], [s for i, s in enumerate(fresh) if i % _HELD]
    words = _words(tokens)
    latin = [word for word in words if word.isascii()]
    known = set(latin)
    han = sorted({word_of(token) for text in tokens for token in text if token[0] == "~"})

    def noise(n: int) -> list[str]:
        made = [gibberish(random_, chinese="zh" in languages and i % 3 == 0) for i in range(n)]
        if words:
            made += [_salad(random_, words) for _ in range(n)]
        if han and "zh" in languages:
            made += [_strangers(random_, han) for _ in range(_STRANGERS * n)]
        if latin:
            made += [_scrambled(random_, latin) for _ in range(n // 3)]
        made += [_numbers(random_) for _ in range(n // 4)]
        made += [stub for _ in range(n // 4) if (stub := _stub(random_)) not in known]
        return made

    trained = noise(max(20, (size - len(kept)) * 3 // 7))
    train = kept + trained
    meaningless = noise(max(20, len(held) // 3))
    calibration = held + meaningless
    random_.shuffle(train)
    random_.shuffle(meaningless)
    return OutlierPools(tuple(train), tuple(calibration), tuple(meaningless), frozenset(trained))


def gibberish(random_: random.Random, *, chinese: bool = False) -> str:
    """One string that means nothing: keyboard noise, random letters and digits, made-up words, random
    characters.
    """
    if chinese:
        n, kind = random_.randint(2, 12), random_.random()
        if kind < 0.8:
            known = _COMMON_HAN if kind < 0.3 else _EVERYDAY_HAN
            return "".join(random_.choice(known) for _ in range(n))
        return "".join(chr(random_.randint(0x4E00, 0x9FA5)) for _ in range(n))
    kind = random_.random()
    words = []
    for _ in range(random_.randint(1, 6)):
        n = random_.randint(2, 9)
        if kind < 0.3:
            row = random_.choice(_ROWS)
            words.append("".join(random_.choice(row) for _ in range(n)))
        elif kind < 0.6:
            words.append("".join(random_.choice(string.ascii_lowercase) for _ in range(n)))
        elif kind < 0.8:
            words.append("".join(random_.choice(_SYLLABLES) for _ in range(random_.randint(1, 3))))
        else:
            alphabet = string.digits if random_.random() < 0.4 else string.ascii_lowercase + string.digits
            words.append("".join(random_.choice(alphabet) for _ in range(n)))
    return " ".join(words)


def _salad(random_: random.Random, words: Sequence[str]) -> str:
    # from five words on: two known words in a row ("refund parcel") are a request, not noise
    picked = [random_.choice(words) for _ in range(random_.randint(5, 14))]
    out = ""
    for word in picked:
        glue = " " if out and (word.isascii() or out[-1].isascii()) else ""
        out += glue + word
    return out


def _strangers(random_: random.Random, characters: Sequence[str]) -> str:
    """Known characters, rare and frequent ones alike, in a company that none of them keeps.

    A rare character is a sign of the few titles and names that it stands in; what it says alone must not decide. Two of
    them may be a word.
    """
    return "".join(random_.choice(characters) for _ in range(random_.randint(3, 12)))


def _numbers(random_: random.Random) -> str:
    """Small numbers and nothing else ("2+2", "50%"): a message is not about whatever has such a number in it."""
    glue = random_.choice((" ", " ", "+", "-", "x", "/", ":", ", ", " + ", "="))
    told = glue.join(
        str(random_.randrange(10 ** random_.randint(1, 3))) for _ in range(random_.randint(1, 4))
    )
    return random_.choice(("", "", "", "€", "$", "¥")) + told + random_.choice(("", "", "", "?", "%", " = ?"))


def _stub(random_: random.Random) -> str:
    """One to three letters: no abbreviation of everything that begins so."""
    return "".join(random_.choice(string.ascii_lowercase) for _ in range(random_.randint(1, 3)))


def _scrambled(random_: random.Random, words: Sequence[str]) -> str:
    """Known words with their letters in another order: they look like words and are none."""
    picked = [random_.choice(words) for _ in range(random_.randint(1, 5))]
    return " ".join("".join(random_.sample(word, len(word))) for word in picked)


def _words(texts: Sequence[Sequence[str]]) -> list[str]:
    """Words and Han characters of the tokenised texts, as often as they occur there (at most 20,000)."""
    words = [word_of(token) for tokens in texts for token in tokens]
    step = max(1, len(words) // 20_000)
    return [word for word in words[::step] if word[0] != "["]


def _unlike(sentences: Sequence[str], texts: Sequence[Sequence[str]]) -> list[str]:
    """The sentences that resemble none of the tokenised texts (cosine of idf-weighted sets of words)."""
    bags = [frozenset(_terms(tokens)) for tokens in texts]
    frequency = Counter(term for bag in bags for term in bag)
    n = len(bags) + 1

    def idf(term: str) -> float:
        return math.log(n / (frequency.get(term, 0) + 1)) + 0.1

    postings: dict[str, list[int]] = {}
    for index, bag in enumerate(bags):
        for term in bag:
            if frequency[term] <= n / 5 + 5:  # words that are everywhere resemble nothing
                postings.setdefault(term, []).append(index)
    norms = [math.sqrt(sum(idf(term) ** 2 for term in bag)) or 1.0 for bag in bags]
    fresh = []
    for sentence in sentences:
        terms = frozenset(_terms(tokenise(sentence)))
        norm = math.sqrt(sum(idf(term) ** 2 for term in terms)) or 1.0
        shared: dict[int, float] = {}
        for term in terms:
            for index in postings.get(term, ()):
                shared[index] = shared.get(index, 0.0) + idf(term) ** 2
        best = max((value / (norm * norms[index]) for index, value in shared.items()), default=0.0)
        if best < RESEMBLANCE:
            fresh.append(sentence)
    return fresh


def _terms(tokens: Sequence[str]) -> list[str]:
    """Words; Chinese as character bigrams."""
    return [token[2:4] if token[0] == "~" else token for token in tokens]
