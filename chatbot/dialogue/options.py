"""What a site's admin decides about its bot: kept with the site in the database, read before each reply."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields, replace
from typing import Any

from chatbot.dialogue.actions import check_pattern
from chatbot.dialogue.danger_texts import DANGER_TEXTS, LONGEST
from chatbot.dialogue.hours import Hours
from chatbot.dialogue.trace import Mode
from chatbot.errors import InputError
from chatbot.language.redaction import RedactionRules, order_pattern

MODES: tuple[Mode, ...] = ("approved_and_cited", "generated_allowed", "drafts_only")
GREETINGS = {
    "en": "Hello! Ask me anything about our service.",
    "zh": "您好！有什么可以帮您？",
}


@dataclass(frozen=True, slots=True)
class SiteOptions:
    """``sureness`` is the one dial "how sure must it be": an answer whose calibrated probability of being right is
    below it is not given. ``choice_floor`` is where "did you mean" ends and "I do not know" begins.

    ``hours`` are opening hours as JSON (chatbot/dialogue/hours.py); empty: somebody is always there. ``hide_closed``:
    outside them the widget's button is hidden. A visitor who
    has waited ``unanswered_minutes`` for a person is told that nobody is free (0: never). A conversation in which
    nothing was said for ``idle_hours`` closes (0: never). Conversations in which nothing was said for
    ``retention_days`` are erased (0: the installation's rule). ``order_pattern`` is a regular expression of the
    company's own order numbers, where they are not told by the usual shapes (empty: they are). ``danger``: a message
    that tells of a danger to life is answered by rule; ``danger_texts``: in words of the site's own, by language and
    kind of danger (what is missing has its default). A conversation that
    the bot solves saves an agent ``saved_minutes``, whose hour costs ``hour_cost`` in the company's own money."""

    mode: Mode = "approved_and_cited"
    sureness: float = 0.6
    choice_floor: float = 0.25
    greeting: dict[str, str] = field(default_factory=lambda: dict(GREETINGS))
    accent: str = "#0f766e"
    title: str = ""
    hours: dict[str, Any] = field(default_factory=dict)
    hide_closed: bool = False
    unanswered_minutes: int = 5
    idle_hours: int = 24
    retention_days: int = 0
    order_pattern: str = ""
    danger: bool = True
    danger_texts: dict[str, dict[str, str]] = field(default_factory=dict)
    saved_minutes: float = 6.0
    hour_cost: float = 30.0

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise InputError(
                "Unknown mode", field="mode", value=self.mode, remedy=f"Use one of {', '.join(MODES)}"
            )
        for name in ("sureness", "choice_floor"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 <= value <= 1:
                raise InputError(
                    "Not a probability", field=name, value=value, remedy="Give a number from 0 to 1"
                )
        if self.choice_floor > self.sureness:
            raise InputError(
                "The floor of “did you mean” lies above the sureness",
                field="choice_floor",
                value=self.choice_floor,
                remedy=f"Set it to at most {self.sureness}",
            )
        for name, most in (
            ("unanswered_minutes", 24 * 60),
            ("idle_hours", 24 * 365),
            ("retention_days", 50 * 365),
        ):
            value = getattr(self, name)
            if not isinstance(value, int) or not 0 <= value <= most:
                raise InputError(
                    "Not a possible time",
                    field=name,
                    value=value,
                    remedy=f"Give a whole number from 0 to {most}; 0: never",
                )
        for name, most in (("saved_minutes", 24 * 60), ("hour_cost", 1_000_000)):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 <= value <= most:
                raise InputError(
                    "Not a possible number", field=name, value=value, remedy=f"Give a number from 0 to {most}"
                )
        if self.order_pattern:
            check_pattern(self.order_pattern)
            if re.fullmatch(self.order_pattern, ""):
                raise InputError(
                    "The pattern fits an empty text",
                    field="order_pattern",
                    value=self.order_pattern[:60],
                    remedy="Write one that an order number is needed for, such as [A-Z]{2}-\\d{6}",
                )
        for name in ("hide_closed", "danger"):
            value = getattr(self, name)
            if not isinstance(value, bool):
                raise InputError("Not yes or no", field=name, value=value, remedy="Give true or false")
        for lang, texts in self.danger_texts.items():
            for kind, text in texts.items():
                if kind not in DANGER_TEXTS["en"]:
                    raise InputError(
                        "Unknown danger",
                        field="danger_texts",
                        value=kind[:20],
                        remedy=f"Use one of {', '.join(DANGER_TEXTS['en'])}",
                    )
                if len(text) > LONGEST:
                    raise InputError(
                        "The text is too long",
                        field=f"danger_{kind}_{lang}",
                        remedy=f"Use at most {LONGEST} characters",
                    )
        if self.hours:
            Hours.from_json(self.hours)

    @property
    def redaction(self) -> RedactionRules:
        """What counts as personal in a message to this site."""
        return RedactionRules(order_pattern=order_pattern([self.order_pattern]))

    @property
    def opening_hours(self) -> Hours | None:
        """None: somebody is always there."""
        return Hours.from_json(self.hours) if self.hours else None

    def answering(self) -> SiteOptions:
        """The same where customers are answered: what a release would say cannot be measured where nobody is."""
        return replace(self, mode="approved_and_cited") if self.mode == "drafts_only" else self

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> SiteOptions:
        """Options as stored; a key that this version does not know is left alone, a missing one has its default."""
        known = {f.name for f in fields(cls)}
        return cls(**{key: value for key, value in stored.items() if key in known})
