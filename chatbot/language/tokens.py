"""Text → tokens → hashed features, the same in training and in serving, with nothing but the standard
library.

A Latin word is one token, described by itself and its hashed character n-grams of 3 to 5 (Bojanowski et al.
2017, section 3.2), so that a typo lands near its word. A Han character is one token, described by itself and
the hashed bigrams and trigram it forms with its neighbours: Chinese needs no segmenter this way. Long numbers,
order numbers and addresses are folded into the placeholders that redaction uses, so that a live message looks like
the redacted training text; the number of a model or an error (E-4012) stays.

A token is a plain string. ``~`` + left neighbour + character + right neighbour stands for a Han character
(``_`` where there is no neighbour), ``[…]`` for a placeholder, anything else for itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zlib import crc32

from chatbot.language.normalise import fold

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_FOLDED = re.compile(
    r"(?P<email>[\w.+-]+@[\w-]+\.[\w.-]+)"
    r"|(?P<url>https?://\S+|www\.\S+)"
    r"|\b[a-z]{1,3}-?(?P<model>\d{3,4})\b"
    r"|(?P<code>#?\b[a-z]{0,4}[-#]?\d{5,}\b)"
    r"|(?P<number>\d{4,}|\d+[.,]\d+)",
    re.ASCII,
)
_TOKEN = re.compile(
    rf"\[[a-z]+(?:_\d+)?\]|[{HAN}]|[a-z\u00c0-\u024f]+(?:['’][a-z]{{1,2}}\b)?|\d+"
    rf"|[^\W\d_{HAN}]+|[^\w\s\u0021-\u0022\u0024-\u002f\u003a-\u003e\u0040\u005b-\u0060\u007b-\u007e"
    r"，。、；：“”‘’（）《》【】—…·]|!"
)
# what ``_TOKEN`` finds where all is ASCII
_ASCII_TOKEN = re.compile(r"[a-z]+(?:'[a-z]{1,2}\b)?|[0-9]+|[!#?]")
_HAN = re.compile(f"[{HAN}]")
_FOLDABLE = re.compile(r"[0-9@]|www\.|http")  # what there is in all that ``_FOLDED`` finds
_PLACEHOLDER = {"email": "[email]", "url": "[url]", "code": "[order]", "number": "[number]"}
_LONGEST_WORD = 24  # characters of a word whose n-grams are taken; the rest of a pasted blob says nothing


def tokenise(text: str, *, limit: int = 128) -> list[str]:
    """The tokens of ``text``; of a longer text the first and the last ``limit / 2``."""
    text = fold(text)
    if len(text) > 40 * limit:
        text = f"{text[: 20 * limit]} {text[-20 * limit :]}"
    if _FOLDABLE.search(text):
        text = _FOLDED.sub(_fold, text)
    plain = "[" not in text and text.isascii()  # words as they are: no Han character, no placeholder
    pieces = (_ASCII_TOKEN if plain else _TOKEN).findall(text)
    if len(pieces) > limit:
        pieces = pieces[: limit - limit // 2] + pieces[-(limit // 2) :]
    if plain:
        return pieces
    last = len(pieces) - 1
    tokens: list[str] = []
    for index, piece in enumerate(pieces):
        if len(piece) == 1 and _HAN.match(piece):
            left = pieces[index - 1] if index else "_"
            right = pieces[index + 1] if index < last else "_"
            left = left if len(left) == 1 and _HAN.match(left) else "_"
            right = right if len(right) == 1 and _HAN.match(right) else "_"
            tokens.append(f"~{left}{piece}{right}")
        elif piece[0] == "[" and piece[-2].isdigit():
            tokens.append(piece[: piece.rindex("_")] + "]")
        else:
            tokens.append(piece)
    return tokens


def _fold(match: re.Match[str]) -> str:
    if match["model"]:  # E-4012 and E-4021 are two different errors, and what is asked for
        return match[0]
    return f" {_PLACEHOLDER[match.lastgroup or 'number']} "


def word_of(token: str) -> str:
    """The part of a token that has a row of its own in the word table: the word, or the single Han character."""
    return token[2] if token[0] == "~" else token


@dataclass(frozen=True)
class TokenFeatures:
    """A token's row in the word table (0: unknown), its rows in the hashed n-gram table, and its `han_pairs`."""

    word: int
    grams: tuple[int, ...]
    pairs: tuple[int, ...] = ()


class Vocabulary:
    """The known words, and the hashing of everything else.

    ``words``: row 0 is the unknown word; the order is frequency, ties by spelling, so that two lists can be
    compared. ``buckets``: rows of the n-gram table.
    """

    def __init__(self, words: Sequence[str], *, buckets: int) -> None:
        self.words = tuple(words)
        self.buckets = buckets
        self._rows = {word: row for row, word in enumerate(self.words, start=1)}

    @classmethod
    def count(
        cls, texts: Iterable[Sequence[str]], *, buckets: int, at_least: int = 2, most: int = 20_000
    ) -> Vocabulary:
        """The words that occur ``at_least`` times in tokenised texts, the ``most`` frequent of them."""
        counts: dict[str, int] = {}
        for tokens in texts:
            for token in tokens:
                word = word_of(token)
                counts[word] = counts.get(word, 0) + 1
        ranked = sorted((word for word, n in counts.items() if n >= at_least), key=lambda w: (-counts[w], w))
        return cls(ranked[:most], buckets=buckets)

    def __len__(self) -> int:
        return len(self.words) + 1

    def knows(self, token: str) -> bool:
        return word_of(token) in self._rows

    def features(self, token: str) -> TokenFeatures:
        """Word row and n-gram rows of a token; a placeholder has no n-grams."""
        row, buckets = self._rows.get(word_of(token), 0), self.buckets
        hashes = [crc32(gram.encode()) for gram in grams(token)]
        pairs: tuple[int, ...] = ()
        if token[0] == "~":  # as `han_pairs`, without hashing them again
            pairs = tuple([mark for mark, at in zip(hashes, (1, 3), strict=False) if token[at] != "_"])
        return TokenFeatures(row, tuple([mark % buckets for mark in hashes]), pairs)


def han_pairs(token: str) -> list[int]:
    """Hashes of the pairs that a Han character forms with its neighbours; none for any other token."""
    if token[0] != "~":
        return []
    return [crc32(pair.encode()) for pair in (token[1:3], token[2:4]) if "_" not in pair]


def grams(token: str) -> list[str]:
    """The strings that are hashed for a token."""
    if token[0] == "~":
        return [token[1:3], token[2:4], token[1:4]]
    if token[0] == "[":
        return []
    if len(token) == 1:
        return [token]
    bounded = f"<{token[:_LONGEST_WORD]}>"
    return [bounded[i : i + n] for n in (3, 4, 5) for i in range(len(bounded) - n + 1)]
