"""How good a list of replies is, against the true ones and against what it could draw on. Shares are percentages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chatbot.language.likeness import tokens


@dataclass(frozen=True)
class ReplyFigures:
    bleu: float
    chrf: float
    rouge_l: float
    distinct_2: float
    grounded_rate: float | None
    passed_check: float | None
    recall_at_1_of_100: float | None


def overlap(replies: Sequence[str], truth: Sequence[str], *, chinese: bool) -> tuple[float, float]:
    """Corpus BLEU (13a or zh, cased) and chrF with sacrebleu's defaults."""
    import sacrebleu

    bleu = sacrebleu.corpus_bleu(list(replies), [list(truth)], tokenize="zh" if chinese else "13a")
    return float(bleu.score), float(sacrebleu.corpus_chrf(list(replies), [list(truth)]).score)


def sentence_overlap(reply: str, truth: str, *, chinese: bool) -> float:
    """BLEU of one reply, 0..1, smoothed where no four words in a row agree (Chen & Cherry 2014, method 3)."""
    import sacrebleu

    tokenizer = "zh" if chinese else "13a"
    bleu = sacrebleu.sentence_bleu(reply, [truth], tokenize=tokenizer, use_effective_order=True)
    return float(bleu.score) / 100


def rouge_l(replies: Sequence[str], truth: Sequence[str]) -> float:
    """Mean F1 of the longest common subsequence of words, characters in Chinese (Lin 2004, section 3)."""
    total = 0.0
    for reply, true in zip(replies, truth, strict=True):
        first, second = tokens(reply), tokens(true)
        if first and second:
            common = _longest_common(first, second)
            total += 2 * common / (len(first) + len(second))
    return 100 * total / max(1, len(truth))


def distinct_2(replies: Sequence[str]) -> float:
    """Different word pairs as a share of all (Li et al. 2016)."""
    pairs = [pair for reply in replies for pair in zip(tokens(reply), tokens(reply)[1:], strict=False)]
    return 100 * len(set(pairs)) / max(1, len(pairs))


def _longest_common(first: Sequence[str], second: Sequence[str]) -> int:
    row = [0] * (len(second) + 1)
    for token in first:
        before = 0
        for place, other in enumerate(second, start=1):
            kept = row[place]
            row[place] = before + 1 if token == other else max(row[place], row[place - 1])
            before = kept
    return row[-1]
