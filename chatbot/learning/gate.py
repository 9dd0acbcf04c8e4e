"""The gate: a candidate goes live only where it is measurably not worse than the live release.

Both are held against the same frozen examples, pair by pair. A measure passes when the lower end of the paired 95 %
interval of (candidate − live) lies above −``margin``; the interval is Newcombe's score-like one for paired
proportions in its normal form with a continuity guard (Agresti & Min 2005, "Simple improved confidence intervals
for comparing matched proportions": add one half to each cell). A single intent blocks where it is missing, or
where its loss is significant by an exact one-sided sign test after Holm's correction (Holm 1979).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Z = 1.959964
MIN_FROZEN = 300
MIN_INTENT = 10
ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one frozen example went, for one release."""

    intent: str | None  # the right one; None: out of scope
    right: bool  # right intent, or rightly refused
    answered_wrong: bool  # answered with confidence, and wrongly


@dataclass(frozen=True, slots=True)
class Measure:
    name: str
    candidate: float  # share, 0..1
    live: float
    low: float  # lower end of the interval of the difference, oriented so that higher is better
    passed: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """``promote`` is None where the gate cannot decide and a person must."""

    promote: bool | None
    reason: str
    measures: tuple[Measure, ...] = ()
    blocked_intents: tuple[str, ...] = ()
    frozen: int = 0
    margin: float = 0.01
    details: dict[str, float] = field(default_factory=dict)


def judge(
    candidate: Sequence[Outcome],
    live: Sequence[Outcome] | None,
    *,
    candidate_intents: Sequence[str],
    live_intents: Sequence[str] = (),
    margin: float = 0.01,
    min_frozen: int = MIN_FROZEN,
) -> Verdict:
    """Hold ``candidate`` against ``live``: outcomes of the same examples in the same order.

    Without a live release the candidate passes: there is nothing it could be worse than. Raises ValueError where
    the two were not measured on the same examples.
    """
    if live is None:
        return Verdict(True, "first release: nothing is live yet", frozen=len(candidate), margin=margin)
    if len(candidate) != len(live):
        raise ValueError(f"{len(candidate)} outcomes of the candidate, {len(live)} of the live release")

    missing = tuple(sorted(set(live_intents) - set(candidate_intents)))
    if missing:
        reason = "intents of the live release are missing: " + ", ".join(missing)
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
        )
        if values
    )
    worse = _worse_intents(inside)
    if worse:
        reason = "significantly worse on: " + ", ".join(worse)
        return Verdict(False, reason, measures, worse, len(candidate), margin)
    failed = [measure for measure in measures if not measure.passed]
    if len(candidate) < min_frozen:
        reason = f"{len(candidate)} frozen examples are too few to decide (at least {min_frozen}): a person must look"
        return Verdict(None, reason, measures, (), len(candidate), margin)
    if failed:
        reason = "; ".join(
            f"{m.name}: {m.candidate:.1%} against {m.live:.1%}, the difference may be as low as {m.low:+.1%}"
            for m in failed
        )
        return Verdict(False, reason, measures, (), len(candidate), margin)
    return Verdict(True, "not worse on any measure", measures, (), len(candidate), margin)


def _measure(name: str, values: Sequence[tuple[bool, bool]], margin: float) -> Measure:
    n = len(values)
    gained = sum(1 for c, a in values if c and not a)
    lost = sum(1 for c, a in values if a and not c)
    size = n + 2
    difference = (gained - lost) / size
    variance = ((gained + lost + 1) - (gained - lost) ** 2 / size) / size**2
    low = difference - Z * math.sqrt(max(variance, 0.0))
    candidate, live = sum(c for c, _ in values) / n, sum(a for _, a in values) / n
    identical = gained == lost == 0
    return Measure(name, candidate, live, 0.0 if identical else low, identical or low > -margin)


def _worse_intents(pairs: Sequence[tuple[Outcome, Outcome]]) -> tuple[str, ...]:
    """Intents with at least MIN_INTENT frozen examples whose loss is significant after Holm's correction."""
    counts: dict[str, list[int]] = {}
    for c, a in pairs:
        entry = counts.setdefault(str(c.intent), [0, 0, 0])
        entry[0] += 1
        entry[1] += c.right and not a.right
        entry[2] += a.right and not c.right
    tested = {name: _sign_test(gain, loss) for name, (n, gain, loss) in counts.items() if n >= MIN_INTENT}
    return _holm(tested)


def _sign_test(gained: int, lost: int) -> float:
    """Exact one-sided p-value of at least ``lost`` losses among the discordant pairs, if both were as likely."""
    n = gained + lost
    return sum(math.comb(n, k) for k in range(lost, n + 1)) / 2**n if n else 1.0


def _holm(p_values: Mapping[str, float]) -> tuple[str, ...]:
    rejected = []
    for rank, (name, p) in enumerate(sorted(p_values.items(), key=lambda item: item[1])):
        if p > ALPHA / (len(p_values) - rank):
            break
        rejected.append(name)
    return tuple(sorted(rejected))
