"""What a site's admin decides about its bot: kept with the site in the database, read before each reply."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from chatbot.dialogue.trace import Mode
from chatbot.errors import InputError

MODES: tuple[Mode, ...] = ("approved_and_cited", "generated_allowed", "drafts_only")
GREETINGS = {
    "en": "Hello! Ask me anything about our service.",
    "zh": "您好！有什么可以帮您？",
}


@dataclass(frozen=True, slots=True)
class SiteOptions:
    """``sureness`` is the one dial "how sure must it be": an answer whose calibrated probability of being right is
    below it is not given. ``choice_floor`` is where "did you mean" ends and "I do not know" begins."""

    mode: Mode = "approved_and_cited"
    sureness: float = 0.6
    choice_floor: float = 0.25
    greeting: dict[str, str] = field(default_factory=lambda: dict(GREETINGS))
    accent: str = "#0f766e"
    title: str = ""

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

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> SiteOptions:
        """Options as stored; a key that this version does not know is left alone, a missing one has its default."""
        known = {f.name for f in fields(cls)}
        return cls(**{key: value for key, value in stored.items() if key in known})
