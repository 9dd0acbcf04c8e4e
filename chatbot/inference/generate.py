"""Replies from the exported response generator: greedy and beam search over one decoder step. No torch.

Beam search with the length normalisation of Wu et al. 2016 (section 7, equation 14). A reply may not write the same
four pieces twice, and a sentence of a passage that it has begun to copy is copied to its end: one that goes on in the
middle of another says what neither says, and the check would refuse it. A typed placeholder is written where the
conversation has a value of its type, and filled with that. The sources are encoded once a reply; every
beam shares them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chatbot.dialogue.trace import Message
from chatbot.errors import BundleError, InputError
from chatbot.inference.placeholders import Values, kind_of
from chatbot.inference.sessions import open_session
from chatbot.neural.source_layout import SourceLayout, lay_out
from chatbot.neural.tokenizer import SubwordTokenizer

FORMAT = 1
_REPEAT = 4  # no run of so many pieces is written twice
LENGTH_POWER = 0.8  # of the length that a beam's score is divided by: the higher, the longer the replies
_COPYING = 3.0  # so many pieces of a passage in a row are a sentence that is being copied


@dataclass(frozen=True)
class Candidate:
    """One possible reply.

    score: mean log-probability a piece. copied: share of the probability that came from the sources.
    finished: False when the reply was cut at ``max_tokens``.
    """

    text: str
    score: float
    copied: float = 0.0
    finished: bool = True


@dataclass(frozen=True)
class _Encoded:
    source: NDArray[np.int64]  # [1, s]
    values: NDArray[np.float32]  # [s, 2e]
    keys: NDArray[np.float32]  # [d, s]
    hidden: NDArray[np.float32]  # [1, d]
    cell: NDArray[np.float32]  # [1, d]
    first: int  # the language tag that begins the reply
    prose: NDArray[np.bool_]  # [s], which pieces are a passage's
    fills: Values  # what fills a placeholder
    never: frozenset[int]  # pieces that no reply may hold


@dataclass(frozen=True)
class _States:
    """The decoder's states, a row a beam."""

    hidden: NDArray[np.float32]
    cell: NDArray[np.float32]
    runs: NDArray[np.float32]
    covered: NDArray[np.float32]

    def rows(self, index: Sequence[int]) -> _States:
        return _States(self.hidden[index], self.cell[index], self.runs[index], self.covered[index])


@dataclass(frozen=True)
class _Step:
    scores: NDArray[np.float32]  # [b, best]
    ids: NDArray[np.int64]  # [b, best]
    chosen: NDArray[np.float32]  # [b]
    copied: NDArray[np.float32]  # [b]
    states: _States


@dataclass(frozen=True)
class _Beam:
    pieces: tuple[int, ...] = ()
    total: float = 0.0
    copied: float = 0.0
    seen: frozenset[tuple[int, ...]] = field(default_factory=frozenset)

    def allows(self, piece: int) -> bool:
        return (*self.pieces[1 - _REPEAT :], piece) not in self.seen

    def grown(self, piece: int, score: float, copied: float) -> _Beam:
        pieces = (*self.pieces, piece)
        seen = self.seen | {pieces[-_REPEAT:]} if len(pieces) >= _REPEAT else self.seen
        return _Beam(pieces, self.total + score, self.copied + copied, seen)

    def rank(self, power: float) -> float:
        """Length normalisation of Wu et al. 2016, section 7."""
        return self.total / ((5 + len(self.pieces) + 1) / 6) ** power


