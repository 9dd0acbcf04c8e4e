"""The gate: a candidate goes live only where it is not worse than the live release, as far as the frozen set can tell.

Both are held against the same frozen examples, pair by pair, in four measures. For each there is a 95 % interval of
(candidate − live): Newcombe's score-like one for paired proportions in its normal form with a continuity guard
(Agresti & Min 2005, "Simple improved confidence intervals for comparing matched proportions": add one half to each
cell). The margin is the loss that a company takes for the chance of a better release. A measure is

- *proven* where the lower end lies above −margin: any loss is smaller than the margin;
- *worse* where the upper end of a wider interval (2.5 % one-sided, shared out over the measures) lies below −margin:
  the loss is larger than the margin;
- *not shown* between the two, where the loss seen is at most twice the margin, and the frozen set is large enough to
  show a loss of ``reach`` in 95 of 100 cases;
- *unclear* otherwise: then a person decides.

Why more than the proof: two trainings on the same data disagree on some 5 % of the messages. An exactly equal candidate
is *proven* within one point only from about 6,000 frozen examples on; a rule that asked for the proof alone would
refuse nearly every retraining of a company that has fewer (docs/architecture.md, "The gate").

A single intent blocks where it is missing, or where its loss is significant by a one-sided sign test after Holm's
correction (Holm 1979). The test allows for what a training moves by itself: it draws the line between two intents
elsewhere, and messages along it change together (`_dispersion`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any, Literal

Z = 1.959964  # of the 95 % interval
Z_POWER = 1.644854  # 95 of 100, on one side
MIN_FROZEN = 300
MIN_MEASURE = 100  # a measure over fewer examples can refuse, but not hold up
MIN_INTENT = 10
ALPHA = 0.05
MOST_DISPERSION = 2.0  # more would let a candidate through that is broken in many intents
MIN_DISPERSION_INTENTS = 10
SEEN = 2.0  # margins: a loss seen that is larger asks a person

State = Literal["proven", "not shown", "unclear", "worse"]


@dataclass(frozen=True, slots=True)
class Bound:
    """``margins``: how many of the gate's margins a measure may lose; ``reach``: the largest loss (share 0..1) that the
    frozen set may overlook without a person being asked."""

    margins: float
    reach: float


BOUNDS = {
    "accuracy": Bound(1, 0.08),
    "no wrong answer": Bound(1, 0.08),
    # few frozen examples are out of scope, and two trainings differ on every sixth of them
    "out-of-scope refusal": Bound(3, 0.20),
    # how often it dares to answer moves with the fitted temperature; a candidate that fell silent must still be seen
    "answered rightly": Bound(3, 0.14),
}
Z_LOSS = NormalDist().inv_cdf(1 - 0.025 / len(BOUNDS))  # one-sided, shared out over the measures (Bonferroni)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one frozen example went, for one release."""

    intent: str | None  # the right one; None: out of scope
    right: bool  # right intent, or rightly refused
    answered_wrong: bool  # answered with confidence, and wrongly
    answered_right: bool = False  # answered with confidence, and rightly


@dataclass(frozen=True, slots=True)
class Measure:
    """Shares 0..1; the interval is that of candidate − live, oriented so that higher is better."""

    name: str
    candidate: float
    live: float
    low: float
    high: float
    reach: float  # the true loss that this many examples would call worse in 95 of 100 cases
    state: State
    examples: int

    @property
    def passed(self) -> bool:
        return self.state in ("proven", "not shown")

    def in_words(self) -> str:
        told = f"{self.name}: {self.candidate:.1%} against {self.live:.1%}"
        if self.state == "unclear":
            return f"{told}; {self.examples} frozen examples cannot tell a loss below {self.reach:.1%} from chance"
        return f"{told}, the difference lies between {self.low:+.1%} and {self.high:+.1%}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``promote`` is None where the gate cannot decide and a person must."""

    promote: bool | None
    reason: str
    measures: tuple[Measure, ...] = ()
    blocked_intents: tuple[str, ...] = ()
    frozen: int = 0
    margin: float = 0.01

    def as_json(self) -> dict[str, Any]:
        body = asdict(self)
        for told, measure in zip(body["measures"], self.measures, strict=True):
            told["passed"] = measure.passed
        return body


