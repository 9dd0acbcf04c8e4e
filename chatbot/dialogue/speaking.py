"""Whether a sentence that the bot writes itself may be sent: it must stand firmer than a passage that is shown.

A wrong passage shows what it is about; a wrong sentence claims to be the answer. Of the demo's tuning conversations
(docs/measured.md) nearly every sentence that lacked a fact was another article's, or answered what nothing answers, and
nearly all of these came behind something: what a message that opens a conversation means, it says itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from chatbot.dialogue.weighing import Candidate

# The probability that the best candidate needs of a message that opens a conversation, and of one that comes behind
# something. What nobody answers must not get a written reply, so being out of scope counts against it on top.
NEEDED_OPENING = 0.75
NEEDED_BEHIND = 0.9
OUTSIDE_COUNTS = 3.0


@dataclass(frozen=True, slots=True)
class Footing:
    """What a message stands on. ``in_scope``: the probability that it is about what the bot should know; ``opens``:
    nothing was asked before it; ``proven``: the release's generator passed its gate in the message's language
    (chatbot/learning/writing.py)."""

    in_scope: float = 1.0
    opens: bool = True
    proven: bool = True


def held_back(best: Candidate, footing: Footing) -> str | None:
    """Why a sentence about ``best`` may not be sent, in words; None: it may."""
    if not footing.proven:
        return "this release's written replies have not passed their measure in this language"
    needed = NEEDED_OPENING if footing.opens else NEEDED_BEHIND
    needed += OUTSIDE_COUNTS * (1 - footing.in_scope)
    if best.probability >= needed:
        return None
    return f"a drafted sentence needs {min(1.0, needed):.2f} at {footing.in_scope:.2f} in scope"
