"""Subword tokenizer trained on a company's own logs: byte-level BPE, nothing is ever out of vocabulary.

Byte-pair encoding after Sennrich, Haddow & Birch 2016 (section 3.2) over bytes (Radford et al. 2019, section
2.2). Two things differ from the usual byte-level tokenizer, both because the response generator copies from
its sources:

* Han characters are cut one by one, so that a phrase has the same pieces in the passage and in the reply.
* A typed placeholder such as ``[ORDER]`` or ``[ORDER_2]`` is one piece, always.

Role tags are pieces whose written form lies in Unicode's private use area. Text loses such characters before
it is encoded, so nobody can type a tag. Needs ``tokenizers`` alone (no torch): training and serving share
this module.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from chatbot.errors import BundleError, TrainingError

PLACEHOLDER_TYPES = (
    "EMAIL", "PHONE", "NAME", "ORDER", "AMOUNT", "DATE", "ADDRESS", "CARD", "IBAN", "ID", "POSTCODE", "URL",
    "NUMBER", "CODE", "TRACKING", "ACCOUNT",
)  # fmt: skip
PLACEHOLDERS_OF_A_TYPE = 5  # [ORDER], [ORDER_2] … [ORDER_5]
PLACEHOLDER = re.compile(r"\[[A-Z][A-Z_]*?(?:_\d+)?\]")

_SENTENCE_END = re.compile(r"[.!?。！？；][\"'”’)）]*$")
_PRIVATE = re.compile(r"[\ue000-\uf8ff]")
_TAGS = (
    "pad", "end", "reply_en", "reply_zh", "reply_und", "customer", "agent", "lookup", "fresh", "stale",
    "passage", "past",
)  # fmt: skip

# Full-width digits and Latin letters to half width. Not NFKC: a Chinese reply keeps its own punctuation.
_FOLD = {code: code - 0xFEE0 for first, last in ((0xFF10, 0xFF19), (0xFF21, 0xFF3A), (0xFF41, 0xFF5A))
         for code in range(first, last + 1)}  # fmt: skip


def _tag(name: str) -> str:
    return f"\ue000{name}\ue001"


@dataclass(frozen=True)
class Tags:
    """Ids of the pieces that are no text."""

    pad: int
    end: int
    reply_en: int
    reply_zh: int
    reply_und: int
    customer: int
    agent: int
    lookup: int
    fresh: int
    stale: int
    passage: int
    past: int

    def reply(self, lang: str) -> int:
        """The piece that begins a reply in ``lang``."""
        return {"en": self.reply_en, "zh": self.reply_zh}.get(lang, self.reply_und)

    @property
    def all(self) -> frozenset[int]:
        return frozenset(getattr(self, name) for name in _TAGS)


class SubwordTokenizer:
    """Text to piece ids and back. ``tags`` holds the ids of role tags, padding and the end of a reply."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        found = {name: tokenizer.token_to_id(_tag(name)) for name in _TAGS}
        ids = {name: token for name, token in found.items() if token is not None}
        if len(ids) < len(found):
            raise BundleError(
                "the tokenizer lacks role tags",
                value=", ".join(sorted(found.keys() - ids.keys())),
                remedy="train the release again",
            )
        self.tags = Tags(**ids)
        self.placeholders = {
            piece: token for piece, token in tokenizer.get_vocab().items() if PLACEHOLDER.fullmatch(piece)
        }

    @property
    def size(self) -> int:
        """Number of pieces, tags and placeholders included."""
        return int(self._tokenizer.get_vocab_size())

    @classmethod
    def load(cls, path: Path) -> SubwordTokenizer:
        """Raises BundleError when the file is missing or not a tokenizer of ours."""
        try:
            return cls(Tokenizer.from_file(str(path)))
        except BundleError:
            raise
        except Exception as error:  # the Rust side raises plain Exception
            raise BundleError(f"the tokenizer cannot be read: {error}", value=path.name) from error

    def save(self, path: Path) -> None:
        self._tokenizer.save(str(path), pretty=False)

    def encode(self, text: str) -> list[int]:
        """Piece ids of ``text``, without tags. A first word gets the same pieces as one in the middle."""
        return list(self._tokenizer.encode(_clean(text), add_special_tokens=False).ids)

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        encoded = self._tokenizer.encode_batch([_clean(text) for text in texts], add_special_tokens=False)
        return [list(item.ids) for item in encoded]

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Each piece by itself as text; a tag's is empty. Made once: a vocabulary takes ten milliseconds and more."""
        return tuple(str(self._tokenizer.decode([piece])) for piece in range(self.size))

    def boundaries(self) -> tuple[list[float], list[float]]:
        """For each piece: does it end a sentence (1; 2 for a tag), and may it open one?"""
        ends, opens = [0.0] * self.size, [0.0] * self.size
        tags = self.tags.all
        for piece, text in enumerate(self.texts):
            if piece in tags:
                ends[piece] = 2.0
                continue
            ends[piece] = float(bool(_SENTENCE_END.search(text)))
            # After a stop inside "7.50" or "example.com" comes no space: that opens nothing.
            opens[piece] = float(text[:1] == " " or text[:1] >= "\u2e80")
        return ends, opens

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ``ids``; tags are left out. Bytes that form no character yet show as U+FFFD."""
        text = str(self._tokenizer.decode(list(ids), skip_special_tokens=True))
        return text.removeprefix(" ")


def train_tokenizer(
    texts: Iterable[str], *, vocabulary: int = 6000, min_frequency: int = 2
) -> SubwordTokenizer:
    """Learn the pieces of a company's texts.

    texts: every turn, passage and title, redacted. The same texts in the same order give the same file.
    vocabulary: most pieces, with the 256 bytes, tags and placeholders; small logs give fewer.

    Raises TrainingError when there is no text at all.
    """
    placeholders = [
        f"[{name}]" if number == 1 else f"[{name}_{number}]"
        for name in PLACEHOLDER_TYPES
        for number in range(1, PLACEHOLDERS_OF_A_TYPE + 1)
    ]
    floor = 256 + len(_TAGS) + len(placeholders)
    if vocabulary <= floor:
        raise TrainingError(
            "the vocabulary is too small for its fixed pieces", field="vocabulary", value=vocabulary,
            remedy=f"give more than {floor}",
        )  # fmt: skip
    cleaned = [cleaned for text in texts if (cleaned := _clean(text))]
    if not cleaned:
        raise TrainingError("there is no text to learn subwords from", field="texts", value=0)
    tokenizer = Tokenizer(models.BPE(byte_fallback=False))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\p{Han}"), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - len(placeholders),
        min_frequency=min_frequency,
        special_tokens=[_tag(name) for name in _TAGS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
        max_token_length=24,
    )
    # Placeholders are added below: as text they would be learned piece by piece.
    tokenizer.train_from_iterator((PLACEHOLDER.sub(" ", text) for text in cleaned), trainer=trainer)
    tokenizer.add_tokens([AddedToken(piece, normalized=False) for piece in placeholders])
    return SubwordTokenizer(tokenizer)


def _clean(text: str) -> str:
    """Private-use characters out, full-width letters and digits folded, a space before a first Latin word."""
    text = _PRIVATE.sub("", text).translate(_FOLD).strip()
    return f" {text}" if text and text[0].isascii() and text[0].isalnum() else text