def judge(
    candidate: Sequence[Outcome],
    live: Sequence[Outcome] | None,
    *,
    candidate_intents: Sequence[str],
    live_intents: Sequence[str] = (),
    margin: float = 0.01,
    min_frozen: int = MIN_FROZEN,
    differences: Sequence[str] = (),
) -> Verdict:
    """Hold ``candidate`` against ``live``: outcomes of the same examples in the same order.

    Without a live release the candidate passes: there is nothing it could be worse than. ``differences``: in words,
    where it says something else than what was trained (chatbot/learning/parity.py); then a person decides, whatever
    was measured, but for a first release: a bot that answers is better than none. Raises ValueError where the two were
    not measured on the same examples.
    """
    if live is None:
        reason = "; ".join(("first release: nothing is live yet", *differences))
        return Verdict(True, reason, frozen=len(candidate), margin=margin)
    if len(candidate) != len(live):
        raise ValueError(f"{len(candidate)} outcomes of the candidate, {len(live)} of the live release")

    missing = tuple(sorted(set(live_intents) - set(candidate_intents)))
    if missing:
        # no example of them is left, where a person was erased for one: somebody must say that they are given up
        reason = f"intents of the live release are missing: {', '.join(missing)}; give them examples or retire them"
        return Verdict(False, reason, (), missing, len(candidate), margin)

    inside = [(c, a) for c, a in zip(candidate, live, strict=True) if c.intent is not None]
    outside = [(c, a) for c, a in zip(candidate, live, strict=True) if c.intent is None]
    pairs = list(zip(candidate, live, strict=True))
    measures = tuple(
        _measure(name, values, margin)
        for name, values in (
            ("accuracy", [(c.right, a.right) for c, a in inside]),
            ("out-of-scope refusal", [(c.right, a.right) for c, a in outside]),
            ("no wrong answer", [(not c.answered_wrong, not a.answered_wrong) for c, a in pairs]),
            ("answered rightly", [(c.answered_right, a.answered_right) for c, a in inside]),
        )
        if values
    )

    def verdict(promote: bool | None, reason: str, blocked: tuple[str, ...] = ()) -> Verdict:
        return Verdict(promote, reason, measures, blocked, len(candidate), margin)

    worse_intents = _worse_intents(inside)
    if worse_intents:
        return verdict(False, "significantly worse on: " + ", ".join(worse_intents), worse_intents)
    if len(candidate) < min_frozen:
        return verdict(
            None,
            "; ".join(
                (
                    f"{len(candidate)} frozen examples are too few to decide (at least {min_frozen}): "
                    "a person must look",
                    *differences,
                )
            ),
        )
    worse = [measure for measure in measures if measure.state == "worse"]
    if worse:
        return verdict(False, "; ".join(measure.in_words() for measure in worse))
    unclear = [measure for measure in measures if measure.state == "unclear"]
    if unclear or differences:
        return verdict(None, _asks([*differences, *(measure.in_words() for measure in unclear)]))
    if all(measure.state == "proven" for measure in measures):
        return verdict(True, "not worse on any measure")
    seen = max(measure.reach for measure in measures if measure.state == "not shown")
    return verdict(
        True,
        f"no measure lost more than allowed, as far as {len(candidate)} frozen examples can tell; "
        f"a loss of {100 * seen:.1f} points or more would have been noticed",
    )


def _asks(doubts: Sequence[str]) -> str:
    return "a person must look: " + "; ".join(doubts)


