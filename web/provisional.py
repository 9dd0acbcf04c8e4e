"""What a new provisional intent is held against in this process: the release that answers here."""

from __future__ import annotations

from chatbot.dialogue.provisional_check import Known
from chatbot.errors import UnavailableError
from web.context import parts


def known_now() -> Known:
    """Nothing where no release answers yet."""
    try:
        assistant = parts().serving.assistant()
    except UnavailableError:
        return Known()
    return Known(
        assistant.release_id, getattr(assistant, "provisional", None), getattr(assistant, "classifier", None)
    )