class ResponseGenerator:
    """The served response generator of one bundle."""

    def __init__(self, bundle: Path, *, threads: int = 1) -> None:
        folder = bundle / "generator"
        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            if config["format"] != FORMAT:
                raise BundleError("this generator has another format", value=config["format"])
            self.layout = SourceLayout(**config["layout"])
            self.intents: tuple[str, ...] = tuple(config["network"]["intents"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BundleError(
                f"the generator's config cannot be read: {error}",
                value="generator/config.json",
                remedy="retrain, or roll back to another release",
            ) from error
        self.tokenizer = SubwordTokenizer.load(bundle / "tokenizer.json")
        self._encoder = open_session(folder / "encoder.onnx", threads=threads)
        self._step_session = open_session(folder / "step.onnx", threads=threads)
        self._intent_rows = {name: row for row, name in enumerate(self.intents, start=1)}
        # tags, and what opens a placeholder; a whole one is a piece, written where the conversation fills it
        self._placeholders = {piece: kind_of(text) for text, piece in self.tokenizer.placeholders.items()}
        holes = {piece for piece, text in enumerate(self.tokenizer.texts) if "[" in text}
        self._never = (self.tokenizer.tags.all | holes) - {self.tokenizer.tags.end}
        self._ends = np.asarray(self.tokenizer.boundaries()[0]) >= 1  # by piece: it ends a sentence

    @classmethod
    def load(cls, bundle: Path, *, threads: int = 1) -> ResponseGenerator:
        """bundle: the release's folder. Raises BundleError when a part is missing or damaged."""
        return cls(Path(bundle), threads=threads)

    def generate(
        self,
        history: Sequence[Message],
        sources: Sequence[str],
        *,
        intent: str | None = None,
        lang: str = "en",
        beam: int = 1,
        max_tokens: int = 60,
        min_tokens: int = 2,
        past_answers: Sequence[str] = (),
        length_power: float = LENGTH_POWER,
    ) -> list[Candidate]:
        """Replies to the last message of ``history``, best first, at most ``beam``.

        history: oldest first, **with** the message to answer as its last customer turn; ``action`` turns in it are
        look-ups. sources: passages, best first, as ``source_layout.passage_source`` writes them. Raises InputError
        for a beam or a length below 1.
        """
        if beam < 1 or max_tokens < 1:
            raise InputError("beam and max_tokens must be at least 1", value=min(beam, max_tokens))
        encoded = self._encode(history, sources, past_answers, intent, lang)
        if beam == 1:
            found = [self._greedy(encoded, max_tokens, min_tokens)]
        else:
            found = self._search(encoded, beam, max_tokens, min_tokens, length_power)
        candidates, texts = [], set()
        for reply, finished in found:
            text = encoded.fills.fill(self.tokenizer.decode(reply.pieces)).strip()
            if text and text not in texts:
                texts.add(text)
                steps = len(reply.pieces) + finished
                candidates.append(Candidate(text, reply.total / steps, reply.copied / steps, finished))
        return candidates

    def stream(
        self,
        history: Sequence[Message],
        sources: Sequence[str],
        *,
        intent: str | None = None,
        lang: str = "en",
        max_tokens: int = 60,
        past_answers: Sequence[str] = (),
    ) -> Iterator[str]:
        """The greedy reply in pieces of text, as they are written; joined they are ``generate``'s text."""
        encoded = self._encode(history, sources, past_answers, intent, lang)
        told = ""
        reply = _Beam()
        for reply in self._steps(encoded, max_tokens, 2):
            text = encoded.fills.fill(self.tokenizer.decode(reply.pieces)).lstrip()
            if not text.endswith("\ufffd") and text.rstrip().startswith(told) and text.rstrip() != told:
                text = text.rstrip()  # the next piece may turn out to be the end
                yield text[len(told) :]
                told = text
        rest = encoded.fills.fill(self.tokenizer.decode(reply.pieces)).strip()
        if rest != told and rest.startswith(told):
            yield rest[len(told) :]

    def score(
        self,
        history: Sequence[Message],
        sources: Sequence[str],
        replies: Sequence[str],
        *,
        intent: str | None = None,
        lang: str = "en",
        past_answers: Sequence[str] = (),
    ) -> list[float]:
        """Mean log-probability a piece of each of ``replies``, had the generator written it here."""
        if not replies:
            return []
        encoded = self._encode(history, sources, past_answers, intent, lang)
        end = self.tokenizer.tags.end
        wanted = self._pieces(replies)
        longest = max(map(len, wanted))
        totals = np.zeros(len(wanted))
        states = self._start(encoded, len(wanted))
        fed = np.full(len(wanted), encoded.first, dtype=np.int64)
        for place in range(longest):
            upcoming = np.array([row[place] if place < len(row) else end for row in wanted], dtype=np.int64)
            step = self._advance(encoded, fed, states, upcoming)
            totals += np.where([place < len(row) for row in wanted], step.chosen, 0.0)
            states, fed = step.states, upcoming
        return [float(total / len(row)) for total, row in zip(totals, wanted, strict=True)]

    def lengths(self, replies: Sequence[str]) -> list[int]:
        """In pieces, with the end, as ``score`` reads them."""
        return [len(row) for row in self._pieces(replies)]

    def _pieces(self, replies: Sequence[str]) -> list[list[int]]:
        found = self.tokenizer.encode_batch(replies)
        return [[*pieces[: self.layout.reply_tokens], self.tokenizer.tags.end] for pieces in found]

    def _encode(
        self,
        history: Sequence[Message],
        sources: Sequence[str],
        past_answers: Sequence[str],
        intent: str | None,
        lang: str,
    ) -> _Encoded:
        pieces = lay_out(
            self.tokenizer, self.layout, turns=history, passages=sources, past_answers=past_answers
        )
        source = np.array([pieces], dtype=np.int64)
        row = np.array([self._intent_rows.get(intent or "", 0)], dtype=np.int64)
        values, keys, hidden, cell = self._encoder.run(
            ["values", "keys", "hidden", "cell"], {"source": source, "intent": row}
        )
        tags = np.isin(source[0], list(self.tokenizer.tags.all))
        segment = np.maximum.accumulate(
            np.where(tags, np.arange(len(tags)), 0)
        )  # where each piece's segment begins
        prose = (source[0][segment] == self.tokenizer.tags.passage) & ~tags
        fills = Values.of(history)
        filled = {piece for piece, kind in self._placeholders.items() if kind in fills.newest}
        first = self.tokenizer.tags.reply(lang)
        return _Encoded(source, values, keys, hidden, cell, first, prose, fills, self._never - filled)

    def _start(self, encoded: _Encoded, rows: int) -> _States:
        empty = np.zeros((rows, encoded.source.shape[1]), dtype=np.float32)
        return _States(encoded.hidden.repeat(rows, 0), encoded.cell.repeat(rows, 0), empty, empty)

    def _advance(
        self,
        encoded: _Encoded,
        fed: NDArray[np.int64],
        states: _States,
        upcoming: NDArray[np.int64] | None = None,
    ) -> _Step:
        scores, ids, chosen, copied, *after = self._step_session.run(
            ["scores", "ids", "chosen", "copied", "next_hidden", "next_cell", "next_runs", "next_covered"],
            {
                "fed": fed,
                "next": fed if upcoming is None else upcoming,
                "hidden": states.hidden,
                "cell": states.cell,
                "runs": states.runs,
                "covered": states.covered,
                "source": encoded.source,
                "values": encoded.values,
                "keys": encoded.keys,
            },
        )
        return _Step(scores, ids, chosen, copied, _States(*after))

    def _torn(self, encoded: _Encoded, fed: NDArray[np.int64], step: _Step) -> NDArray[np.bool_]:
        """[b, best]: pieces that leave a sentence of a passage in its middle, where one that goes on is to be had."""
        runs = step.states.runs * encoded.prose  # [b, s]: how many of the last pieces stand before each place
        longest = runs.max(axis=1, keepdims=True)
        copying = (longest[:, 0] >= _COPYING) & ~self._ends[fed]
        torn = np.zeros(step.ids.shape, dtype=bool)
        for row in np.flatnonzero(copying).tolist():
            behind = encoded.source[0][runs[row] == longest[row]]
            # a few pieces against a few: np.isin sorts both, for a tenth of a draft's time
            going_on = (step.ids[row][:, None] == behind).any(axis=1)
            if going_on.any():
                torn[row] = ~going_on & ~self._ends[step.ids[row]]
        return torn

    def _steps(self, encoded: _Encoded, most: int, least: int) -> Iterator[_Beam]:
        """The greedy reply after each piece; the last one carries the score of its end."""
        states, reply = self._start(encoded, 1), _Beam()
        fed = np.array([encoded.first], dtype=np.int64)
        for _ in range(most):
            step = self._advance(encoded, fed, states)
            whole = ~self._torn(encoded, fed, step)[0]
            piece, score = self._best(encoded, reply, step.ids[0][whole], step.scores[0][whole], least)
            if piece == self.tokenizer.tags.end:
                return
            reply = reply.grown(piece, score, float(step.copied[0]))
            yield reply
            states, fed = step.states, np.array([piece], dtype=np.int64)

    def _best(
        self,
        encoded: _Encoded,
        reply: _Beam,
        ids: NDArray[np.int64],
        scores: NDArray[np.float32],
        least: int,
    ) -> tuple[int, float]:
        for piece, score in zip(ids.tolist(), scores.tolist(), strict=True):
            if self._possible(encoded, reply, piece, least):
                return piece, score
        return self.tokenizer.tags.end, float(scores[0])

    def _possible(self, encoded: _Encoded, reply: _Beam, piece: int, least: int) -> bool:
        if piece == self.tokenizer.tags.end:
            return len(reply.pieces) >= least
        return piece not in encoded.never and reply.allows(piece)

    def _greedy(self, encoded: _Encoded, most: int, least: int) -> tuple[_Beam, bool]:
        steps = list(self._steps(encoded, most, least))
        reply = steps[-1] if steps else _Beam()
        return reply, len(reply.pieces) < most

    def _search(
        self, encoded: _Encoded, width: int, most: int, least: int, power: float
    ) -> list[tuple[_Beam, bool]]:
        end = self.tokenizer.tags.end
        beams = [_Beam()]
        states = self._start(encoded, 1)
        fed = np.array([encoded.first], dtype=np.int64)
        done: list[_Beam] = []
        for _ in range(most):
            step = self._advance(encoded, fed, states)
            torn = self._torn(encoded, fed, step)
            totals = step.scores + np.array([[reply.total] for reply in beams], dtype=np.float32)
            order = np.argsort(-totals, axis=None, kind="stable")
            grown: list[tuple[int, _Beam]] = []
            for flat in order.tolist():
                row, column = divmod(flat, totals.shape[1])
                piece = int(step.ids[row, column])
                if torn[row, column] or not self._possible(encoded, beams[row], piece, least):
                    continue
                score, copied = float(step.scores[row, column]), float(step.copied[row])
                if piece == end:
                    ended = beams[row]
                    done.append(_Beam(ended.pieces, ended.total + score, ended.copied + copied, ended.seen))
                else:
                    grown.append((row, beams[row].grown(piece, score, copied)))
                if len(grown) == width:
                    break
            if not grown or (len(done) >= width and _settled(done, grown, width, power)):
                break
            rows = [row for row, _ in grown]
            beams = [reply for _, reply in grown]
            states = step.states.rows(rows)
            fed = np.array([reply.pieces[-1] for reply in beams], dtype=np.int64)
        best = sorted(done, key=lambda reply: -reply.rank(power))[:width]
        cut = (
            sorted(beams, key=lambda reply: -reply.rank(power))[: width - len(best)]
            if len(best) < width
            else []
        )
        return [*((reply, True) for reply in best), *((reply, False) for reply in cut)]


def _settled(done: Sequence[_Beam], grown: Sequence[tuple[int, _Beam]], width: int, power: float) -> bool:
    """Whether no open reply can still overtake the worst of the best finished ones by its score so far."""
    worst = sorted((reply.rank(power) for reply in done), reverse=True)[width - 1]
    return max(reply.rank(power) for _, reply in grown) < worst