def _measure(name: str, values: Sequence[tuple[bool, bool]], margin: float) -> Measure:
    bound = BOUNDS[name]
    n = len(values)
    gained, lost, difference, error = _paired(values)
    candidate, live = sum(c for c, _ in values) / n, sum(a for _, a in values) / n
    low, high = difference - Z * error, difference + Z * error
    allowed = margin * bound.margins
    reach = allowed + (Z_LOSS + Z_POWER) * error
    state: State
    if gained == lost == 0 or low > -allowed:
        state = "proven"
    elif difference + Z_LOSS * error < -allowed:
        state = "worse"
    elif n < MIN_MEASURE or (reach <= bound.reach and difference >= -SEEN * allowed):
        state = "not shown"
    else:
        state = "unclear"
    return Measure(name, candidate, live, low, high, reach, state, n)


def _paired(values: Sequence[tuple[bool, bool]]) -> tuple[int, int, float, float]:
    """(gained, lost, candidate − live, its standard error) of paired outcomes (Agresti & Min 2005)."""
    gained = sum(1 for c, a in values if c and not a)
    lost = sum(1 for c, a in values if a and not c)
    size = len(values) + 2
    variance = ((gained + lost + 1) - (gained - lost) ** 2 / size) / size**2
    return gained, lost, (gained - lost) / size, math.sqrt(max(variance, 0.0))


def lost_more(values: Sequence[tuple[bool, bool]], allowed: float) -> bool:
    """Whether the candidate (first of each pair) is worse than the live release by more than the share ``allowed``,
    beyond chance (one-sided, 95 %)."""
    _, _, difference, error = _paired(values)
    return bool(values) and difference + Z_POWER * error < -allowed


def _worse_intents(pairs: Sequence[tuple[Outcome, Outcome]]) -> tuple[str, ...]:
    """Intents with at least MIN_INTENT frozen examples whose loss is significant after Holm's correction."""
    counts: dict[str, list[int]] = {}
    for c, a in pairs:
        entry = counts.setdefault(str(c.intent), [0, 0, 0])
        entry[0] += 1
        entry[1] += c.right and not a.right
        entry[2] += a.right and not c.right
    moved = {name: (gain, loss) for name, (_, gain, loss) in counts.items()}
    tested = {
        name: _sign_test(gain, loss, dispersion=_dispersion(moved, without=name))
        for name, (n, gain, loss) in counts.items()
        if n >= MIN_INTENT
    }
    return _holm(tested)


def _dispersion(moved: Mapping[str, tuple[int, int]], *, without: str) -> float:
    """How much more the intents' differences (gained, lost) vary than if every message changed by itself, 1 to
    MOST_DISPERSION: Pearson's estimate (McCullagh & Nelder 1989, section 4.5) over all intents but the tested one."""
    others = [pair for name, pair in moved.items() if name != without and any(pair)]
    if len(others) < MIN_DISPERSION_INTENTS:
        return 1.0
    spread = sum((gained - lost) ** 2 / (gained + lost) for gained, lost in others) / len(others)
    return min(MOST_DISPERSION, max(1.0, spread))


def _sign_test(gained: int, lost: int, *, dispersion: float = 1.0) -> float:
    """One-sided p-value of at least ``lost`` losses among the discordant pairs, if both were as likely: exact, and not
    smaller than the normal one whose variance is ``dispersion`` times as large."""
    n = gained + lost
    if not n:
        return 1.0
    exact = sum(math.comb(n, k) for k in range(lost, n + 1)) / 2**n
    if dispersion <= 1:
        return exact
    return max(exact, 1 - NormalDist().cdf((lost - gained - 1) / math.sqrt(dispersion * n)))


def _holm(p_values: Mapping[str, float]) -> tuple[str, ...]:
    rejected = []
    for rank, (name, p) in enumerate(sorted(p_values.items(), key=lambda item: item[1])):
        if p > ALPHA / (len(p_values) - rank):
            break
        rejected.append(name)
    return tuple(sorted(rejected))
